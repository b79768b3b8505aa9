import about from "./about.de.json";
import authors from "./authors.de.json";
import common from "./common.de.json";
import csv from "./csv.de.json";
import editor from "./editor.de.json";
import files from "./files.de.json";
import history from "./history.de.json";
import login from "./login.de.json";
import notebook from "./notebook.de.json";
import office from "./office.de.json";
import outside from "./outside.de.json";
import people from "./people.de.json";
import present from "./present.de.json";
import preview from "./preview.de.json";
import settings from "./settings.de.json";
import sharing from "./sharing.de.json";
import words from "./words.de.json";

import type { Messages } from "../base/messages.ts";

const messages: Messages = {
  ...about,
  ...authors,
  ...common,
  ...csv,
  ...editor,
  ...files,
  ...history,
  ...login,
  ...notebook,
  ...office,
  ...outside,
  ...people,
  ...present,
  ...preview,
  ...settings,
  ...sharing,
  ...words,
};

export default messages;
