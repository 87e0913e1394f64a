//! What `pgo test` needs to know of a test file: its package clause, and the tests, benchmarks,
//! fuzz targets and examples that it declares, by the naming rules of Go's package testing.
use crate::diagnostic::Diagnostics;
use crate::source::{SourceMap, Span};
use crate::syntax::ast::{self, DeclKind, ExprKind};
use crate::syntax::symbol::Interner;

/// The test functions of one file, in source order.
#[derive(Debug, Default)]
pub struct TestFile {
    /// Of the package clause; `None` for a script, or where it could not be parsed.
    pub package: Option<String>,
    pub functions: Vec<TestFunction>,
}

#[derive(Debug)]
pub struct TestFunction {
    pub name: String,
    pub kind: TestKind,
}

#[derive(Debug, PartialEq, Eq)]
pub enum TestKind {
    /// `func TestXxx(t *testing.T)`
    Test,
    /// `func BenchmarkXxx(b *testing.B)`
    Benchmark,
    /// `func FuzzXxx(f *testing.F)`
    Fuzz,
    /// `func TestMain(m *testing.M)`
    Main,
    /// `func ExampleXxx()` with what its last comment says it prints; examples without one are
    /// compiled only.
    Example {
        output: Option<String>,
        unordered: bool,
    },
}

/// Looks through a file. What does not parse is left out: compiling it will tell.
///
/// # Errors
/// A function has a test's name, but not a test's parameters: `file:line:column: message`.
pub fn scan(name: &str, text: impl Into<Vec<u8>>) -> Result<TestFile, String> {
    let mut sources = SourceMap::new();
    let file = sources.add(name, text);
    let (mut names, mut diagnostics) = (Interner::new(), Diagnostics::new());
    let file = crate::syntax::parse_file(&sources, file, &mut names, &mut diagnostics);
    let mut found = TestFile {
        package: file.package.map(|p| names.resolve(p.name).to_string()),
        functions: Vec::new(),
    };
    for decl in &file.decls {
        let DeclKind::Func(f) = &decl.kind else {
            continue;
        };
        if f.receiver.is_some() {
            continue;
        }
        let name = names.resolve(f.name.name);
        let takes = |letter| takes_pointer_to(f, letter, &names);
        let (kind, letter) = if name == "TestMain" && !takes("T") {
            (TestKind::Main, "M")
        } else if is_test_name(name, "Test") {
            (TestKind::Test, "T")
        } else if is_test_name(name, "Benchmark") {
            (TestKind::Benchmark, "B")
        } else if is_test_name(name, "Fuzz") {
            (TestKind::Fuzz, "F")
        } else if is_test_name(name, "Example") {
            if let Some(body) = &f.body
                && f.ty.params.is_empty()
                && f.ty.results.is_empty()
            {
                let (output, unordered) = expected_output(&sources, &file.comments, body.span);
                found.functions.push(TestFunction {
                    name: name.to_string(),
                    kind: TestKind::Example { output, unordered },
                });
            }
            continue;
        } else {
            continue;
        };
        if !takes(letter) {
            let param = letter.to_lowercase();
            return Err(format!(
                "{}: wrong signature for {name}, must be: func {name}({param} *testing.{letter})",
                sources.position(f.name.span)
            ));
        }
        found.functions.push(TestFunction {
            name: name.to_string(),
            kind,
        });
    }
    Ok(found)
}

/// `TestXxx`, where `Xxx` does not start with a lower-case letter.
fn is_test_name(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|rest| !rest.chars().next().is_some_and(char::is_lowercase))
}

/// One parameter, of type `*letter` or `*x.letter`; no results, no type parameters.
fn takes_pointer_to(f: &ast::FuncDecl, letter: &str, names: &Interner) -> bool {
    let [param] = &f.ty.params[..] else {
        return false;
    };
    if !f.ty.results.is_empty() || !f.type_params.is_empty() || param.names.len() > 1 {
        return false;
    }
    let ExprKind::Star(pointed) = &param.ty.kind else {
        return false;
    };
    match &pointed.kind {
        ExprKind::Ident(name) => names.resolve(*name) == letter,
        ExprKind::Selector { name, .. } => names.resolve(name.name) == letter,
        _ => false,
    }
}

