//! An error that is lost: it is in a variable that hides an outer one of the same name, goes out of scope without anybody
//! having looked at more than whether it is nil, and the outer one is read next.
use super::Linter;
use super::flow::{self, Analysis};
use super::functions::Functions;
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::*;
use rustc_hash::FxHashMap;

/// How much is looked at before the lint gives up, so that no program takes long: bytes of functions, once for each variable
/// that hides another.
const BUDGET_BYTES: u64 = 1 << 27;

/// The variables of a program that hide another one.
pub(super) struct Shadowed {
    /// Where they are declared, and where the one that they hide is.
    pairs: Vec<(Span, Span)>,
    /// Where these variables are named, by their declarations.
    uses: FxHashMap<Span, Vec<Span>>,
    budget_bytes: u64,
}

impl Shadowed {
    pub(super) fn new(linter: &Linter) -> Shadowed {
        let mut pairs = linter.checker.shadowed_errors();
        pairs.sort();
        pairs.dedup();
        let both = pairs.iter().flat_map(|&(inner, outer)| [inner, outer]);
        let mut uses: FxHashMap<Span, Vec<Span>> = both.map(|span| (span, Vec::new())).collect();
        if !pairs.is_empty() {
            for (span, declaration) in linter.checker.object_uses() {
                if let Some(uses) = uses.get_mut(&declaration) {
                    uses.push(span);
                }
            }
        }
        Shadowed {
            pairs,
            uses,
            budget_bytes: BUDGET_BYTES,
        }
    }

    fn uses_of(&self, variable: Span) -> &[Span] {
        self.uses.get(&variable).map_or(&[], Vec::as_slice)
    }
}

pub(super) fn file(
    linter: &mut Linter,
    file: &File,
    functions: &Functions,
    shadowed: &mut Shadowed,
) {
    let own = |pair: &(Span, Span)| pair.0.file == file.id;
    let pairs: Vec<_> = shadowed.pairs.iter().copied().filter(own).collect();
    if pairs.is_empty() {
        return;
    }
    for (inner, outer) in pairs {
        let function = functions.around(inner);
        if functions.around(outer).span != function.span {
            continue;
        }
        let size_bytes = u64::from(function.span.hi - function.span.lo);
        match shadowed.budget_bytes.checked_sub(size_bytes) {
            Some(rest) => shadowed.budget_bytes = rest,
            None => return,
        }
        if let Some(read) = lost(linter, functions, shadowed, (inner, outer)) {
            let name = linter.source(inner);
            let deferred = |f: &Span| f.overlaps(read) && !f.overlaps(inner);
            let reader = match functions.deferred.iter().any(deferred) {
                true => "which is what a deferred function reads",
                false => "which is read next",
            };
            let message = format!("{name} may be lost: it hides an outer {name}, {reader}");
            let warning = linter.warn(Code::ShadowedError, inner, message);
            *warning = warning
                .clone()
                .also(outer, format!("the outer {name}"))
                .also(read, "read here")
                .help(format!(
                    "assign to the outer {name} with =, or give this one another name"
                ));
        }
    }
}

/// Where the outer variable is read when the inner one has been lost.
fn lost(
    linter: &Linter,
    functions: &Functions,
    shadowed: &Shadowed,
    (inner, outer): (Span, Span),
) -> Option<Span> {
    let function = functions.around(inner);
    let mut analysis = Shadow {
        linter,
        functions,
        inner,
        inner_uses: shadowed.uses_of(inner),
        outer,
        outer_uses: shadowed.uses_of(outer),
        is_result: function.results.contains(&outer),
        deferred: None,
        lost: None,
    };
    let addressed = |span| functions.addressed.contains(span);
    if analysis.outer_uses.iter().any(addressed) || analysis.outer_matters() {
        return None;
    }
    if !analysis.is_result {
        let mut deferred = functions.deferred.iter();
        analysis.deferred = deferred.find_map(|literal| analysis.outer_read(*literal));
    }
    let end = Reads::both(analysis.deferred);
    flow::run(&mut analysis, function.stmts, end);
    let lost = analysis.lost;
    // Who hands it on elsewhere has thought of it.
    let asks = |span| functions.assigned.contains(span) || functions.tested.contains(span);
    let is_deferred = lost.is_some() && lost == analysis.deferred;
    lost.filter(|_| is_deferred || analysis.inner_uses.iter().all(asks))
}

/// Reads of the outer variable that may come next.
#[derive(Clone, Default, PartialEq)]
struct Reads {
    /// Before it is assigned to.
    next: Option<Span>,
    /// The same, and before anybody has looked at an error in the inner variable. Where that one is not in scope, as `next`.
    unseen: Option<Span>,
}

