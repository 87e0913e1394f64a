// Starts `pgo lsp` and leaves the rest to the language client.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = function () {
  const command = workspace.getConfiguration("pgo").get("path");
  client = new LanguageClient(
    "pgo",
    "pgo",
    { command, args: ["lsp"] },
    { documentSelector: [{ scheme: "file", language: "pgo" }] },
  );
  return client.start();
};

exports.deactivate = function () {
  return client && client.stop();
};
