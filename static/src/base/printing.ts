/** Paper is light, however dark the screen is. */

/** From now on print in the colours of the light theme; `body.drawn-dark` tells the styles that pictures were drawn for a dark one. */
export function printLight(): void {
  const root = document.documentElement;
  let before: string | undefined;
  addEventListener("beforeprint", () => {
    before = root.dataset["theme"];
    document.body.classList.toggle("drawn-dark", isDark(before));
    root.dataset["theme"] = "light";
  });
  addEventListener("afterprint", () => {
    document.body.classList.remove("drawn-dark");
    if (before === undefined) delete root.dataset["theme"];
    else root.dataset["theme"] = before;
  });
}

const isDark = (theme: string | undefined): boolean => theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
