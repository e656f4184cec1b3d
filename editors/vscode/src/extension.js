// The extension: starts `annotc lsp`, and starts it again where asked or where the setting changed.

"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

const { findServer } = require("./server");

/** @type {import("vscode").LogOutputChannel} */
let output;
/** @type {import("vscode-languageclient/node").LanguageClient | undefined} */
let client;
/** Starts and stops follow one another, however fast they are asked for. */
let work = Promise.resolve();

/** @param {string} message */
async function tell(message) {
  const settings = "Open the Setting";
  const log = "Show the Output";
  const chosen = await vscode.window.showErrorMessage(message, settings, log);
  if (chosen === settings) await vscode.commands.executeCommand("workbench.action.openSettings", "annotc.path");
  if (chosen === log) output.show();
}

async function start() {
  // In a folder that is not trusted, no program of its choice is run: there are colours alone.
  if (!vscode.workspace.isTrusted) return;
  const setting = vscode.workspace.getConfiguration("annotc").get("path", "annotc");
  const folder = vscode.workspace.workspaceFolders?.find((each) => each.uri.scheme === "file");
  const found = findServer(setting, folder?.uri.fsPath, process.env);
  if ("missing" in found) {
    void tell(`annotc was not found: ${found.missing}. Install it, or say in \`annotc.path\` where it is.`);
    return;
  }
  client = new LanguageClient(
    "annotc",
    "annotc",
    { command: found.program, args: ["lsp"] },
    { documentSelector: [{ scheme: "file", language: "annot" }], outputChannel: output },
  );
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    void tell(`\`${found.program} lsp\` does not start: ${reason}`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.dispose();
}

function restart() {
  work = work.then(stop).catch((error) => output.error(String(error))).then(start);
  return work;
}

/** @param {import("vscode").ExtensionContext} context */
async function activate(context) {
  output = vscode.window.createOutputChannel("annotc", { log: true });
  context.subscriptions.push(
    output,
    vscode.commands.registerCommand("annotc.restart", restart),
    vscode.commands.registerCommand("annotc.showOutput", () => output.show()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("annotc.path")) void restart();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void restart()),
  );
  await restart();
}

function deactivate() {
  return work.then(stop);
}

module.exports = { activate, deactivate };
