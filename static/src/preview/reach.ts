/** What is wider than the screen is scrolled by the keyboard too, and is then named for who cannot see it. */

export function reach(wide: HTMLElement, name: string): void {
  if (wide.scrollWidth <= wide.clientWidth) return;
  for (const [key, value] of Object.entries({ tabindex: "0", role: "group", "aria-label": name })) wide.setAttribute(key, value);
}
