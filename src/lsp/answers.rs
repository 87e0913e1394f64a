//! What the server can, and its answers to requests.
use super::{Document, Server, text};
use crate::packages::{Packages, display};
use lang::complete::{NameKind, Words};
use lang::editor::{Analysis, Symbol, SymbolKind};
use lang::highlight::{Class, Place, classes, place};
use lang::source::{FileId, Span};
use serde_json::{Map, Value, json};

/// The kinds of semantic tokens, which are told by their place here.
const TOKENS: [(Class, &str); 6] = [
    (Class::Keyword, "keyword"),
    (Class::Predeclared, "type"),
    (Class::Number, "number"),
    (Class::String, "string"),
    (Class::Comment, "comment"),
    (Class::Call, "function"),
];

pub fn capabilities() -> Value {
    let kinds = TOKENS.map(|(_, name)| name);
    json!({
        "positionEncoding": "utf-16",
        "textDocumentSync": {"openClose": true, "change": 1},
        "hoverProvider": true,
        "definitionProvider": true,
        "referencesProvider": true,
        "documentHighlightProvider": true,
        "renameProvider": {"prepareProvider": true},
        "completionProvider": {"triggerCharacters": ["."]},
        "signatureHelpProvider": {"triggerCharacters": ["(", ","]},
        "documentFormattingProvider": true,
        "documentSymbolProvider": true,
        "workspaceSymbolProvider": true,
        "semanticTokensProvider": {
            "legend": {"tokenTypes": kinds, "tokenModifiers": []},
            "full": true,
        },
        "inlayHintProvider": true,
    })
}

/// The result of a request; `None` when the server knows no such request.
///
/// # Errors
/// Why the request cannot be carried out.
pub fn answer(server: &mut Server, method: &str, params: &Value) -> Result<Option<Value>, String> {
    if method == "workspace/symbol" {
        return Ok(Some(workspace_symbols(server, params)));
    }
    let uri = params["textDocument"]["uri"].as_str().unwrap_or_default();
    let Some(document) = server.documents.get_mut(uri) else {
        return match method.starts_with("textDocument/") {
            true => Err("the document is not open".to_string()),
            false => Ok(None),
        };
    };
    let offset = text::offset(&document.text, &params["position"]);
    let before = document.text[..offset].to_string();
    let result = match method {
        "textDocument/formatting" => Some(formatting(document)),
        "textDocument/semanticTokens/full" => Some(semantic_tokens(&document.text)),
        "textDocument/completion" => Some(completion(document, &before)),
        "textDocument/rename" => Some(rename(document, offset as u32, params)?),
        _ => {
            let Some((analysis, file)) = parts(document) else {
                return Ok(Some(Value::Null));
            };
            match method {
                "textDocument/hover" => Some(hover(analysis, file, offset as u32)),
                "textDocument/definition" => Some(definition(analysis, file, offset as u32)),
                "textDocument/references" => {
                    Some(references(analysis, file, offset as u32, params))
                }
                "textDocument/documentHighlight" => Some(highlights(analysis, file, offset as u32)),
                "textDocument/prepareRename" => Some(prepare_rename(analysis, file, offset as u32)),
                "textDocument/signatureHelp" => Some(signature(analysis, file, &before)),
                "textDocument/documentSymbol" => Some(document_symbols(analysis, file)),
                "textDocument/inlayHint" => Some(inlay_hints(analysis, file)),
                _ => None,
            }
        }
    };
    Ok(result)
}

fn parts(document: &mut Document) -> Option<(&mut Analysis, FileId)> {
    let analysis = document.analysis.as_mut()?;
    let file = text::file_of(analysis.sources(), &document.path)?;
    Some((analysis, file))
}

fn hover(analysis: &mut Analysis, file: FileId, offset: u32) -> Value {
    let Some(meaning) = analysis.meaning(file, offset) else {
        return Value::Null;
    };
    let (comment, code): (Vec<&str>, Vec<&str>) = meaning
        .text
        .lines()
        .partition(|line| line.trim_start().starts_with("//"));
    let value = format!(
        "```go\n{}\n```\n{}",
        code.join("\n"),
        comment_text(comment.into_iter())
    );
    json!({
        "contents": {"kind": "markdown", "value": value.trim_end()},
        "range": text::range(analysis.sources(), meaning.span),
    })
}

/// The lines of a comment without the slashes.
fn comment_text<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let texts = lines.map(|line| line.trim_start().trim_start_matches('/').trim_start());
    texts.collect::<Vec<_>>().join("\n")
}

fn definition(analysis: &mut Analysis, file: FileId, offset: u32) -> Value {
    let found = analysis.meaning(file, offset).and_then(|m| m.definition);
    found.map_or(Value::Null, |span| text::location(analysis.sources(), span))
}

