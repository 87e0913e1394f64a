//! Build constraints of the files of a package folder (`go help buildconstraint`): which of them belong to
//! the platform that pgo presents, Linux on x86-64. Files named on the command line are taken as they are.

const SYSTEMS: &[&str] = &[
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "wasip1",
    "windows",
    "zos",
];
const PROCESSORS: &[&str] = &[
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "arm64",
    "armbe",
    "arm64be",
    "loong64",
    "mips",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "mipsle",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];
/// The newest `go1.N` that holds.
const GO_MINOR: u32 = 27;

fn holds(tag: &str) -> bool {
    matches!(tag, "linux" | "amd64" | "unix" | "gc" | "purego")
        || tag
            .strip_prefix("go1.")
            .and_then(|minor| minor.parse().ok())
            .is_some_and(|minor: u32| minor <= GO_MINOR)
}

/// Does a file of this name (without its extension) and text belong to the package?
pub fn is_met(stem: &str, text: &[u8]) -> bool {
    name_is_met(stem) && text_is_met(&String::from_utf8_lossy(text))
}

/// `NAME_SYSTEM`, `NAME_PROCESSOR`, `NAME_SYSTEM_PROCESSOR`, where there is a NAME.
fn name_is_met(stem: &str) -> bool {
    let mut parts = stem.split('_').skip(1).collect::<Vec<_>>();
    let mut met = true;
    if let Some(last) = parts.last()
        && PROCESSORS.contains(last)
    {
        met &= holds(last);
        parts.pop();
    }
    if let Some(last) = parts.last()
        && SYSTEMS.contains(last)
    {
        met &= holds(last);
    }
    met
}

/// The `//go:build` line before the package clause, else all `// +build` lines there.
fn text_is_met(text: &str) -> bool {
    let mut old = true;
    let mut in_comment = false;
    for line in text.lines().map(str::trim) {
        if in_comment || line.starts_with("/*") {
            in_comment = !line.contains("*/");
            continue;
        }
        if let Some(expr) = line.strip_prefix("//go:build ") {
            return Expr::new(expr).or();
        }
        if let Some(options) = line
            .strip_prefix("//")
            .and_then(|rest| rest.trim_start().strip_prefix("+build "))
        {
            old &= options.split_whitespace().any(|option| {
                option.split(',').all(|term| match term.strip_prefix('!') {
                    Some(tag) => !holds(tag),
                    None => holds(term),
                })
            });
        } else if !line.is_empty() && !line.starts_with("//") {
            break;
        }
    }
    old
}

/// Evaluates `a && (b || !c)`; what is malformed counts as met, so that the compiler sees the file.
struct Expr<'a> {
    rest: &'a str,
}

impl<'a> Expr<'a> {
    fn new(text: &'a str) -> Expr<'a> {
        Expr { rest: text }
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn or(&mut self) -> bool {
        let mut value = self.and();
        while self.eat("||") {
            value |= self.and();
        }
        value
    }

    fn and(&mut self) -> bool {
        let mut value = self.not();
        while self.eat("&&") {
            value &= self.not();
        }
        value
    }

    fn not(&mut self) -> bool {
        let mut negated = false;
        while self.eat("!") {
            negated = !negated;
        }
        let value = if self.eat("(") {
            let inner = self.or();
            self.eat(")");
            inner
        } else {
            let rest = self.rest.trim_start();
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.'))
                .unwrap_or(rest.len());
            self.rest = &rest[end..];
            end == 0 || holds(&rest[..end])
        };
        value != negated
    }
}

#[cfg(test)]
mod tests {
    use super::is_met;

    #[test]
    fn names_and_lines_choose_files() {
        for (stem, text, met) in [
            ("a", "package a", true),
            ("linux", "package a", true),
            ("windows", "package a", true),
            ("a_windows", "package a", false),
            ("a_linux", "package a", true),
            ("a_linux_arm64", "package a", false),
            ("a_b_amd64", "package a", true),
            ("a", "//go:build ignore\n\npackage a", false),
            (
                "a",
                "// Words.\n\n//go:build linux && !cgo\npackage a",
                true,
            ),
            (
                "a",
                "//go:build (windows || darwin) && amd64\npackage a",
                false,
            ),
            ("a", "//go:build !(go1.99) && go1.18\npackage a", true),
            ("a", "// +build darwin linux,amd64\n\npackage a", true),
            ("a", "// +build !windows\n// +build arm\n\npackage a", false),
            ("a", "package a\n//go:build ignore", true),
        ] {
            assert_eq!(is_met(stem, text.as_bytes()), met, "{stem}: {text}");
        }
    }
}
