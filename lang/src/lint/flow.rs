//! What may still happen from a place on: an analysis of one function's statements, from their end to their beginning.
use crate::syntax::ast::*;
use crate::syntax::symbol::Symbol;
use rustc_hash::FxHashMap;

/// What an analysis says of single steps; each gives the state before from the one after.
pub(super) trait Analysis {
    /// The default is that of a place that is not reached, or from which nothing of interest is.
    type State: Clone + Default + PartialEq;

    /// The state where control goes on in either of two ways. It must grow only: joining again changes nothing.
    fn join(&mut self, a: Self::State, b: Self::State) -> Self::State;

    /// A statement without statements in it, other than jumps.
    fn simple(&mut self, stmt: &Stmt, after: Self::State) -> Self::State;

    fn expr(&mut self, expr: &Expr, after: Self::State) -> Self::State;

    /// The state before a return.
    fn leave(&mut self, stmt: &Stmt) -> Self::State;

    fn cond(&mut self, expr: &Expr, yes: Self::State, no: Self::State) -> Self::State {
        let after = self.join(yes, no);
        self.expr(expr, after)
    }
}

/// A statement that jumps may name.
struct Target<S> {
    label: Option<Symbol>,
    /// Where `break` goes on.
    end: S,
    /// Where `continue` of a loop goes on.
    next: Option<S>,
}

struct Flow<'a, A: Analysis> {
    analysis: &'a mut A,
    targets: Vec<Target<A::State>>,
    /// The states where rounds of loops begin, by the loop's place, as far as they are known.
    heads: FxHashMap<u32, A::State>,
    changed: bool,
}

/// The state before a function's statements, of the one behind them. Jumps by `goto` lead to the default.
pub(super) fn run<A: Analysis>(analysis: &mut A, stmts: &[Stmt], end: A::State) -> A::State {
    let mut flow = Flow {
        analysis,
        targets: Vec::new(),
        heads: FxHashMap::default(),
        changed: true,
    };
    let mut start = end.clone();
    // All loops at once: one after the other would take time exponential in how deep they nest.
    while flow.changed {
        flow.changed = false;
        start = flow.list(stmts, end.clone());
    }
    start
}