/// The definition of the name at a place, and its occurrences.
fn occurrences(analysis: &mut Analysis, file: FileId, offset: u32) -> Option<(Span, Vec<Span>)> {
    let definition = analysis.meaning(file, offset)?.definition?;
    Some((definition, analysis.occurrences(definition).to_vec()))
}

fn references(analysis: &mut Analysis, file: FileId, offset: u32, params: &Value) -> Value {
    let Some((definition, all)) = occurrences(analysis, file, offset) else {
        return Value::Null;
    };
    let with_declaration = params["context"]["includeDeclaration"].as_bool() != Some(false);
    let wanted = all
        .into_iter()
        .filter(|span| with_declaration || *span != definition);
    wanted
        .map(|span| text::location(analysis.sources(), span))
        .collect()
}

/// The occurrences in the same file.
fn highlights(analysis: &mut Analysis, file: FileId, offset: u32) -> Value {
    let Some((_, all)) = occurrences(analysis, file, offset) else {
        return Value::Null;
    };
    let own = all.into_iter().filter(|span| span.file == file);
    own.map(|span| json!({"range": text::range(analysis.sources(), span)}))
        .collect()
}

fn prepare_rename(analysis: &Analysis, file: FileId, offset: u32) -> Value {
    match analysis.renamable(file, offset) {
        Ok(span) => text::range(analysis.sources(), span),
        Err(_) => Value::Null,
    }
}

fn rename(document: &mut Document, offset: u32, params: &Value) -> Result<Value, String> {
    let dir = document.path.parent().map(display).unwrap_or_default();
    let written = document.text.clone();
    let Some((analysis, file)) = parts(document) else {
        return Ok(Value::Null);
    };
    if analysis.sources().file(file).text() != written {
        return Err("the file has syntax errors".to_string());
    }
    let name = params["newName"].as_str().unwrap_or_default();
    let source = Packages::of_program(&dir);
    let edits = analysis.rename(file, offset, name, &dir, &source);
    let mut changes = Map::new();
    for edit in edits.map_err(|e| e.to_string())? {
        let location = text::location(analysis.sources(), edit.span);
        let uri = location["uri"].as_str().unwrap_or_default().to_string();
        let edits = changes.entry(uri).or_insert_with(|| json!([]));
        if let Some(edits) = edits.as_array_mut() {
            edits.push(json!({"range": location["range"], "newText": edit.text}));
        }
    }
    Ok(json!({"changes": changes}))
}

fn completion(document: &mut Document, before: &str) -> Value {
    if place(before) != Place::Code {
        return json!([]);
    }
    let dir = document.path.parent().map(display).unwrap_or_default();
    let source = Packages::of_program(&dir);
    let packages: Vec<&str> = stdlib::packages().collect();
    let words = Words {
        keywords: true,
        packages: &packages,
    };
    let Some((analysis, file)) = parts(document) else {
        return json!([]);
    };
    let found = analysis.completions(file, before, words, &source);
    let items = found.names.iter().map(|name| {
        let kind = match name.kind {
            NameKind::Method => 2,
            NameKind::Func => 3,
            NameKind::Field => 5,
            NameKind::Var => 6,
            NameKind::Type => 7,
            NameKind::Package => 9,
            NameKind::Keyword => 14,
            NameKind::Const => 21,
        };
        let mut item = json!({"label": name.text, "kind": kind, "detail": name.detail});
        if !name.doc.is_empty() {
            item["documentation"] = json!(comment_text(name.doc.lines()));
        }
        item
    });
    items.collect()
}

fn signature(analysis: &mut Analysis, file: FileId, before: &str) -> Value {
    let Some((label, argument)) = analysis.signature(file, before) else {
        return Value::Null;
    };
    let parameters: Vec<Value> = parameters(&label)
        .iter()
        .map(|p| json!({"label": p}))
        .collect();
    json!({
        "signatures": [{"label": label, "parameters": parameters}],
        "activeSignature": 0,
        "activeParameter": argument.min(parameters.len().saturating_sub(1)),
    })
}

/// The parameters of `func f(a int, b func(x, y int)) T`; those of a method are behind its receiver.
fn parameters(signature: &str) -> Vec<String> {
    let rest = signature
        .strip_prefix("func (")
        .and_then(|rest| rest.split_once(") "));
    let rest = rest.map_or(signature, |(_, rest)| rest);
    let Some((_, rest)) = rest.split_once('(') else {
        return Vec::new();
    };
    let (mut depth, mut start, mut out) = (0usize, 0, Vec::new());
    for (at, b) in rest.bytes().enumerate() {
        let ends = match b {
            b'(' | b'[' | b'{' => {
                depth += 1;
                false
            }
            b')' if depth == 0 => true,
            b')' | b']' | b'}' => {
                depth -= 1;
                false
            }
            b',' => depth == 0,
            _ => false,
        };
        if ends {
            out.push(rest[start..at].trim().to_string());
            start = at + 1;
        }
        if ends && b == b')' {
            break;
        }
    }
    out.retain(|parameter| !parameter.is_empty());
    out
}

