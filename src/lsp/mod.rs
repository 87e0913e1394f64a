//! `pgo lsp`: the language server, over standard input and output. Documents are checked as they change; what a text
//! with syntax errors means is answered from the last version that had none.
mod answers;
mod text;

use crate::packages::{Packages, display, is_test_file, sources_in, texts_of};
use crate::run::fail;
use lang::codes::Code;
use lang::diagnostic::{Diagnostic, Severity};
use lang::editor::Analysis;
use lsp_server::{Connection, ErrorCode, Message, Notification, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// An open file.
struct Document {
    path: PathBuf,
    text: String,
    /// The text has changed since it was last checked.
    is_stale: bool,
    /// Of the last text without syntax errors.
    analysis: Option<Analysis>,
}

struct Server {
    connection: Connection,
    /// By URI.
    documents: BTreeMap<String, Document>,
}

/// Gives the exit status.
pub fn lsp() -> i32 {
    let (connection, threads) = Connection::stdio();
    if let Err(e) = connection.initialize(answers::capabilities()) {
        return fail(&e.to_string());
    }
    let mut server = Server {
        connection,
        documents: BTreeMap::new(),
    };
    let ended_in_order = server.run();
    drop(server);
    let closed = threads.join();
    i32::from(!(ended_in_order && closed.is_ok()))
}

impl Server {
    /// Answers until the client says that it ends, or goes away.
    fn run(&mut self) -> bool {
        while let Ok(message) = self.connection.receiver.recv() {
            match message {
                Message::Request(request) => {
                    match self.connection.handle_shutdown(&request) {
                        Ok(true) => return true,
                        Ok(false) => {}
                        Err(_) => return false,
                    }
                    self.check_stale();
                    let answer = answers::answer(self, &request.method, &request.params);
                    let response = match answer {
                        Ok(Some(result)) => Response::new_ok(request.id, result),
                        Ok(None) => Response::new_err(
                            request.id,
                            ErrorCode::MethodNotFound as i32,
                            format!("{} is not supported", request.method),
                        ),
                        Err(message) => {
                            Response::new_err(request.id, ErrorCode::InvalidRequest as i32, message)
                        }
                    };
                    self.send(Message::Response(response));
                }
                Message::Notification(notification) => self.notified(notification),
                Message::Response(_) => {}
            }
            // A burst of changes is checked once.
            if self.connection.receiver.is_empty() {
                self.check_stale();
            }
        }
        false
    }

    fn send(&self, message: Message) {
        // A client that is gone is noticed by the reading side.
        let _ = self.connection.sender.send(message);
    }

    fn notified(&mut self, notification: Notification) {
        let params = &notification.params;
        let document = &params["textDocument"];
        let Some(uri) = document["uri"].as_str() else {
            return;
        };
        match notification.method.as_str() {
            "textDocument/didOpen" => {
                let document = Document {
                    path: text::path(uri),
                    text: string(&document["text"]),
                    is_stale: true,
                    analysis: None,
                };
                self.documents.insert(uri.to_string(), document);
            }
            "textDocument/didChange" => {
                let last = params["contentChanges"]
                    .as_array()
                    .and_then(|all| all.last());
                if let (Some(document), Some(change)) = (self.documents.get_mut(uri), last) {
                    document.text = string(&change["text"]);
                }
                // Other files of its package see the change too.
                self.documents.values_mut().for_each(|d| d.is_stale = true);
            }
            "textDocument/didClose" => {
                self.documents.remove(uri);
                self.publish(uri, Vec::new());
            }
            _ => {}
        }
    }

    /// Checks what has changed, and tells the client what is wrong.
    fn check_stale(&mut self) {
        let stale: Vec<String> = self
            .documents
            .iter()
            .filter(|(_, d)| d.is_stale)
            .map(|(uri, _)| uri.clone())
            .collect();
        for uri in stale {
            let analysis = self.analyse(&self.documents[&uri].path);
            let Some(document) = self.documents.get_mut(&uri) else {
                continue;
            };
            document.is_stale = false;
            let file = text::file_of(analysis.sources(), &document.path);
            let own = |d: &&Diagnostic| Some(d.primary.span.file) == file;
            let found = analysis.diagnostics().iter().filter(own);
            let diagnostics = found.map(|d| diagnostic(d, &analysis)).collect();
            let has_syntax_error = analysis
                .diagnostics()
                .iter()
                .any(|d| d.code.number() < Code::Undefined.number());
            if !has_syntax_error || document.analysis.is_none() {
                document.analysis = Some(analysis);
            }
            self.publish(&uri, diagnostics);
        }
    }

    fn publish(&self, uri: &str, diagnostics: Vec<Value>) {
        let params = json!({"uri": uri, "diagnostics": diagnostics});
        let method = "textDocument/publishDiagnostics".to_string();
        self.send(Message::Notification(Notification { method, params }));
    }

    fn analyse(&self, path: &Path) -> Analysis {
        let dir = path.parent().map(display).unwrap_or_default();
        let files = self.files_of(path);
        Analysis::new(files, &dir, &Packages::of_program(&dir))
    }

    /// The open text of a file, if it is open.
    fn open_text(&self, path: &Path) -> Option<&str> {
        let mut open = self.documents.values();
        open.find(|d| d.path == path).map(|d| d.text.as_str())
    }

    /// The files that belong to a file's program: a script is alone; so is one of several files with a function main in
    /// one folder.
    fn files_of(&self, path: &Path) -> Vec<(String, Vec<u8>)> {
        let own = self.open_text(path).unwrap_or_default();
        let alone = vec![(display(path), own.as_bytes().to_vec())];
        let Some(dir) = path.parent().filter(|_| lang::is_program(own)) else {
            return alone;
        };
        let mut paths = sources_in(dir).unwrap_or_default();
        paths.retain(|p| p == path || !is_test_file(p) || is_test_file(path));
        let Ok(mut files) = texts_of(&paths) else {
            return alone;
        };
        if !files.iter().any(|(name, _)| Path::new(name) == path) {
            return alone;
        }
        for (name, text) in &mut files {
            if let Some(open) = self.open_text(Path::new(name)) {
                *text = open.as_bytes().to_vec();
            }
        }
        let clause = |text: &[u8]| {
            let text = String::from_utf8_lossy(text);
            let line = text.lines().find(|l| l.starts_with("package "));
            line.map(|l| l.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
        };
        let package = clause(own.as_bytes());
        files.retain(|(_, text)| clause(text) == package);
        let has_main = |text: &[u8]| text.windows(12).any(|w| w == b"\nfunc main()");
        match files.iter().filter(|(_, text)| has_main(text)).count() {
            0 | 1 => files,
            _ => alone,
        }
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

fn diagnostic(d: &Diagnostic, analysis: &Analysis) -> Value {
    let severity = match d.severity {
        Severity::Error => 1,
        Severity::Warning => 2,
    };
    let mut message = d.message.clone();
    for note in d.notes.iter().chain(&d.helps) {
        message.push('\n');
        message.push_str(note);
    }
    let related: Vec<Value> = d
        .secondary
        .iter()
        .map(|label| {
            let location = text::location(analysis.sources(), label.span);
            json!({"location": location, "message": label.text})
        })
        .collect();
    json!({
        "range": text::range(analysis.sources(), d.primary.span),
        "severity": severity,
        "code": d.code.number(),
        "source": "pgo",
        "message": message,
        "relatedInformation": related,
    })
}
