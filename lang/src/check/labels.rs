//! Labels and the statements that name them (spec "Labeled statements", "Break statements",
//! "Continue statements", "Goto statements"): all rules that need no types.
use crate::source::Span;
use crate::syntax::ast::{Block, DeclKind, Ident, Stmt, StmtKind};
use crate::syntax::symbol::{Interner, Symbol};

/// A broken rule: where, and Go's message. Positions of other places are rendered by `position`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelError {
    pub span: Span,
    pub message: String,
    pub kind: LabelErrorKind,
    /// Another place that the message speaks of.
    pub other: Option<Span>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LabelErrorKind {
    Unused,
    Undefined,
    Duplicate,
    JumpIntoBlock,
    JumpOverVariable,
    /// `break` or `continue` with or without label where it has no target.
    Misplaced,
}

/// What the rules need to know about the source: names, and `file:line:column` of places.
pub struct Context<'a> {
    pub names: &'a Interner,
    pub position: &'a dyn Fn(Span) -> String,
}

/// What has been found of a body's labels.
pub struct Labels {
    pub errors: Vec<LabelError>,
    /// Where labels are named, and where the same are declared.
    pub uses: Vec<(Span, Span)>,
}

/// Checks one function body (function literals in it are bodies of their own).
pub fn check_labels(body: &[Stmt], span: Span, context: &Context) -> Labels {
    let mut c = Checker {
        context,
        labels: Vec::new(),
        gotos: Vec::new(),
        blocks: vec![BlockInfo { span, parent: None }],
        variables: Vec::new(),
        errors: Vec::new(),
        uses: Vec::new(),
    };
    c.declare(body);
    let around = Around::default();
    c.list(body, 0, &around);
    c.jumps();
    for l in &c.labels {
        if !l.used && context.names.resolve(l.ident.name) != "_" {
            let name = context.names.resolve(l.ident.name);
            c.errors.push(LabelError {
                span: l.ident.span,
                message: format!("label {name} defined and not used"),
                kind: LabelErrorKind::Unused,
                other: None,
            });
        }
    }
    c.errors.sort_by_key(|e| e.span.lo);
    Labels {
        errors: c.errors,
        uses: c.uses,
    }
}

struct Label {
    ident: Ident,
    block: usize,
    used: bool,
}

struct BlockInfo {
    span: Span,
    parent: Option<usize>,
}

struct Goto {
    target: Ident,
    block: usize,
}

/// A variable declaration: what it declares, where, and the block it belongs to.
struct Variable {
    names: String,
    span: Span,
    block: usize,
}

/// The statements around one that `break` and `continue` may leave.
#[derive(Clone, Default)]
struct Around {
    in_loop: bool,
    in_breakable: bool,
    /// Enclosing labelled statements: name, is it a loop, may it be broken?
    labels: Vec<(Symbol, bool, bool)>,
}

struct Checker<'a> {
    context: &'a Context<'a>,
    labels: Vec<Label>,
    gotos: Vec<Goto>,
    blocks: Vec<BlockInfo>,
    variables: Vec<Variable>,
    errors: Vec<LabelError>,
    uses: Vec<(Span, Span)>,
}

