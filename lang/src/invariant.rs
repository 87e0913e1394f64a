//! What `pgo crashtest` needs: a script's `func Invariant`, as a program of its own. That program initialises the packages,
//! as a restart would, and calls the function instead of `main`; of a script's statements only the declarations run
//! that the function depends on.
use crate::bytecode::program::Program;
use crate::compile::{Failure, compile_from};
use crate::diagnostic::Diagnostics;
use crate::package::PackageSource;
use crate::source::SourceMap;
use crate::syntax::ast::{self, DeclKind, ExprKind, Form};
use crate::syntax::symbol::Interner;

const NAME: &str = "Invariant";
/// Declared beside the program: what it starts with.
const START: &str = "_pgoInvariant";

/// The function as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invariant {
    /// It takes what the program had printed by the time of the crash.
    pub takes_printed: bool,
    gives_error: bool,
    /// It is in a script, which is one file without a package clause.
    in_script: bool,
}

/// Looks for `func Invariant` in a program's files. What does not parse is left out: compiling it will tell.
///
/// # Errors
/// It has other parameters or results than it may have: `file:line:column: message`.
pub fn find(files: &[(String, Vec<u8>)]) -> Result<Option<Invariant>, String> {
    for (name, text) in files {
        let mut sources = SourceMap::new();
        let id = sources.add(name, text.clone());
        let (mut names, mut diagnostics) = (Interner::new(), Diagnostics::new());
        let file = crate::syntax::parse_file(&sources, id, &mut names, &mut diagnostics);
        let found = file.decls.iter().find_map(|decl| match &decl.kind {
            DeclKind::Func(f) if f.receiver.is_none() && names.resolve(f.name.name) == NAME => {
                Some(f)
            }
            _ => None,
        });
        let Some(f) = found else { continue };
        let (takes, gives) = (
            is_at_most_one(&f.ty.params, "string", &names),
            is_at_most_one(&f.ty.results, "error", &names),
        );
        let (Some(takes_printed), Some(gives_error), true) =
            (takes, gives, f.type_params.is_empty())
        else {
            return Err(format!(
                "{}: wrong signature for {NAME}, must be: func {NAME}() error (the result may be left out, and a \
                 parameter of type string gets what the program had printed by the time of the crash)",
                sources.position(f.name.span)
            ));
        };
        return Ok(Some(Invariant {
            takes_printed,
            gives_error,
            in_script: file.form == Form::Script,
        }));
    }
    Ok(None)
}

/// Whether a list is empty (false) or one of this type (true); `None` for anything else.
fn is_at_most_one(list: &[ast::Param], ty: &str, names: &Interner) -> Option<bool> {
    match list {
        [] => Some(false),
        [one] if one.names.len() <= 1 && one.variadic.is_none() => match &one.ty.kind {
            ExprKind::Ident(name) if names.resolve(*name) == ty => Some(true),
            _ => None,
        },
        _ => None,
    }
}

impl Invariant {
    /// Compiles the program that checks the invariant. If it takes what was printed, that is the last of `os.Args`.
    ///
    /// # Errors
    /// All that is wrong with the program.
    pub fn compile(
        self,
        mut files: Vec<(String, Vec<u8>)>,
        dir: &str,
        source: &dyn PackageSource,
    ) -> Result<Program, Failure> {
        let (take, args) = match self.takes_printed {
            true => (
                "printed := os.Args[len(os.Args)-1]; os.Args = os.Args[:len(os.Args)-1]; ",
                "printed",
            ),
            false => ("", ""),
        };
        let call = match self.gives_error {
            true => format!("if err := {NAME}({args}); err != nil {{ panic(err) }}"),
            false => format!("{NAME}({args})"),
        };
        let start = format!("func {START}() {{ {take}{call} }}\n");
        if self.in_script {
            if let Some((_, text)) = files.first_mut() {
                text.extend_from_slice(format!("\n{start}").as_bytes());
            }
        } else {
            let import = if self.takes_printed {
                "import \"os\"; "
            } else {
                ""
            };
            let text = format!("package main; {import}{start}");
            files.push(("invariant".into(), text.into_bytes()));
        }
        compile_from(files, dir, source, START)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Result<Option<Invariant>, String> {
        find(&[("a.pgo".into(), text.as_bytes().to_vec())])
    }

    #[test]
    fn signatures() {
        assert_eq!(found("x := 1\n"), Ok(None));
        let script = found("x := 1\nfunc Invariant() error { return nil }\n").unwrap();
        let script = script.unwrap();
        assert!(script.gives_error && script.in_script && !script.takes_printed);
        let program = found("package main\nfunc Invariant(printed string) {}\n").unwrap();
        let program = program.unwrap();
        assert!(!program.gives_error && !program.in_script && program.takes_printed);
        for bad in [
            "(n int)",
            "(a, b string)",
            "() bool",
            "() (int, error)",
            "(s ...string)",
        ] {
            let error = found(&format!("func Invariant{bad} {{}}\n")).unwrap_err();
            assert!(error.starts_with("a.pgo:1:6: wrong signature"), "{error}");
        }
    }
}
