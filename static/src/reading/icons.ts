/** The icons of the application on a device: named here so that they are built; the server's manifest finds them by their names. */

import any from "../icon.svg?url";
import large from "../icons/icon-512.png?url";
import masked from "../icons/icon-maskable.png?url";
import small from "../icons/icon-192.png?url";

export const icons = [any, small, large, masked];
