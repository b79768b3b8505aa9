import about from "./about.en.json";
import authors from "./authors.en.json";
import common from "./common.en.json";
import csv from "./csv.en.json";
import editor from "./editor.en.json";
import files from "./files.en.json";
import history from "./history.en.json";
import login from "./login.en.json";
import notebook from "./notebook.en.json";
import office from "./office.en.json";
import outside from "./outside.en.json";
import people from "./people.en.json";
import present from "./present.en.json";
import preview from "./preview.en.json";
import settings from "./settings.en.json";
import sharing from "./sharing.en.json";
import words from "./words.en.json";

export default {
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
