/** Guests: people who came by a link, without having signed in. The server says whose id somebody has, and theirs begin like this. */

import { t } from "../base/messages.ts";

const GUEST = "guest:";

/** A name as others see it: a guest's is marked, since they chose it themselves. */
export const titled = ({ id, name }: { id: string; name: string }): string => (id.startsWith(GUEST) ? t("people.guest", { name }) : name);
