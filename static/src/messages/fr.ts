import about from "./about.fr.json";
import authors from "./authors.fr.json";
import common from "./common.fr.json";
import csv from "./csv.fr.json";
import editor from "./editor.fr.json";
import files from "./files.fr.json";
import history from "./history.fr.json";
import login from "./login.fr.json";
import notebook from "./notebook.fr.json";
import office from "./office.fr.json";
import outside from "./outside.fr.json";
import people from "./people.fr.json";
import present from "./present.fr.json";
import preview from "./preview.fr.json";
import settings from "./settings.fr.json";
import sharing from "./sharing.fr.json";
import words from "./words.fr.json";

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