fn formatting(document: &Document) -> Value {
    let name = display(&document.path);
    match lang::fmt::format(&name, document.text.as_bytes()) {
        Ok(formatted) if formatted == document.text => json!([]),
        Ok(formatted) => {
            let end = text::position(&document.text, document.text.len());
            let range = json!({"start": {"line": 0, "character": 0}, "end": end});
            json!([{"range": range, "newText": formatted}])
        }
        // The diagnostics say why.
        Err(_) => Value::Null,
    }
}

/// The protocol's numbers of symbol kinds.
fn kind(kind: SymbolKind) -> u32 {
    match kind {
        SymbolKind::Func => 12,
        SymbolKind::Method => 6,
        SymbolKind::Type => 23,
        SymbolKind::Const => 14,
        SymbolKind::Var | SymbolKind::Pvar => 13,
    }
}

fn shown_name(symbol: &Symbol) -> String {
    match &symbol.container {
        Some(ty) => format!("{ty}.{}", symbol.name),
        None => symbol.name.clone(),
    }
}

fn document_symbols(analysis: &Analysis, file: FileId) -> Value {
    let own = analysis
        .symbols()
        .into_iter()
        .filter(|s| s.span.file == file);
    own.map(|symbol| {
        json!({
            "name": shown_name(&symbol),
            "kind": kind(symbol.kind),
            "detail": if symbol.kind == SymbolKind::Pvar { "persistent" } else { "" },
            "range": text::range(analysis.sources(), symbol.span),
            "selectionRange": text::range(analysis.sources(), symbol.name_span),
        })
    })
    .collect()
}

fn workspace_symbols(server: &Server, params: &Value) -> Value {
    let query = params["query"].as_str().unwrap_or_default().to_lowercase();
    let mut out: Vec<Value> = Vec::new();
    for analysis in server
        .documents
        .values()
        .filter_map(|d| d.analysis.as_ref())
    {
        for symbol in analysis.symbols() {
            let name = shown_name(&symbol);
            if name.to_lowercase().contains(&query) {
                let location = text::location(analysis.sources(), symbol.name_span);
                let item = json!({"name": name, "kind": kind(symbol.kind), "location": location});
                if !out.contains(&item) {
                    out.push(item);
                }
            }
        }
    }
    json!(out)
}

/// Five numbers a token: lines and units from the one before, length, kind, modifiers. A token ends with its line.
fn semantic_tokens(document: &str) -> Value {
    let mut data: Vec<u64> = Vec::new();
    // Lines and units that the next token is away from the last one.
    let (mut lines, mut units, mut from) = (0, 0, 0);
    let count = |text: &str| text.encode_utf16().count() as u64;
    for (range, class) in classes(document) {
        let kind = TOKENS.iter().position(|(c, _)| *c == class).unwrap_or(0);
        let mut at = range.start;
        for part in document[range].split('\n') {
            let between = &document[from..at];
            lines += between.matches('\n').count() as u64;
            units = match between.rfind('\n') {
                Some(end) => count(&between[end + 1..]),
                None => units + count(between),
            };
            from = at;
            let len = count(part.trim_end_matches('\r'));
            if len > 0 {
                data.extend([lines, units, len, kind as u64, 0]);
                (lines, units) = (0, 0);
            }
            at += part.len() + 1;
        }
    }
    json!({"data": data})
}

/// Behind each store that may be persistent: what becomes of it.
fn inlay_hints(analysis: &Analysis, file: FileId) -> Value {
    let mut hints: Vec<(u32, &str)> = Vec::new();
    for store in analysis.stores().iter().filter(|s| s.span.file == file) {
        let label = match (store.surely_persistent, store.in_txn) {
            (true, true) => "persistent, logged",
            (true, false) => "persistent",
            (false, true) => "logged if persistent",
            (false, false) => continue,
        };
        let text = analysis.sources().file(file).text();
        let from = store.span.lo as usize;
        let line_end = text[from..].find('\n').map_or(text.len(), |at| from + at);
        let hint = (line_end as u32, label);
        // A line has one; what is logged says more.
        match hints.iter_mut().find(|(at, _)| *at == hint.0) {
            Some(other) if other.1 == "persistent" => *other = hint,
            Some(_) => {}
            None => hints.push(hint),
        }
    }
    let text = analysis.sources().file(file).text();
    let shown = hints.iter().map(|(at, label)| {
        json!({
            "position": text::position(text, *at as usize),
            "label": label,
            "paddingLeft": true,
        })
    });
    shown.collect()
}
