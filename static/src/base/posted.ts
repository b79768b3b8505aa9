/** In a frame of another site no cookie is sent: pages are gone to by a form with our token, as the site around us sent one. */

import { lease } from "./api.ts";
import { element } from "./dom.ts";

/** Go to a page of ours in this frame. */
export function post(action: string): void {
  if (lease === null) return location.assign(action);
  const form = element("form", { method: "post", action, hidden: true }, element("input", { type: "hidden", name: "token", value: lease.token() }));
  document.body.append(form);
  form.submit();
}
