//! What a transaction does besides its stores stays done when it is rolled back, or when a crash comes before its commit.
use super::Linter;
use super::functions::Functions;
use super::walk::{Place, Visitor, walk_file};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::*;

/// Functions with an effect on the world, by their packages.
const FUNCTIONS: [(&str, &str); 4] = [
    ("fmt", "Print Printf Println"),
    (
        "os",
        "Chmod Chown Chtimes CopyFS Create CreateTemp Lchown Link Mkdir MkdirAll MkdirTemp Remove RemoveAll Rename \
         StartProcess Symlink Truncate WriteFile",
    ),
    (
        "net",
        "Dial DialIP DialTCP DialTimeout DialUDP DialUnix Listen ListenPacket ListenTCP ListenUDP ListenUnix",
    ),
    ("time", "Sleep"),
];

/// Types and those of their methods that have one.
const METHODS: [(&str, &str); 4] = [
    (
        "*os.File",
        "Chmod Chown ReadFrom Truncate Write WriteAt WriteString",
    ),
    ("*os.Process", "Kill Signal"),
    ("*exec.Cmd", "CombinedOutput Output Run Start"),
    (CONNECTION, "Write WriteTo WriteToUDP WriteToUnix"),
];

const CONNECTION: &str = "net.Conn *net.TCPConn *net.UDPConn *net.UnixConn net.PacketConn";

pub(super) fn file(linter: &mut Linter, file: &File, functions: &Functions) {
    walk_file(&mut Effects { linter, functions }, file);
}

struct Effects<'a, 'b> {
    linter: &'a mut Linter<'b>,
    functions: &'a Functions<'a>,
}

impl Visitor<'_> for Effects<'_, '_> {
    fn stmt(&mut self, stmt: &Stmt, place: Place) {
        if let StmtKind::Send { channel, .. } = &stmt.kind
            && place == Place::Txn
        {
            self.on_channel(channel, stmt.span, "a value is sent");
        }
    }

    fn expr(&mut self, expr: &Expr, place: Place) {
        if let ExprKind::Call(call) = &expr.kind
            && place == Place::Txn
        {
            match (&call.args[..], call.callee.span) {
                ([channel], callee) if self.linter.checker.is_builtin(callee, "close") => {
                    self.on_channel(channel, expr.span, "a channel is closed");
                }
                _ => self::call(self.linter, expr, call),
            }
        }
    }

    fn runs_in_txn(&self, call: &CallExpr) -> bool {
        self.linter.runs_in_txn(call)
    }
}

impl Effects<'_, '_> {
    /// A transaction's own channel is its own business.
    fn on_channel(&mut self, channel: &Expr, span: Span, what: &str) {
        let txn = self.functions.txn_around(span);
        let variable = self.linter.variable(channel);
        if let (Some(txn), Some(declared)) = (txn, variable)
            && txn.overlaps(declared)
        {
            return;
        }
        let message = format!("{what} in a transaction even if it is rolled back");
        let warning = self.linter.warn(Code::EffectInTxn, span, message);
        *warning = warning
            .clone()
            .help("do it behind the transaction, or in a function that pmem.OnCommit is given");
    }
}

fn call(linter: &mut Linter, expr: &Expr, call: &CallExpr) {
    let ExprKind::Selector { operand, name } = &call.callee.kind else {
        return;
    };
    let (of, function) = (linter.source(operand.span), linter.source(name.span));
    let callee = format!("{of}.{function}");
    let span = Span {
        hi: call.lparen.lo,
        ..expr.span
    };
    let (of, writer) = match linter.checker.is_package(operand.span) {
        true if of == "fmt" && function.starts_with("Fprint") => match call.args.first() {
            Some(writer) => (type_of(linter, writer), Some(linter.source(writer.span))),
            None => return,
        },
        true => (of, None),
        false => (type_of(linter, operand), Some(of)),
    };
    let has = |(types, names): &&(&str, &str), function| {
        types.split(' ').any(|t| t == of) && names.split(' ').any(|n| n == function)
    };
    let function = if function.starts_with("Fprint") {
        "Write"
    } else {
        &function
    };
    let known = match &writer {
        Some(_) => METHODS.iter().any(|row| has(&row, function)),
        None => FUNCTIONS.iter().any(|row| has(&row, function)),
    };
    if !known {
        return;
    }
    let prints = of == "fmt" || matches!(writer.as_deref(), Some("os.Stdout" | "os.Stderr"));
    if prints {
        let message = format!("{callee} in a transaction prints even if it is rolled back");
        let warning = linter.warn(Code::PrintInTxn, span, message);
        *warning = warning
            .clone()
            .help("print behind the transaction, or in a function that pmem.OnCommit is given");
    } else if callee == "time.Sleep" {
        let message = "time.Sleep in a transaction panics: nothing else runs meanwhile";
        let warning = linter.warn(Code::EffectInTxn, span, message);
        *warning = warning.clone().help("wait behind the transaction");
    } else {
        let message = format!("{callee} in a transaction is not undone if it is rolled back");
        let warning = linter.warn(Code::EffectInTxn, span, message);
        *warning = warning
            .clone()
            .help("call it behind the transaction, or in a function that pmem.OnCommit is given");
    }
}

fn type_of(linter: &Linter, x: &Expr) -> String {
    let ty = linter.checker.type_at(x.span);
    ty.map_or_else(String::new, |ty| linter.checker.text_of_type(ty))
}
