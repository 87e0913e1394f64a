//! Doc comments in their usual form, by the syntax of https://go.dev/doc/comment: paragraphs,
//! headings, lists, code blocks and link definitions, with directives at the end.

/// A list's entry: its number (empty for a bullet) and paragraphs.
struct Entry {
    number: String,
    paragraphs: Vec<Vec<String>>,
}

enum Block {
    Paragraph(Vec<String>),
    Heading(String),
    Code(Vec<String>),
    List {
        entries: Vec<Entry>,
        /// Blank lines stood before the list, or between its entries.
        blank_before: bool,
        blank_between: bool,
    },
}

/// `[text]: url`
struct LinkDefinition {
    text: String,
    url: String,
}

/// The comments that take the place of these, which are all of one group; `None` when they stay.
pub fn format(comments: &[String]) -> Option<Vec<String>> {
    if let [block] = comments
        && let Some(text) = block.strip_prefix("/*")
    {
        let text = text.strip_suffix("*/").unwrap_or(text);
        if !text.contains('\n') || has_stars_only(text) {
            return None;
        }
        return Some(vec![format!("/*\n{}*/", reflow(text))]);
    }
    let mut text = String::new();
    let mut directives = Vec::new();
    for comment in comments {
        let line = comment.strip_prefix("//")?;
        if is_directive(line) {
            directives.push(comment.clone());
        } else {
            text.push_str(line.strip_prefix(' ').unwrap_or(line));
            text.push('\n');
        }
    }
    if text.is_empty() {
        return None;
    }
    let text = reflow(&text);
    let mut out: Vec<String> = text
        .lines()
        .map(|line| match line.as_bytes().first() {
            None => "//".to_string(),
            Some(b'\t') => format!("//{line}"),
            Some(_) => format!("// {line}"),
        })
        .collect();
    if !directives.is_empty() {
        out.push("//".to_string());
        out.extend(directives);
    }
    Some(out)
}

/// Does every line of a `/* … */` begin with a star, as in C?
fn has_stars_only(text: &str) -> bool {
    let mut lines = text.split('\n').skip(1).map(str::trim_start).peekable();
    while let Some(line) = lines.next() {
        let is_last = lines.peek().is_none();
        if !(line.starts_with('*') || is_last && line.is_empty()) {
            return false;
        }
    }
    true
}

/// `//go:noinline`, `//line f:1`: for a tool, given without its slashes.
pub fn is_directive(line: &str) -> bool {
    if ["line ", "extern ", "export "]
        .iter()
        .any(|word| line.starts_with(word))
    {
        return true;
    }
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    match line.split_once(':') {
        Some((tool, rest)) => {
            !tool.is_empty()
                && tool.bytes().all(is_word)
                && rest.bytes().next().is_some_and(is_word)
        }
        None => false,
    }
}

fn reflow(text: &str) -> String {
    let lines = unindented(&text.split('\n').collect::<Vec<_>>());
    let (blocks, links) = parse(&lines);
    let mut out = String::new();
    for (i, block) in blocks.iter().enumerate() {
        let blank_before = match block {
            Block::List {
                blank_before,
                blank_between,
                ..
            } => *blank_before || *blank_between,
            _ => true,
        };
        if i > 0 && blank_before {
            out.push('\n');
        }
        print(block, &mut out);
    }
    let used = used_links(&blocks, &links);
    for wanted in [true, false] {
        let mut first = true;
        for (link, _) in links.iter().zip(&used).filter(|(_, used)| **used == wanted) {
            if std::mem::take(&mut first) {
                out.push('\n');
            }
            out.push_str(&format!("[{}]: {}\n", link.text, link.url));
        }
    }
    out
}

fn print(block: &Block, out: &mut String) {
    match block {
        Block::Paragraph(lines) => {
            out.push_str(&with_quotes(&lines.join("\n")));
            out.push('\n');
        }
        Block::Heading(text) => {
            out.push_str("# ");
            out.push_str(text);
            out.push('\n');
        }
        Block::Code(lines) => {
            for line in lines {
                if !line.is_empty() {
                    out.push('\t');
                    out.push_str(line);
                }
                out.push('\n');
            }
        }
        Block::List {
            entries,
            blank_between,
            ..
        } => {
            for (i, entry) in entries.iter().enumerate() {
                if i > 0 && *blank_between {
                    out.push('\n');
                }
                match entry.number.as_str() {
                    "" => out.push_str("  - "),
                    number => out.push_str(&format!(" {number}. ")),
                }
                for (i, paragraph) in entry.paragraphs.iter().enumerate() {
                    if i > 0 {
                        out.push_str("\n    ");
                    }
                    out.push_str(&with_quotes(&paragraph.join("\n    ")));
                    out.push('\n');
                }
            }
        }
    }
}