impl Reads {
    fn both(read: Option<Span>) -> Reads {
        Reads {
            next: read,
            unseen: read,
        }
    }
}

struct Shadow<'a, 'b> {
    linter: &'a Linter<'b>,
    functions: &'a Functions<'a>,
    /// Where the inner variable is declared.
    inner: Span,
    inner_uses: &'a [Span],
    outer: Span,
    outer_uses: &'a [Span],
    /// The outer one is a named result.
    is_result: bool,
    /// Where a deferred function reads the outer one.
    deferred: Option<Span>,
    lost: Option<Span>,
}

impl Shadow<'_, '_> {
    /// The first use in a place, assignments left out.
    fn read(&self, uses: &[Span], place: Span) -> Option<Span> {
        let first = uses.partition_point(|span| span.lo < place.lo);
        let mut inside = uses[first..].iter().take_while(|s| s.hi <= place.hi);
        inside
            .find(|s| !self.functions.assigned.contains(s))
            .copied()
    }

    fn outer_read(&self, place: Span) -> Option<Span> {
        self.read(self.outer_uses, place)
    }

    /// The state before a place is evaluated.
    fn before(&self, place: Span, after: Reads) -> Reads {
        let read = self.outer_read(place);
        if read.is_some() {
            return Reads::both(read);
        }
        match self.read(self.inner_uses, place) {
            Some(_) => Reads {
                unseen: None,
                ..after
            },
            None => after,
        }
    }

    /// The state before names get new values.
    fn assigned(&mut self, name: Span, after: Reads) -> Reads {
        if name == self.inner {
            self.lost = self.lost.or(after.unseen);
            return Reads::both(after.next);
        }
        if self.inner_uses.binary_search(&name).is_ok() {
            self.lost = self.lost.or(after.unseen);
            return Reads {
                unseen: None,
                ..after
            };
        }
        match name == self.outer || self.outer_uses.binary_search(&name).is_ok() {
            true => Reads::default(),
            false => after,
        }
    }

    /// Of `x == nil` and `x != nil` for one of the variables: is it `==`?
    fn nil_test(&self, expr: &Expr, uses: &[Span]) -> Option<bool> {
        let ExprKind::Binary(b) = &expr.unparen().kind else {
            return None;
        };
        let mut sides = [&b.left, &b.right].into_iter();
        let is_tested = |x: &Expr| {
            let span = x.unparen().span;
            uses.binary_search(&span).is_ok() && self.functions.tested.contains(&span)
        };
        sides.any(is_tested).then_some(b.op == BinaryOp::Equal)
    }

    /// May the outer variable hold an error, where the inner one is declared, that is to be read later? Either nobody has
    /// looked at it yet, or it is known to be one.
    fn outer_matters(&self) -> bool {
        let before = self.outer_uses.partition_point(|s| s.lo < self.inner.lo);
        let is_new = match before.checked_sub(1) {
            Some(last) => self.functions.assigned.contains(&self.outer_uses[last]),
            None => self.functions.assigned.contains(&self.outer),
        };
        let inside = |span: Span| span.lo <= self.inner.lo && self.inner.hi <= span.hi;
        let is_assigned = |between: Span| {
            let first = self.outer_uses.partition_point(|s| s.lo < between.lo);
            let mut uses = self.outer_uses[first..].iter();
            uses.any(|s| s.hi <= between.hi && self.functions.assigned.contains(s))
        };
        let is_error = |s: &&IfStmt| {
            if self.nil_test(&s.cond, self.outer_uses) != Some(true) {
                return inside(s.then.span) && self.outer_read(s.cond.span).is_some();
            }
            let then = s.then.span;
            match &s.otherwise {
                Some(stmt) if inside(stmt.span) => true,
                _ if then.hi <= self.inner.lo => {
                    let ends = s.then.stmts.last().is_some_and(|last| self.ends(last));
                    ends && !is_assigned(then.end().to(self.inner))
                }
                _ => false,
            }
        };
        is_new || self.functions.ifs.iter().any(is_error)
    }

    /// Does the program do more about an error in the inner variable, after a test for nil, than to jump?
    fn handles(&self, test: &Expr, is_equal: bool) -> bool {
        let mut ifs = self.functions.ifs.iter();
        let Some(s) = ifs.find(|s| s.cond.unparen().span == test.span) else {
            return false;
        };
        let acts = |stmt: &Stmt| {
            !matches!(
                stmt.kind,
                StmtKind::Break(_) | StmtKind::Continue(_) | StmtKind::Return(_) | StmtKind::Empty
            )
        };
        match is_equal {
            true => s.otherwise.is_some(),
            false => s.then.stmts.iter().any(acts),
        }
    }