impl Checker<'_> {
    fn error(&mut self, kind: LabelErrorKind, span: Span, message: String, other: Option<Span>) {
        self.errors.push(LabelError {
            span,
            message,
            kind,
            other,
        });
    }

    fn name(&self, s: Symbol) -> String {
        self.context.names.resolve(s).to_string()
    }

    /// Enters all labels of the body, wherever they stand; blocks come later.
    fn declare(&mut self, stmts: &[Stmt]) {
        for s in stmts {
            if let StmtKind::Labeled { label, .. } = &s.kind {
                self.declare_label(*label);
            }
            each_body(s, &mut |inner| self.declare(inner));
        }
    }

    fn declare_label(&mut self, ident: Ident) {
        let name = self.name(ident.name);
        if name == "_" {
            return;
        }
        if let Some(first) = self.labels.iter().find(|l| l.ident.name == ident.name) {
            let other = first.ident.span;
            let at = (self.context.position)(other);
            let message = format!("label {name} already defined at {at}");
            return self.error(LabelErrorKind::Duplicate, ident.span, message, Some(other));
        }
        self.uses.push((ident.span, ident.span));
        self.labels.push(Label {
            ident,
            block: 0,
            used: false,
        });
    }

    fn list(&mut self, stmts: &[Stmt], block: usize, around: &Around) {
        for s in stmts {
            self.stmt(s, None, block, around);
        }
    }

    fn block(&mut self, stmts: &[Stmt], span: Span, parent: usize, around: &Around) {
        let block = self.blocks.len();
        self.blocks.push(BlockInfo {
            span,
            parent: Some(parent),
        });
        self.list(stmts, block, around);
    }

    fn braces(&mut self, b: &Block, parent: usize, around: &Around) {
        self.block(&b.stmts, b.span, parent, around);
    }

    fn stmt(&mut self, s: &Stmt, label: Option<Symbol>, block: usize, around: &Around) {
        let mut inner = around.clone();
        let mut enter = |is_loop: bool| {
            inner.in_breakable = true;
            inner.in_loop |= is_loop;
            inner.labels.extend(label.map(|l| (l, is_loop, true)));
        };
        match &s.kind {
            StmtKind::Decl(d) => {
                if let DeclKind::Var(specs) = &d.kind
                    && let Some(first) = specs.first().and_then(|s| s.names.first())
                {
                    self.variables.push(Variable {
                        names: self.name(first.name),
                        span: first.span,
                        block,
                    });
                }
            }
            StmtKind::Define { names, op_span, .. } => {
                let names: Vec<String> = names.iter().map(|n| self.name(n.name)).collect();
                self.variables.push(Variable {
                    names: names.join(", "),
                    span: *op_span,
                    block,
                });
            }
            StmtKind::Labeled { label, stmt } => {
                let own = self.labels.iter_mut().find(|l| l.ident == *label);
                if let Some(l) = own {
                    l.block = block;
                }
                self.stmt(stmt, Some(label.name), block, around);
            }
            StmtKind::Break(None) if !around.in_breakable => {
                let message = "break is not in a loop, switch, or select".into();
                self.error(LabelErrorKind::Misplaced, s.span, message, None);
            }
            StmtKind::Continue(None) if !around.in_loop => {
                let message = "continue is not in a loop".into();
                self.error(LabelErrorKind::Misplaced, s.span, message, None);
            }
            StmtKind::Break(Some(l)) => self.labelled(*l, "break", around),
            StmtKind::Continue(Some(l)) => self.labelled(*l, "continue", around),
            StmtKind::Goto(target) => self.gotos.push(Goto {
                target: *target,
                block,
            }),
            StmtKind::Block(b) => {
                inner.labels.extend(label.map(|l| (l, false, false)));
                self.braces(b, block, &inner);
            }
            StmtKind::Txn(t) => {
                inner.labels.extend(label.map(|l| (l, false, false)));
                self.braces(&t.body, block, &inner);
            }
            StmtKind::If(i) => {
                inner.labels.extend(label.map(|l| (l, false, false)));
                self.braces(&i.then, block, &inner);
                if let Some(other) = &i.otherwise {
                    self.stmt(other, None, block, &inner);
                }
            }
            StmtKind::For(f) => {
                enter(true);
                self.braces(&f.body, block, &inner);
            }
            StmtKind::Range(r) => {
                enter(true);
                self.braces(&r.body, block, &inner);
            }
            StmtKind::Switch(sw) => {
                enter(false);
                for c in &sw.cases {
                    self.block(&c.body, c.span, block, &inner);
                }
            }
            StmtKind::TypeSwitch(sw) => {
                enter(false);
                for c in &sw.cases {
                    self.block(&c.body, c.span, block, &inner);
                }
            }
            StmtKind::Select(sel) => {
                enter(false);
                for c in &sel.cases {
                    self.block(&c.body, c.span, block, &inner);
                }
            }
            _ => {}
        }
    }

    fn labelled(&mut self, l: Ident, word: &str, around: &Around) {
        let name = self.name(l.name);
        let around = around.labels.iter().rev().find(|(n, ..)| *n == l.name);
        let declared = self.labels.iter_mut().find(|d| d.ident.name == l.name);
        let Some(declared) = declared else {
            let message = match word {
                "break" => format!("break label not defined: {name}"),
                _ => format!("continue label not defined: {name}"),
            };
            return self.error(LabelErrorKind::Undefined, l.span, message, None);
        };
        declared.used = true;
        self.uses.push((l.span, declared.ident.span));
        let fits = around.is_some_and(|(_, is_loop, breakable)| match word {
            "break" => *breakable,
            _ => *is_loop,
        });
        if !fits {
            let message = format!("invalid {word} label {name}");
            self.error(LabelErrorKind::Misplaced, l.span, message, None);
        }
    }

    fn jumps(&mut self) {
        for g in std::mem::take(&mut self.gotos) {
            let name = self.name(g.target.name);
            let at = g.target.span;
            let found = self
                .labels
                .iter_mut()
                .find(|l| l.ident.name == g.target.name);
            let Some(label) = found else {
                let message = format!("label {name} not defined");
                self.error(LabelErrorKind::Undefined, at, message, None);
                continue;
            };
            label.used = true;
            self.uses.push((at, label.ident.span));
            let (block, label) = (label.block, label.ident.span);
            let mut outer = Some(g.block);
            while let Some(b) = outer.filter(|b| *b != block) {
                outer = self.blocks[b].parent;
            }
            if outer.is_none() {
                let start = self.blocks[block].span.start();
                let place = (self.context.position)(start);
                let message = format!("goto {name} jumps into block starting at {place}");
                self.error(LabelErrorKind::JumpIntoBlock, at, message, Some(start));
                continue;
            }
            // Forward jumps must not skip declarations of the label's block.
            let skipped = self
                .variables
                .iter()
                .find(|v| v.block == block && at.lo < v.span.lo && v.span.lo < label.lo);
            if let Some(v) = skipped {
                let (span, place) = (v.span, (self.context.position)(v.span));
                let message = format!(
                    "goto {name} jumps over declaration of {} at {place}",
                    v.names
                );
                self.error(LabelErrorKind::JumpOverVariable, at, message, Some(span));
            }
        }
    }
}

/// Calls `f` for each statement list directly within a statement.
fn each_body(s: &Stmt, f: &mut dyn FnMut(&[Stmt])) {
    match &s.kind {
        StmtKind::Labeled { stmt, .. } => f(std::slice::from_ref(stmt)),
        StmtKind::Block(b) => f(&b.stmts),
        StmtKind::Txn(t) => f(&t.body.stmts),
        StmtKind::If(i) => {
            f(&i.then.stmts);
            if let Some(other) = &i.otherwise {
                f(std::slice::from_ref(other));
            }
        }
        StmtKind::For(l) => f(&l.body.stmts),
        StmtKind::Range(l) => f(&l.body.stmts),
        StmtKind::Switch(s) => s.cases.iter().for_each(|c| f(&c.body)),
        StmtKind::TypeSwitch(s) => s.cases.iter().for_each(|c| f(&c.body)),
        StmtKind::Select(s) => s.cases.iter().for_each(|c| f(&c.body)),
        _ => {}
    }
}