impl<A: Analysis> Flow<'_, A> {
    fn list(&mut self, stmts: &[Stmt], after: A::State) -> A::State {
        let reversed = stmts.iter().rev();
        reversed.fold(after, |after, stmt| self.stmt(stmt, after, None))
    }

    fn optional(&mut self, stmt: &Option<Box<Stmt>>, after: A::State) -> A::State {
        match stmt {
            Some(stmt) => self.stmt(stmt, after, None),
            None => after,
        }
    }

    /// A list that `break`, and in a loop `continue`, may leave.
    fn body(&mut self, stmts: &[Stmt], after: A::State, target: Target<A::State>) -> A::State {
        self.targets.push(target);
        let before = self.list(stmts, after);
        self.targets.pop();
        before
    }

    fn jump(&self, label: &Option<Ident>, is_continue: bool) -> A::State {
        let mut targets = self.targets.iter().rev();
        let target = targets.find(|t| match label {
            Some(label) => t.label == Some(label.name),
            None => !is_continue || t.next.is_some(),
        });
        let place = target.and_then(|t| match is_continue {
            true => t.next.clone(),
            false => Some(t.end.clone()),
        });
        place.unwrap_or_default()
    }

    /// A loop: `round` gives the state where a round begins from the one where the next one does.
    fn rounds(
        &mut self,
        stmt: &Stmt,
        round: impl FnOnce(&mut Self, A::State) -> A::State,
    ) -> A::State {
        let known = self.heads.get(&stmt.span.lo).cloned().unwrap_or_default();
        let head = round(self, known.clone());
        let head = self.analysis.join(known.clone(), head);
        if head != known {
            self.changed = true;
            self.heads.insert(stmt.span.lo, head.clone());
        }
        head
    }

    fn stmt(&mut self, stmt: &Stmt, after: A::State, label: Option<Symbol>) -> A::State {
        match &stmt.kind {
            StmtKind::Labeled { label, stmt } => self.stmt(stmt, after, Some(label.name)),
            StmtKind::Return(_) => self.analysis.leave(stmt),
            StmtKind::Break(label) => self.jump(label, false),
            StmtKind::Continue(label) => self.jump(label, true),
            StmtKind::Goto(_) => A::State::default(),
            StmtKind::Block(block) => self.list(&block.stmts, after),
            StmtKind::Txn(s) => self.list(&s.body.stmts, after),
            StmtKind::If(s) => {
                let no = self.optional(&s.otherwise, after.clone());
                let yes = self.list(&s.then.stmts, after);
                let before = self.analysis.cond(&s.cond, yes, no);
                self.optional(&s.init, before)
            }
            StmtKind::For(s) => {
                let head = self.rounds(stmt, |flow, head| {
                    let next = flow.optional(&s.post, head);
                    let target = Target {
                        label,
                        end: after.clone(),
                        next: Some(next.clone()),
                    };
                    let body = flow.body(&s.body.stmts, next, target);
                    match &s.cond {
                        Some(cond) => flow.analysis.cond(cond, body, after),
                        None => body,
                    }
                });
                self.optional(&s.init, head)
            }
            StmtKind::Range(s) => {
                let head = self.rounds(stmt, |flow, head| {
                    let target = Target {
                        label,
                        end: after.clone(),
                        next: Some(head.clone()),
                    };
                    let body = flow.body(&s.body.stmts, head, target);
                    flow.analysis.join(body, after)
                });
                self.analysis.expr(&s.operand, head)
            }
            StmtKind::Switch(s) => {
                let before = self.cases(&s.cases, s.tag.is_none(), after, label);
                let before = match &s.tag {
                    Some(tag) => self.analysis.expr(tag, before),
                    None => before,
                };
                self.optional(&s.init, before)
            }
            StmtKind::TypeSwitch(s) => {
                let before = self.cases(&s.cases, false, after, label);
                let before = self.analysis.expr(&s.operand, before);
                self.optional(&s.init, before)
            }
            StmtKind::Select(s) => {
                let mut before = A::State::default();
                for case in &s.cases {
                    let target = Target {
                        label,
                        end: after.clone(),
                        next: None,
                    };
                    let body = self.body(&case.body, after.clone(), target);
                    let case = match &case.comm {
                        Some(comm) => self.stmt(comm, body, None),
                        None => body,
                    };
                    before = self.analysis.join(before, case);
                }
                before
            }
            StmtKind::Bad | StmtKind::Empty | StmtKind::Fallthrough => after,
            _ => self.analysis.simple(stmt, after),
        }
    }

    /// The cases of a switch; without a tag they are conditions, looked at one after the other.
    fn cases(
        &mut self,
        cases: &[CaseClause],
        conditions: bool,
        after: A::State,
        label: Option<Symbol>,
    ) -> A::State {
        let mut bodies: Vec<A::State> = Vec::new();
        for case in cases.iter().rev() {
            let falls = matches!(
                case.body.last().map(|stmt| &stmt.kind),
                Some(StmtKind::Fallthrough)
            );
            let end = match bodies.last() {
                Some(next) if falls => next.clone(),
                _ => after.clone(),
            };
            let target = Target {
                label,
                end: after.clone(),
                next: None,
            };
            let body = self.body(&case.body, end, target);
            bodies.push(body);
        }
        bodies.reverse();
        let default = cases.iter().position(|case| case.is_default);
        let mut before = default.map_or(after, |i| bodies[i].clone());
        for (case, body) in cases.iter().zip(bodies).rev() {
            for expr in case.exprs.iter().rev() {
                before = match conditions {
                    true => self.analysis.cond(expr, body.clone(), before),
                    false => self.analysis.join(body.clone(), before),
                };
            }
        }
        before
    }
}