    /// Does control not go on behind the statement?
    fn ends(&self, stmt: &Stmt) -> bool {
        let call = match &stmt.kind {
            StmtKind::Return(_) | StmtKind::Break(_) | StmtKind::Continue(_) => return true,
            StmtKind::Expr(x) => match &x.kind {
                ExprKind::Call(call) => call,
                _ => return false,
            },
            _ => return false,
        };
        let callee = self.linter.source(call.callee.span);
        matches!(&callee[..], "os.Exit" | "runtime.Goexit")
            || self.linter.checker.is_builtin(call.callee.span, "panic")
    }
}

impl Analysis for Shadow<'_, '_> {
    type State = Reads;

    fn join(&mut self, a: Reads, b: Reads) -> Reads {
        Reads {
            next: a.next.or(b.next),
            unseen: a.unseen.or(b.unseen),
        }
    }

    fn simple(&mut self, stmt: &Stmt, after: Reads) -> Reads {
        match &stmt.kind {
            StmtKind::Define { names, .. } => {
                let before = names
                    .iter()
                    .fold(after, |after, name| self.assigned(name.span, after));
                self.before(stmt.span, before)
            }
            StmtKind::Assign { left, .. } => {
                let names = left.iter().filter_map(|x| x.unparen().as_ident());
                let before = names.fold(after, |after, name| self.assigned(name.span, after));
                self.before(stmt.span, before)
            }
            StmtKind::Decl(decl) => {
                let DeclKind::Var(specs) = &decl.kind else {
                    return after;
                };
                specs.iter().rev().fold(after, |after, spec| {
                    let names = spec.names.iter();
                    let before = match spec.values.is_empty() {
                        // Nil.
                        true if names.clone().any(|name| name.span == self.inner) => {
                            Reads::both(after.next)
                        }
                        _ => names.fold(after, |after, name| self.assigned(name.span, after)),
                    };
                    self.before(spec.span, before)
                })
            }
            // A function literal runs later.
            StmtKind::Defer(Expr {
                kind: ExprKind::Call(call),
                ..
            }) if matches!(call.callee.unparen().kind, ExprKind::FuncLit(_)) => {
                let args = call.lparen.to(call.rparen);
                let seen = self.read(self.inner_uses, stmt.span).is_some();
                let before = self.before(args, after);
                match seen {
                    true => Reads {
                        unseen: None,
                        ..before
                    },
                    false => before,
                }
            }
            _ if self.ends(stmt) => self.before(stmt.span, Reads::default()),
            _ => self.before(stmt.span, after),
        }
    }

    fn expr(&mut self, expr: &Expr, after: Reads) -> Reads {
        self.before(expr.span, after)
    }

    fn leave(&mut self, stmt: &Stmt) -> Reads {
        let is_bare = matches!(&stmt.kind, StmtKind::Return(values) if values.is_empty());
        let after = match is_bare && self.is_result {
            true => Reads::both(Some(stmt.span)),
            false => Reads::both(self.deferred),
        };
        let before = self.before(stmt.span, after);
        // The caller sees what is returned, a deferred function does not.
        Reads {
            unseen: before.unseen.or(self.deferred),
            ..before
        }
    }

    fn cond(&mut self, expr: &Expr, yes: Reads, no: Reads) -> Reads {
        match &expr.kind {
            ExprKind::Paren(x) => return self.cond(x, yes, no),
            ExprKind::Unary {
                op: UnaryOp::Not,
                operand,
            } => return self.cond(operand, no, yes),
            ExprKind::Binary(b) if b.op == BinaryOp::LogicalAnd => {
                let both = self.cond(&b.right, yes, no.clone());
                return self.cond(&b.left, both, no);
            }
            ExprKind::Binary(b) if b.op == BinaryOp::LogicalOr => {
                let neither = self.cond(&b.right, yes.clone(), no);
                return self.cond(&b.left, yes, neither);
            }
            _ => {}
        }
        // Only an error can be lost.
        let unseen = match self.nil_test(expr, self.inner_uses) {
            Some(is_equal) if self.handles(expr, is_equal) => Some(None),
            Some(true) => Some(no.unseen),
            Some(false) => Some(yes.unseen),
            None => None,
        };
        let after = self.join(yes, no);
        match unseen {
            Some(unseen) => Reads { unseen, ..after },
            None => self.before(expr.span, after),
        }
    }
}
