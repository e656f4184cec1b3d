// Writes the grammar that editors read.

import { writeFileSync } from "node:fs";

import { written } from "./annot.mjs";

writeFileSync(new URL("../syntaxes/annot.tmLanguage.json", import.meta.url), `${written()}\n`);
