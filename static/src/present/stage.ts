/** How large slides are: laid out on a stage of fixed size, which is then made as large as the screen allows. */

/** CSS pixels of a stage: 16 to 9; upright screens have a higher one, so that letters stay readable. */
export interface Stage {
  width: number;
  height: number;
}

const WIDE: Stage = { width: 1280, height: 720 };
const NARROW_WIDTH = 640;
/** An upright stage is not higher than this many times its width. */
const STEEPEST = 2;

/** The stage for a screen of this size. */
export function stageFor({ width, height }: Stage): Stage {
  if (width >= height || width <= 0) return WIDE;
  return { width: NARROW_WIDTH, height: Math.round(NARROW_WIDTH * Math.min(STEEPEST, height / width)) };
}

export const scaleOf = (stage: Stage, space: Stage): number => Math.max(0.05, Math.min(space.width / stage.width, space.height / stage.height));

/** Keep the slides in `parent` as large as it is; `changed` when the stage is another one. */
export function fill(parent: HTMLElement, changed: () => void, stageOf: (space: Stage) => Stage = stageFor): void {
  let before = "";
  const measure = (): void => {
    const space = { width: parent.clientWidth, height: parent.clientHeight };
    if (space.width === 0 || space.height === 0) return;
    const stage = stageOf(space);
    const { style } = parent;
    style.setProperty("--stage-width", `${stage.width}px`);
    style.setProperty("--stage-height", `${stage.height}px`);
    style.setProperty("--stage-ratio", `${stage.width} / ${stage.height}`);
    style.setProperty("--scale", String(scaleOf(stage, space)));
    parent.classList.toggle("upright", stage.height > stage.width);
    const now = `${stage.width} ${stage.height}`;
    if (now !== before) changed();
    before = now;
  };
  new ResizeObserver(measure).observe(parent);
  measure();
}

export const wide = (): Stage => WIDE;