/// The text after `Output:` or `Unordered output:` in the body's last comment, and whether it was
/// the latter.
fn expected_output(sources: &SourceMap, comments: &[Span], body: Span) -> (Option<String>, bool) {
    let inside = |c: &&Span| body.lo <= c.lo && c.hi <= body.hi;
    let all: Vec<Span> = comments.iter().filter(inside).copied().collect();
    let Some(last) = all.len().checked_sub(1) else {
        return (None, false);
    };
    // Comments that follow one another without an empty line are one.
    let mut first = last;
    while first > 0 {
        let (before, here) = (all[first - 1], all[first]);
        let between = Span {
            lo: before.hi,
            hi: here.lo,
            ..here
        };
        let between = sources.text(between);
        if !between.trim().is_empty() || between.matches('\n').count() > 1 {
            break;
        }
        first -= 1;
    }
    let text = comment_text(all[first..].iter().map(|span| sources.text(*span)));
    let rest = text.trim_start();
    let after = |word: &str| {
        let head = rest.get(..word.len())?;
        head.eq_ignore_ascii_case(word)
            .then(|| rest[word.len()..].to_string())
    };
    if let Some(output) = after("unordered output:") {
        return (Some(output), true);
    }
    (after("output:"), false)
}

/// Comments without their marks: one leading space of each line and spaces at line ends are gone,
/// several empty lines are one.
pub(crate) fn comment_text<'a>(comments: impl Iterator<Item = &'a str>) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for comment in comments {
        if let Some(line) = comment.strip_prefix("//") {
            let is_directive = line
                .split_once(':')
                .is_some_and(|(tool, _)| tool == "go" || tool == "line")
                || line.starts_with("line ");
            if !is_directive {
                lines.push(line.strip_prefix(' ').unwrap_or(line).trim_end());
            }
        } else {
            let inner = comment.strip_prefix("/*").unwrap_or(comment);
            let inner = inner.strip_suffix("*/").unwrap_or(inner);
            lines.extend(inner.split('\n').map(str::trim_end));
        }
    }
    let mut text = String::new();
    for line in lines {
        if !(line.is_empty() && (text.is_empty() || text.ends_with("\n\n"))) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.truncate(text.trim_end().len());
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_test_functions() {
        let text = "package p_test\n\
            func TestA(t *testing.T) {}\nfunc Testa(t *testing.T) {}\nfunc Test(x *T) {}\n\
            func TestMain(m *testing.M) {}\nfunc BenchmarkB(b *testing.B) {}\n\
            func (T) TestM(t *testing.T) {}\nfunc FuzzF(f *testing.F) {}\n";
        let found = scan("a_test.pgo", text).unwrap();
        assert_eq!(found.package.as_deref(), Some("p_test"));
        let names: Vec<_> = found.functions.iter().map(|f| &f.name[..]).collect();
        assert_eq!(names, ["TestA", "Test", "TestMain", "BenchmarkB", "FuzzF"]);
    }

    #[test]
    fn wrong_parameters_are_told() {
        let error = scan("a_test.pgo", "package p\nfunc TestA(t int) {}\n").unwrap_err();
        assert_eq!(
            error,
            "a_test.pgo:2:6: wrong signature for TestA, must be: func TestA(t *testing.T)"
        );
    }

    #[test]
    fn examples_say_what_they_print() {
        let text = "package p\n\
            func ExampleA() {\n\tf()\n\t// note\n\n\t// Output: a\n\t//  b\n}\n\
            func ExampleB() {\n\t// unordered OUTPUT:\n\t// x\n}\n\
            func ExampleC() {\n\t// nothing\n}\n\
            func ExampleD() {\n\t/* Output:\n\ny\n\n\nz */\n}\n";
        let found = scan("a_test.pgo", text).unwrap();
        let kinds: Vec<_> = found.functions.into_iter().map(|f| f.kind).collect();
        let example = |output: Option<&str>, unordered| TestKind::Example {
            output: output.map(str::to_string),
            unordered,
        };
        assert_eq!(
            kinds,
            [
                example(Some(" a\n b\n"), false),
                example(Some("\nx\n"), true),
                example(None, false),
                example(Some("\n\ny\n\nz\n"), false),
            ]
        );
    }
}
