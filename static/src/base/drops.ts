/** Files that are dropped on a page. */

/** Whether a drag brings files. */
export const carriesFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes("Files") === true;

/** Where nothing takes them a browser would open them in the place of the page: the page stays, and shows that nothing can be dropped there. */
export function keepPage(): void {
  addEventListener("dragover", (event) => {
    if (event.defaultPrevented || event.dataTransfer === null || !carriesFiles(event)) return;
    event.preventDefault();
    const takes = event.target instanceof Element && event.target.closest('[contenteditable="true"]') !== null;
    event.dataTransfer.dropEffect = takes ? "copy" : "none";
  });
  addEventListener("drop", (event) => {
    if (!event.defaultPrevented && carriesFiles(event)) event.preventDefault();
  });
}
