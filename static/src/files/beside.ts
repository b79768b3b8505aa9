/** Places what floats beside what it belongs to. */

/** Pixels that are left free at the window's edges. */
const EDGE = 8;

/** Below its button, or above it where there is no room. */
export function beside(menu: HTMLElement, anchor: HTMLElement): void {
  const at = anchor.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const left = Math.max(EDGE, Math.min(at.right - width, innerWidth - width - EDGE));
  const below = at.bottom + 4;
  const top = below + height <= innerHeight - EDGE ? below : Math.max(EDGE, at.top - height - 4);
  menu.style.setProperty("inset", `${top}px auto auto ${left}px`);
}
