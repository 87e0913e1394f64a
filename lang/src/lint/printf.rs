//! Calls of Printf and its like: that format and arguments go together.
use super::Linter;
use crate::codes::Code;
use crate::syntax::ast::*;
use crate::types::ty::{Basic, Ty, TyKind};

/// The functions with a format, and at which argument it is.
const FORMATTERS: [(&str, usize); 8] = [
    ("fmt.Printf", 0),
    ("fmt.Sprintf", 0),
    ("fmt.Errorf", 0),
    ("fmt.Fprintf", 1),
    ("fmt.Appendf", 1),
    ("log.Printf", 0),
    ("log.Fatalf", 0),
    ("log.Panicf", 0),
];

/// One `%…` of a format.
struct Directive {
    verb: char,
    /// As written.
    text: String,
    /// How many `*` take arguments of their own.
    stars: usize,
}

pub(super) fn call(linter: &mut Linter, call: &CallExpr) {
    let name = linter.source(call.callee.span);
    let Some(&(_, at)) = FORMATTERS.iter().find(|(n, _)| *n == name) else {
        return;
    };
    let package = match &call.callee.kind {
        ExprKind::Selector { operand, .. } => operand.span,
        _ => return,
    };
    if !linter.checker.is_package(package) || call.ellipsis.is_some() {
        return;
    }
    let (Some(format), Some(args)) = (call.args.get(at), call.args.get(at + 1..)) else {
        return;
    };
    let ExprKind::Literal(Literal {
        kind: LiteralKind::String,
        text,
    }) = format.kind
    else {
        return;
    };
    // f(g()) spreads g's results.
    if let [ExprKind::Call(_)] = args.iter().map(|a| &a.kind).collect::<Vec<_>>()[..]
        && linter.checker.type_at(args[0].span).is_none()
    {
        return;
    }
    let text = linter.checker.literal_text(text);
    let Some(directives) = parse(&text) else {
        return;
    };
    let mut next = 0;
    for d in directives {
        next += d.stars;
        let arg = args.get(next);
        next += 1;
        let Some(arg) = arg else {
            let count = args.len();
            let message = format!(
                "{name} format {} reads arg #{next}, but call has {count} arg{}",
                d.text,
                if count == 1 { "" } else { "s" }
            );
            linter.warn(Code::Printf, format.span, message);
            return;
        };
        if d.verb == 'w' && name != "fmt.Errorf" {
            let message = format!("{name} does not support error-wrapping directive %w");
            linter.warn(Code::Printf, format.span, message);
            return;
        }
        if !"bcdefgopqstvwxEFGOTUX".contains(d.verb) {
            let message = format!("{name} format {} has unknown verb {}", d.text, d.verb);
            linter.warn(Code::Printf, format.span, message);
            return;
        }
        let Some(ty) = linter.checker.type_at(arg.span) else {
            continue;
        };
        if !fits(linter, ty, &d) {
            let arg_text = linter.source(arg.span);
            let ty = linter.checker.text_of_type(ty);
            let message = format!(
                "{name} format {} has arg {arg_text} of wrong type {ty}",
                d.text
            );
            linter.warn(Code::Printf, arg.span, message);
        }
    }
    if next < args.len() {
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let count = args.len();
        let message = match next {
            0 => format!("{name} call has arguments but no formatting directives"),
            _ => format!(
                "{name} call needs {next} arg{} but has {count} arg{}",
                plural(next),
                plural(count)
            ),
        };
        linter.warn(Code::Printf, args[next].span, message);
    }
}

/// The directives that take arguments; `None` when some name theirs by number.
fn parse(format: &str) -> Option<Vec<Directive>> {
    let mut out = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let text = &rest[at..];
        let mut stars = 0;
        let mut len = 1;
        let mut verb = None;
        for c in text[1..].chars() {
            len += c.len_utf8();
            match c {
                '[' => return None,
                '*' => stars += 1,
                '+' | '-' | '#' | ' ' | '0'..='9' | '.' => {}
                c => {
                    verb = Some(c);
                    break;
                }
            }
        }
        let verb = verb?;
        if verb != '%' {
            out.push(Directive {
                verb,
                text: text[..len].to_string(),
                stars,
            });
        }
        rest = &text[len..];
    }
    Some(out)
}

/// Whether a verb can print a type; of the types that are not looked into, yes.
fn fits(linter: &mut Linter, ty: Ty, d: &Directive) -> bool {
    if matches!(d.verb, 'v' | 'T' | 'p') {
        return true;
    }
    if d.verb == 'w' {
        return linter.checker.is_error(ty);
    }
    let formats = linter.checker.methods_of(ty);
    let has = |name: &str| formats.iter().any(|m| m == name);
    if has("Format") || has("String") || has("Error") {
        return true;
    }
    let TyKind::Basic(basic) = *linter.checker.a.types.under(ty) else {
        return true;
    };
    use Basic::*;
    match basic {
        Bool | UntypedBool => d.verb == 't',
        String | UntypedString => "sqxX".contains(d.verb),
        Float32 | Float64 | UntypedFloat | Complex64 | Complex128 => "beEfFgGxX".contains(d.verb),
        Int | Int8 | Int16 | Int32 | Int64 | Uint | Uint8 | Uint16 | Uint32 | Uint64 | Uintptr
        | UntypedInt | UntypedRune => "bcdoOqxXU".contains(d.verb),
        _ => true,
    }
}