/// `` ``quoted'' `` with quotation marks, except in URLs.
fn with_quotes(text: &str) -> String {
    if !text.contains("``") && !text.contains("''") {
        return text.to_string();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let len = if let Some(len) = url_len(rest) {
            out.push_str(&rest[..len]);
            len
        } else if rest.starts_with("```") {
            let len = rest.len() - rest.trim_start_matches('`').len();
            out.push_str(&rest[..len]);
            len
        } else if rest.starts_with("``") {
            out.push('“');
            2
        } else if rest.starts_with("''") {
            out.push('”');
            2
        } else {
            out.push(c);
            c.len_utf8()
        };
        rest = &rest[len..];
    }
    out
}

const SCHEMES: [&str; 7] = ["file", "ftp", "gopher", "http", "https", "mailto", "nntp"];

/// How long the URL is that a text begins with.
fn url_len(text: &str) -> Option<usize> {
    let (scheme, _) = text
        .get(..text.len().min(16))?
        .split_once("://")
        .or_else(|| {
            SCHEMES
                .iter()
                .find(|scheme| {
                    text.strip_prefix(**scheme)
                        .is_some_and(|t| t.starts_with("://"))
                })
                .map(|scheme| (*scheme, ""))
        })?;
    if !SCHEMES.contains(&scheme) {
        return None;
    }
    let is_end = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`');
    Some(text.find(is_end).unwrap_or(text.len()))
}

fn is_indented(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

fn leading_space(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The lines without the white space that all have in front, and without empty ones at the ends;
/// lines of white space are empty.
fn unindented(lines: &[&str]) -> Vec<String> {
    let is_filled = |line: &str| !line.is_empty();
    let Some(start) = lines.iter().position(|line| is_filled(line)) else {
        return Vec::new();
    };
    let end = lines
        .iter()
        .rposition(|line| is_filled(line))
        .map_or(0, |at| at + 1);
    let lines = &lines[start..end];
    let mut prefix = leading_space(lines[0]);
    for line in lines.iter().filter(|line| is_filled(line)) {
        let shared = prefix
            .bytes()
            .zip(leading_space(line).bytes())
            .take_while(|(a, b)| a == b);
        prefix = &prefix[..shared.count()];
    }
    let strip = |line: &&str| match line.trim() {
        "" => String::new(),
        _ => line.strip_prefix(prefix).unwrap_or(line).to_string(),
    };
    let mut out: Vec<String> = lines.iter().map(strip).collect();
    while out.last().is_some_and(String::is_empty) {
        out.pop();
    }
    let empty = out.iter().take_while(|line| line.is_empty()).count();
    out.drain(..empty);
    out
}

/// What a run of lines is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RunKind {
    Code,
    List,
    Heading,
    OldHeading,
    Paragraph,
}

struct Run {
    start: usize,
    end: usize,
    kind: RunKind,
}

/// Splits lines into runs, forgiving what people forget: to indent a list's first lines or the
/// first and last lines of code.
fn runs(lines: &[String]) -> Vec<Run> {
    let is_list = |line: &String| list_marker(line).is_some();
    let mut runs = Vec::new();
    let mut at = 0;
    // Lines before this one count as indented.
    let mut indented_to = 0;
    loop {
        at += lines[at..]
            .iter()
            .take_while(|line| line.is_empty())
            .count();
        let Some(first) = lines.get(at) else {
            return runs;
        };
        let start = at;
        let mut end;
        let kind;
        if at < indented_to || is_indented(first) {
            // A list that is taken for indented goes on over its unindented entries.
            let mut loose_list = is_list(first) && at < indented_to;
            at += 1;
            while let Some(line) = lines.get(at) {
                let goes_on = line.is_empty()
                    || at < indented_to
                    || is_indented(line)
                    || loose_list && is_list(line);
                if !goes_on {
                    break;
                }
                loose_list &= !line.is_empty();
                at += 1;
            }
            end = at;
            while lines[end - 1].is_empty() {
                end -= 1;
            }
            // The closing brace of pasted code.
            if lines.get(end).is_some_and(|line| line.starts_with('}')) {
                end += 1;
            }
            kind = match is_list(first) {
                true => RunKind::List,
                false => RunKind::Code,
            };
        } else {
            let is_text = |line: &&String| !line.is_empty() && !is_indented(line);
            at += 1 + lines[at + 1..].iter().take_while(is_text).count();
            end = at;
            if let Some(next) = lines.get(at)
                && !next.is_empty()
                && !is_list(next)
            {
                // Indented lines follow at once: perhaps what they belong to begins above.
                let last = &lines[at - 1];
                if is_list(last) {
                    indented_to = end;
                    end -= 1;
                    while end > start && is_list(&lines[end - 1]) {
                        end -= 1;
                    }
                } else if last.ends_with('{') || last.ends_with('\\') {
                    indented_to = end;
                    end -= 1;
                }
                if start == end && indented_to > start {
                    at = start;
                    continue;
                }
            }
            kind = match end - start {
                1 if is_heading(first) => RunKind::Heading,
                1 if is_old_heading(lines, start) => RunKind::OldHeading,
                _ => RunKind::Paragraph,
            };
        }
        runs.push(Run { start, end, kind });
        at = end;
    }
}

fn parse(lines: &[String]) -> (Vec<Block>, Vec<LinkDefinition>) {
    let mut blocks = Vec::new();
    let mut links = Vec::new();
    let mut previous_end = 0;
    for Run { start, end, kind } in runs(lines) {
        let own = &lines[start..end];
        match kind {
            RunKind::Code => {
                let own: Vec<&str> = own.iter().map(String::as_str).collect();
                blocks.push(Block::Code(unindented(&own)));
            }
            RunKind::List => blocks.push(parse_list(own, previous_end < start, &mut links)),
            RunKind::Heading => blocks.push(Block::Heading(own[0][1..].trim().to_string())),
            RunKind::OldHeading => blocks.push(Block::Heading(own[0].trim().to_string())),
            RunKind::Paragraph => {
                if let Some(own) = parse_paragraph(own.to_vec(), &mut links) {
                    blocks.push(Block::Paragraph(own));
                }
            }
        }
        previous_end = end;
    }
    (blocks, links)
}

/// `None` when the lines are nothing but link definitions, which are noted.
fn parse_paragraph(lines: Vec<String>, links: &mut Vec<LinkDefinition>) -> Option<Vec<String>> {
    let found: Option<Vec<LinkDefinition>> = lines.iter().map(|l| link_definition(l)).collect();
    match found {
        Some(found) => {
            links.extend(found);
            None
        }
        None => Some(lines),
    }
}

fn link_definition(line: &str) -> Option<LinkDefinition> {
    let (text, rest) = line.strip_prefix('[')?.split_once("]:")?;
    if !is_indented(rest) {
        return None;
    }
    let url = rest.trim();
    let (scheme, _) = url.split_once("://")?;
    SCHEMES.contains(&scheme).then(|| LinkDefinition {
        text: text.to_string(),
        url: url.to_string(),
    })
}

fn parse_list(lines: &[String], blank_before: bool, links: &mut Vec<LinkDefinition>) -> Block {
    let numbered = list_marker(&lines[0]).is_some_and(|(number, _)| !number.is_empty());
    let mut entries: Vec<Entry> = Vec::new();
    let mut blank_between = false;
    let mut text = Vec::new();
    let mut flush = |entries: &mut Vec<Entry>, text: &mut Vec<String>| {
        let text = std::mem::take(text);
        if let Some(entry) = entries.last_mut()
            && let Some(paragraph) = parse_paragraph(text, links)
        {
            entry.paragraphs.push(paragraph);
        }
    };
    for line in lines {
        let mut rest = line.as_str();
        if let Some((number, after)) = list_marker(line)
            && number.is_empty() != numbered
        {
            flush(&mut entries, &mut text);
            entries.push(Entry {
                number: number.to_string(),
                paragraphs: Vec::new(),
            });
            rest = after;
        }
        let rest = rest.trim();
        if rest.is_empty() {
            blank_between = true;
            flush(&mut entries, &mut text);
        } else {
            text.push(rest.to_string());
        }
    }
    flush(&mut entries, &mut text);
    blank_between |= entries.iter().any(|entry| entry.paragraphs.len() != 1);
    Block::List {
        entries,
        blank_before,
        blank_between,
    }
}

/// The number (empty for a bullet) of a list's entry, and what follows.
fn list_marker(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let (number, rest) = match line.strip_prefix(['•', '*', '+', '-']) {
        Some(rest) => ("", rest),
        None => {
            let digits = line.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = line.split_at(digits);
            (
                number,
                rest.strip_prefix(['.', ')']).filter(|_| digits > 0)?,
            )
        }
    };
    (is_indented(rest) && !rest.trim().is_empty()).then_some((number, rest))
}

fn is_heading(line: &str) -> bool {
    line.strip_prefix('#')
        .is_some_and(|rest| is_indented(rest) && !rest.trim().is_empty())
}

/// A heading of the time before `#`: a line of its own between paragraphs that looks like a title.
fn is_old_heading(lines: &[String], at: usize) -> bool {
    let alone = at > 0
        && lines[at - 1].is_empty()
        && at + 2 < lines.len()
        && lines[at + 1].is_empty()
        && !is_indented(&lines[at + 2]);
    let line = lines[at].trim();
    let ends_well = line.ends_with(|c: char| c.is_alphabetic() || c.is_numeric());
    // A quote may only begin a word's final s, a full stop not end a word.
    let quotes = || line.match_indices('\'').map(|(i, _)| &line[i + 1..]);
    let stops = || line.match_indices('.').map(|(i, _)| &line[i + 1..]);
    alone
        && line.starts_with(char::is_uppercase)
        && ends_well
        && !line.contains([
            ';', ':', '!', '?', '+', '*', '/', '=', '[', ']', '{', '}', '_', '^', '°', '&', '§',
            '~', '%', '#', '@', '<', '"', '>', '\\',
        ])
        && quotes().all(|rest| rest == "s" || rest.starts_with("s "))
        && stops().all(|rest| !rest.is_empty() && !rest.starts_with(' '))
}

/// Of each link definition, whether a text refers to it; of several for one text, the first counts.
fn used_links(blocks: &[Block], links: &[LinkDefinition]) -> Vec<bool> {
    let mut used = vec![false; links.len()];
    let mut paragraphs: Vec<String> = Vec::new();
    for block in blocks {
        match block {
            Block::Paragraph(lines) => paragraphs.push(lines.join(" ")),
            Block::List { entries, .. } => {
                let all = entries.iter().flat_map(|entry| &entry.paragraphs);
                paragraphs.extend(all.map(|lines| lines.join(" ")));
            }
            Block::Heading(_) | Block::Code(_) => {}
        }
    }
    for text in paragraphs {
        let mut open = None;
        for (i, b) in text.bytes().enumerate() {
            match b {
                b'[' => open = Some(i),
                b']' => {
                    if let Some(start) = open.take() {
                        let name = text[start + 1..i].replace('\t', " ");
                        if let Some(at) = links.iter().position(|link| link.text == name) {
                            used[at] = true;
                        }
                    }
                }
                _ => {}
            }
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use super::format;

    fn formatted(text: &str) -> String {
        let comments: Vec<String> = text.lines().map(|l| l.trim().to_string()).collect();
        format(&comments).map_or("unchanged".into(), |lines| lines.join("\n"))
    }

    #[test]
    fn lists_headings_code() {
        let got = formatted(
            "// F does:\n// 1) one\n//   more\n// 2) two\n//\n// A Title\n//\n// Text ``so''.\n//   code\n//go:noinline",
        );
        let wanted = "// F does:\n//  1. one\n//     more\n//  2. two\n//\n// # A Title\n//\n// Text “so”.\n//\n//\tcode\n//\n//go:noinline";
        assert_eq!(got, wanted);
    }

    #[test]
    fn links_move_to_the_end() {
        let got = formatted("//[x]: https://x.org\n//\n// See [x].");
        assert_eq!(got, "// See [x].\n//\n// [x]: https://x.org");
    }
}
