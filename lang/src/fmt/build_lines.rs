//! Build constraints: they move to where they must stand, before the package clause with an empty
//! line behind, and `//go:build` expressions are set in their usual form.

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `//go:build …`
    Go,
    /// `// +build …`, the form of old.
    Plus,
}

/// Which constraint a comment is, if any.
pub fn kind(comment: &str) -> Option<Kind> {
    let behind = |text: &str, word: &str| {
        let rest = text.strip_prefix(word)?;
        (rest.is_empty() || rest.starts_with([' ', '\t'])).then_some(())
    };
    let text = comment.strip_prefix("//")?;
    if behind(text, "go:build").is_some() {
        return Some(Kind::Go);
    }
    behind(text.trim(), "+build").map(|()| Kind::Plus)
}

/// Moves the constraints, which stand on these output lines (from 1), to their place.
pub fn arrange(text: &str, go: &[usize], plus: &[usize]) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let go: Vec<usize> = go.iter().map(|line| line - 1).collect();
    let plus: Vec<usize> = plus.iter().map(|line| line - 1).collect();
    // The last place: behind the last empty line before anything but `//` comments.
    let head = lines.iter().take_while(|line| {
        let line = line.trim_start();
        line.is_empty() || line.starts_with("//")
    });
    let head: Vec<&&str> = head.collect();
    let mut place = head
        .iter()
        .rposition(|line| line.is_empty())
        .map_or(0, |at| at + 1);
    if let Some(&first) = go.first().filter(|first| **first < place) {
        place = first;
    } else if let Some(&first) = plus.first().filter(|first| **first < place) {
        place = first;
    }
    let of = |at: &usize| lines[*at].trim();
    let expression = match &go[..] {
        [] => from_plus_lines(plus.iter().map(of)),
        [one] => parse(&of(one)["//go:build".len()..]),
        _ => None,
    };
    let mut block: Vec<String> = match &expression {
        Some(expression) => vec![format!("//go:build {expression}")],
        None => go.iter().map(|at| of(at).to_string()).collect(),
    };
    block.extend(plus.iter().map(|at| of(at).to_string()));
    block.push(String::new());
    let mut out: Vec<&str> = lines[..place].to_vec();
    out.extend(block.iter().map(String::as_str));
    let is_moved = |at: &usize| go.contains(at) || plus.contains(at);
    // No two empty lines where a constraint was taken away.
    let mut after_moved = true;
    for (at, line) in lines.iter().enumerate().skip(place) {
        if is_moved(&at) {
            after_moved = true;
            continue;
        }
        let doubled = after_moved && line.is_empty() && out.last().is_some_and(|l| l.is_empty());
        if !doubled {
            out.push(line);
        }
        after_moved = false;
    }
    while out.last().is_some_and(|line| line.is_empty()) {
        out.pop();
    }
    out.join("\n") + "\n"
}

/// A constraint's tree.
enum Expression {
    Tag(String),
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
}

use Expression::{And, Not, Or, Tag};

impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let side = |f: &mut std::fmt::Formatter, x: &Expression, in_parens: bool| match in_parens {
            true => write!(f, "({x})"),
            false => write!(f, "{x}"),
        };
        match self {
            Tag(tag) => f.write_str(tag),
            Not(x) => {
                f.write_str("!")?;
                side(f, x, matches!(**x, And(..) | Or(..)))
            }
            And(a, b) => {
                side(f, a, matches!(**a, Or(..)))?;
                f.write_str(" && ")?;
                side(f, b, matches!(**b, Or(..)))
            }
            Or(a, b) => {
                side(f, a, matches!(**a, And(..)))?;
                f.write_str(" || ")?;
                side(f, b, matches!(**b, And(..)))
            }
        }
    }
}

fn parse(text: &str) -> Option<Expression> {
    let mut parser = Parser { rest: text.trim() };
    let expression = parser.or()?;
    parser.rest.is_empty().then_some(expression)
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn take(&mut self, token: &str) -> bool {
        let found = self.rest.strip_prefix(token);
        self.rest = found.map_or(self.rest, str::trim_start);
        found.is_some()
    }

    fn or(&mut self) -> Option<Expression> {
        let mut left = self.and()?;
        while self.take("||") {
            left = Or(Box::new(left), Box::new(self.and()?));
        }
        Some(left)
    }

    fn and(&mut self) -> Option<Expression> {
        let mut left = self.not()?;
        while self.take("&&") {
            left = And(Box::new(left), Box::new(self.not()?));
        }
        Some(left)
    }

    fn not(&mut self) -> Option<Expression> {
        if !self.take("!") {
            return self.atom();
        }
        // Go allows no double negation.
        if self.rest.starts_with('!') {
            return None;
        }
        Some(Not(Box::new(self.atom()?)))
    }

    fn atom(&mut self) -> Option<Expression> {
        if self.take("(") {
            let inner = self.or()?;
            return self.take(")").then_some(inner);
        }
        let is_tag = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let len = self.rest.find(|c| !is_tag(c)).unwrap_or(self.rest.len());
        let (tag, rest) = self.rest.split_at(len);
        self.rest = rest.trim_start();
        (len > 0).then(|| Tag(tag.to_string()))
    }
}

/// Lines are alternatives of words, a word is tags joined by commas; every line must hold.
fn from_plus_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Expression> {
    let word = |word: &str| {
        let tags = word.split(',').map(|tag| match tag.strip_prefix('!') {
            Some(tag) => Not(Box::new(Tag(tag.to_string()))),
            None => Tag(tag.to_string()),
        });
        tags.reduce(|a, b| And(Box::new(a), Box::new(b)))
    };
    let line = |line: &str| {
        let words = line[line.find("+build")? + "+build".len()..].split_whitespace();
        words
            .filter_map(word)
            .reduce(|a, b| Or(Box::new(a), Box::new(b)))
    };
    let all: Option<Vec<Expression>> = lines.map(line).collect();
    all?.into_iter()
        .reduce(|a, b| And(Box::new(a), Box::new(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_set_as_usual() {
        let text = |t| parse(t).map_or("none".to_string(), |x| x.to_string());
        assert_eq!(text("linux&&(amd64||!cgo)"), "linux && (amd64 || !cgo)");
        assert_eq!(text("(a && b) || c"), "(a && b) || c");
        assert_eq!(text("!(a||b)"), "!(a || b)");
        assert_eq!(text("a &&"), "none");
    }

    #[test]
    fn constraints_move_up() {
        let text = "// C\n\npackage p\n\n//go:build linux\n\nvar x int\n";
        let got = arrange(text, &[5], &[]);
        assert_eq!(got, "// C\n\n//go:build linux\n\npackage p\n\nvar x int\n");
        let got = arrange("// +build a b,!c\n\npackage p\n", &[], &[1]);
        assert_eq!(
            got,
            "//go:build a || (b && !c)\n// +build a b,!c\n\npackage p\n"
        );
    }
}
