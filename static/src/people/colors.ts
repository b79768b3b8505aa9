/**
 * People's colours: readable on both papers (WCAG 2.2, 1.4.11) with ink that is readable on them (1.4.3), and told apart.
 *
 * "Nearly the same" is a distance in OKLab (Björn Ottosson, "A perceptual color space for image processing", 2020).
 */

type Triple = readonly [number, number, number];

/** Between these relative luminances a colour has 3:1 against our light and our dark paper. */
const DARKEST = 0.152;
const LIGHTEST = 0.287;
/** Up to this luminance white has 4.5:1; from 0.175 on black has it too. */
const MIDDLE = 0.183;
/** Nearer to each other than this, two colours are taken for one. */
const NEAR = 0.055;
/** Radians: turning by the golden angle comes near to no former angle for long. */
const TURN = Math.PI * (3 - Math.sqrt(5));
const TURNS = 24;
/** Relative luminances that the turned colours take in turn: they spread over more than the circle. */
const LIGHTS = [0.19, 0.28, 0.155] as const;
/** With so many people the colours are used up: initials and names tell them apart. */
const MOST = 24;

/** White where it is readable on the colour, else black. */
export function inkOn(color: string): "#000000" | "#ffffff" {
  return luminance(linear(color)) > MIDDLE ? "#000000" : "#ffffff";
}

/** The colour, or the nearest lighter or darker one that is seen on both papers. */
export function readable(color: string): string {
  return hex(seen(linear(color)));
}

/** How unlike two colours look: 0 the same, about 1 black and white. */
export function distance(one: string, other: string): number {
  return apart(lab(linear(one)), lab(linear(other)));
}

/** The colours in which people are shown: their own, unless somebody who was there before has nearly the same. */
export class Palette {
  private readonly given = new Map<string, { wanted: string; shown: string; lab: Triple }>();

  /** The colour of the person with this id who wants `wanted`; it stays the same while that is wanted. */
  color(id: string, wanted: string): string {
    const former = this.given.get(id);
    if (former?.wanted === wanted) return former.shown;
    this.given.delete(id);
    const shown = this.distinct(readable(wanted));
    this.given.set(id, { wanted, shown, lab: lab(linear(shown)) });
    return shown;
  }

  /** Forget all others. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.given.keys()) if (!ids.has(id)) this.given.delete(id);
  }

  private distinct(color: string): string {
    if (this.given.size >= MOST || this.room(color) >= NEAR) return color;
    let best = color;
    for (let turn = 1; turn <= TURNS; turn += 1) {
      const other = turned(color, turn);
      if (this.room(other) > this.room(best)) best = other;
      if (this.room(best) >= 1.5 * NEAR) break;
    }
    return best;
  }

  /** The distance to the nearest colour that is given. */
  private room(color: string): number {
    const own = lab(linear(color));
    return Math.min(...[...this.given.values()].map((each) => apart(own, each.lab)), Infinity);
  }
}

function linear(color: string): Triple {
  const channel = (start: number): number => {
    const value = Number.parseInt(color.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

function hex(color: Triple): string {
  const channel = (value: number): string => {
    const bounded = Math.min(1, Math.max(0, value));
    const light = bounded <= 0.0031308 ? 12.92 * bounded : 1.055 * bounded ** (1 / 2.4) - 0.055;
    return Math.round(255 * light).toString(16).padStart(2, "0");
  };
  return `#${color.map(channel).join("")}`;
}

function luminance([red, green, blue]: Triple): number {
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function seen(color: Triple): Triple {
  const light = luminance(color);
  if (light > LIGHTEST) return scaled(color, (value) => (value * LIGHTEST) / light);
  const white = (DARKEST - light) / (1 - light);
  return light < DARKEST ? scaled(color, (value) => value + (1 - value) * white) : color;
}

function scaled([red, green, blue]: Triple, scale: (value: number) => number): Triple {
  return [scale(red), scale(green), scale(blue)];
}

function apart(one: Triple, other: Triple): number {
  return Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]);
}

function lab([red, green, blue]: Triple): Triple {
  const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function fromLab([light, a, b]: Triple): Triple {
  const l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (light - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** The colour with its hue turned so many times, and a little lighter or darker; greys become colourful. */
function turned(color: string, turns: number): string {
  const [light, a, b] = lab(linear(color));
  const chroma = Math.max(Math.hypot(a, b), 0.12);
  const hue = Math.atan2(b, a) + turns * TURN;
  const inside = scaled(fromLab([light, chroma * Math.cos(hue), chroma * Math.sin(hue)]), (value) => Math.min(1, Math.max(0, value)));
  const wanted = LIGHTS[turns % LIGHTS.length] ?? MIDDLE;
  const now = luminance(inside);
  return hex(seen(scaled(inside, (value) => Math.min(1, (value * wanted) / now))));
}
