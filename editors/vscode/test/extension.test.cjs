// The extension beside a VS Code that only writes down what is asked of it.

"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const Module = require("node:module");
const os = require("node:os");
const path = require("node:path");
const test = require("node:test");

const manifest = require("../package.json");
const { findServer } = require("../src/server");

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "annot-"));
test.after(() => fs.rmSync(folder, { recursive: true }));
const program = path.join(folder, "annotc");
fs.writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
fs.writeFileSync(path.join(folder, "text"), "", { mode: 0o644 });

test("the program is looked for on PATH, from the workspace, or where it is said to be", () => {
  const environment = { PATH: ["/nowhere", folder].join(path.delimiter) };
  assert.deepEqual(findServer("annotc", undefined, environment), { program });
  assert.deepEqual(findServer(" ", undefined, environment), { program });
  assert.deepEqual(findServer("./annotc", folder, {}), { program });
  assert.deepEqual(findServer(program, undefined, {}), { program });
  assert.match(findServer("annotc", folder, { PATH: "/nowhere" }).missing, /no folder of PATH/);
  assert.match(findServer("./annotc", undefined, environment).missing, /no folder is open/);
  assert.match(findServer("./text", folder, environment).missing, /is no program/);
  assert.match(findServer("text", folder, environment).missing, /no folder of PATH/);
});

/** An editor with a setting, and the extension in it. */
function editor({ setting, trusted = true, starts = async () => {} }) {
  const asked = { errors: [], commands: new Map(), clients: [], listeners: [] };
  const nothing = { dispose() {} };
  const vscode = {
    window: {
      createOutputChannel: () => ({ show() {}, error() {}, dispose() {} }),
      showErrorMessage: async (message) => void asked.errors.push(message),
    },
    commands: { registerCommand: (name, run) => (asked.commands.set(name, run), nothing) },
    workspace: {
      isTrusted: trusted,
      workspaceFolders: undefined,
      getConfiguration: () => ({ get: () => setting }),
      onDidChangeConfiguration: (listener) => (asked.listeners.push(listener), nothing),
      onDidGrantWorkspaceTrust: () => nothing,
    },
  };
  class LanguageClient {
    constructor(id, name, server, options) {
      Object.assign(this, { server, options, state: "new" });
      asked.clients.push(this);
    }
    async start() {
      await starts();
      this.state = "running";
    }
    async dispose() {
      this.state = "gone";
    }
  }
  const load = Module._load;
  const replaced = { vscode, "vscode-languageclient/node": { LanguageClient } };
  Module._load = (name, ...rest) => replaced[name] ?? load(name, ...rest);
  delete require.cache[require.resolve("../src/extension")];
  const extension = require("../src/extension");
  Module._load = load;
  return { asked, extension, context: { subscriptions: [] } };
}

test("the server is started, and started again", async () => {
  const { asked, extension, context } = editor({ setting: program });
  await extension.activate(context);
  assert.deepEqual([...asked.commands.keys()].sort(), manifest.contributes.commands.map((each) => each.command).sort());
  assert.deepEqual(asked.clients[0].server, { command: program, args: ["lsp"] });
  assert.deepEqual(asked.clients[0].options.documentSelector, [{ scheme: "file", language: "annot" }]);
  await Promise.all([asked.commands.get("annotc.restart")(), asked.commands.get("annotc.restart")()]);
  assert.deepEqual(asked.clients.map((client) => client.state), ["gone", "gone", "running"]);
  asked.listeners[0]({ affectsConfiguration: (name) => name === "annotc.path" });
  await extension.deactivate();
  assert.deepEqual(asked.clients.map((client) => client.state), ["gone", "gone", "gone", "gone"]);
  assert.deepEqual(asked.errors, []);
});

test("a missing program is reported with what to do", async () => {
  const { asked, extension, context } = editor({ setting: "/nowhere/annotc" });
  await extension.activate(context);
  assert.equal(asked.clients.length, 0);
  assert.match(asked.errors.join(), /annotc was not found: `\/nowhere\/annotc` is no program.*annotc\.path/);
});

test("a program that is no language server is reported", async () => {
  const starts = () => Promise.reject(new Error("it went away"));
  const { asked, extension, context } = editor({ setting: program, starts });
  await extension.activate(context);
  assert.match(asked.errors.join(), /annotc lsp` does not start: it went away/);
});

test("in a folder that is not trusted no program is run", async () => {
  const { asked, extension, context } = editor({ setting: program, trusted: false });
  await extension.activate(context);
  assert.deepEqual([asked.clients, asked.errors], [[], []]);
});

test("the configuration of the language does what it says", () => {
  const [language] = manifest.contributes.languages;
  const read = fs.readFileSync(path.join(__dirname, "..", language.configuration), "utf8");
  const { wordPattern, onEnterRules, indentationRules } = JSON.parse(read);
  const words = "größe = `a b` + x_1.f".match(new RegExp(wordPattern.pattern, `g${wordPattern.flags}`));
  assert.deepEqual(words, ["größe", "`a b`", "x_1", "f"]);
  const goesOn = new RegExp(onEnterRules[0].beforeText);
  assert.ok(goesOn.test("  /// a") && !goesOn.test("//// a") && !goesOn.test("// a"));
  const deeper = new RegExp(indentationRules.increaseIndentPattern);
  assert.ok(deeper.test("clean c {  // why") && !deeper.test('user "{{ text }}"') && !deeper.test("// {"));
});
