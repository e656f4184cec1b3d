// Where the language server is: the program that the setting `annotc.path` names.

"use strict";

const fs = require("node:fs");
const path = require("node:path");

/**
 * The path of a program that can be run, or why there is none.
 *
 * @typedef {{ program: string } | { missing: string }} Found
 */

/** @param {string} file */
function isProgram(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * The names that a program may have as a file: on Windows, with one of the endings that the system runs.
 *
 * @param {string} name
 * @param {NodeJS.ProcessEnv} environment
 */
function fileNames(name, environment) {
  if (process.platform !== "win32" || path.extname(name) !== "") return [name];
  const endings = (environment.PATHEXT ?? ".EXE").split(";");
  return endings.map((ending) => name + ending.toLowerCase());
}

/**
 * Looks for the program. A name without a slash is looked for on `PATH`; a relative path is meant from the workspace.
 *
 * @param {string} setting what `annotc.path` says
 * @param {string | undefined} workspace the workspace's first folder
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Found}
 */
function findServer(setting, workspace, environment) {
  const name = setting.trim() || "annotc";
  if (!name.includes("/") && !name.includes(path.sep)) {
    const folders = (environment.PATH ?? environment.Path ?? "").split(path.delimiter).filter(Boolean);
    for (const folder of folders) {
      for (const file of fileNames(name, environment)) {
        const program = path.join(folder, file);
        if (isProgram(program)) return { program };
      }
    }
    return { missing: `\`${name}\` is in no folder of PATH` };
  }
  if (!path.isAbsolute(name) && workspace === undefined) {
    return { missing: `\`${name}\` is a relative path, and no folder is open that it could be meant from` };
  }
  const place = path.resolve(workspace ?? "", name);
  for (const program of fileNames(place, environment)) {
    if (isProgram(program)) return { program };
  }
  return { missing: `\`${place}\` is no program` };
}

module.exports = { findServer };
