/** What people look for under "Settings". */

export function showSettings(): void {
  document.body.dataset["settings"] = "open";
}
