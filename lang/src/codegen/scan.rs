//! Questions about bodies that are asked before code is made: which locals are assigned, mentioned,
//! indexed by a variable; does an expression call.
use crate::tir::*;

/// A part of an expression.
pub enum Part<'e> {
    Expr(&'e Expr),
    Stmts(&'e [Stmt]),
}

/// The direct parts of an expression.
pub fn parts<'e>(e: &'e Expr, f: &mut dyn FnMut(Part<'e>)) {
    let mut one = |x: &'e Expr| f(Part::Expr(x));
    match &e.kind {
        ExprKind::Const(_)
        | ExprKind::Zero
        | ExprKind::Local(_)
        | ExprKind::Global(_)
        | ExprKind::Func(_)
        | ExprKind::Closure(_)
        | ExprKind::Recover => {}
        ExprKind::Unary(_, x)
        | ExprKind::Field(x, _)
        | ExprKind::Deref(x)
        | ExprKind::AddrOf(x)
        | ExprKind::TypeAssert(x, ..)
        | ExprKind::IsType(x, _)
        | ExprKind::Convert(_, x)
        | ExprKind::Len(x)
        | ExprKind::Cap(x)
        | ExprKind::Clear(x)
        | ExprKind::Persist(x)
        | ExprKind::Real(x)
        | ExprKind::Imag(x)
        | ExprKind::Panic(x)
        | ExprKind::Close(x)
        | ExprKind::Recv(x, _)
        | ExprKind::PmemRoot(x)
        | ExprKind::Data(x)
        | ExprKind::PmemLookup(x) => one(x),
        ExprKind::Binary(_, a, b)
        | ExprKind::Compare(_, a, b)
        | ExprKind::AndAnd(a, b)
        | ExprKind::OrOr(a, b)
        | ExprKind::Index(a, b)
        | ExprKind::MapIndex(a, b, _)
        | ExprKind::AppendSlice(a, b)
        | ExprKind::Copy(a, b)
        | ExprKind::Delete(a, b)
        | ExprKind::Raw(a, b)
        | ExprKind::Complex(a, b) => {
            one(a);
            one(b);
        }
        ExprKind::Call(callee, args) => {
            match callee {
                Callee::Static(_) => {}
                Callee::Value(x) | Callee::Interface(x, _) | Callee::Param(x, _) => one(x),
            }
            args.iter().for_each(one);
        }
        ExprKind::Slice(a, x, y, z) => {
            one(a);
            [x, y, z].into_iter().flatten().for_each(|x| one(x));
        }
        ExprKind::StructLit(fs) => fs.iter().for_each(|x| one(&x.1)),
        ExprKind::ArrayLit(fs) | ExprKind::SliceLit(_, fs) => fs.iter().for_each(|x| one(&x.1)),
        ExprKind::MapLit(es) => es.iter().for_each(|(k, v)| {
            one(k);
            one(v);
        }),
        ExprKind::Append(s, es) => {
            one(s);
            es.iter().for_each(one);
        }
        ExprKind::Min(es) | ExprKind::Max(es) | ExprKind::Print(es, _) | ExprKind::Tuple(es) => {
            es.iter().for_each(one)
        }
        ExprKind::New(_, x) | ExprKind::MakeMap(_, x) | ExprKind::MakeChan(x) => {
            if let Some(x) = x {
                one(x);
            }
        }
        ExprKind::MakeSlice(_, x, y) => {
            one(x);
            if let Some(y) = y {
                one(y);
            }
        }
        ExprKind::Seq(stmts, x) => {
            one(x);
            f(Part::Stmts(stmts));
        }
    }
}

/// The direct operands of an expression that has no statements in it.
pub fn operands(e: &Expr) -> Vec<&Expr> {
    let mut list = Vec::new();
    parts(e, &mut |p| {
        if let Part::Expr(x) = p {
            list.push(x);
        }
    });
    list
}

/// The expressions and statement lists directly in a statement; `target` for what is assigned.
fn stmt_parts<'e>(s: &'e Stmt, target: &mut dyn FnMut(&'e Expr), f: &mut dyn FnMut(Part<'e>)) {
    match &s.kind {
        StmtKind::Expr(e) | StmtKind::Let(_, Some(e)) | StmtKind::Defer(e) | StmtKind::Go(e) => {
            f(Part::Expr(e));
        }
        StmtKind::Assign(l, e) | StmtKind::OpAssign(_, l, e) => {
            target(l);
            f(Part::Expr(e));
        }
        StmtKind::AssignMany(list) => {
            for (l, e) in list {
                if let Some(l) = l {
                    target(l);
                }
                f(Part::Expr(e));
            }
        }
        StmtKind::AssignTuple(ls, e) => {
            ls.iter().flatten().for_each(target);
            f(Part::Expr(e));
        }
        StmtKind::Block(b) | StmtKind::Txn(_, b) => f(Part::Stmts(b)),
        StmtKind::If(c, a, b) => {
            f(Part::Expr(c));
            f(Part::Stmts(a));
            f(Part::Stmts(b));
        }
        StmtKind::For(l) => {
            if let Some(c) = &l.cond {
                f(Part::Expr(c));
            }
            f(Part::Stmts(&l.post));
            f(Part::Stmts(&l.body));
        }
        StmtKind::Range(r) => {
            f(Part::Expr(&r.over));
            f(Part::Stmts(&r.body));
        }
        StmtKind::Switch(sw) => {
            for c in &sw.clauses {
                c.conds.iter().for_each(|e| f(Part::Expr(e)));
                f(Part::Stmts(&c.body));
            }
        }
        StmtKind::Return(es) => es.iter().for_each(|e| f(Part::Expr(e))),
        StmtKind::Send(a, b) => {
            f(Part::Expr(a));
            f(Part::Expr(b));
        }
        StmtKind::Select(cases, _) => {
            for c in cases {
                match &c.comm {
                    Comm::Default => {}
                    Comm::Send(a, b) => {
                        f(Part::Expr(a));
                        f(Part::Expr(b));
                    }
                    Comm::Recv(a, ..) => f(Part::Expr(a)),
                }
                f(Part::Stmts(&c.body));
            }
        }
        StmtKind::PvarInit(_, Some(e)) => f(Part::Expr(e)),
        _ => {}
    }
}

/// What a body does with its locals.
pub struct Scan {
    /// Stored to after its `Let`, or to a part of it.
    pub assigned: Vec<bool>,
    /// Read, written, captured or addressed anywhere.
    pub mentioned: Vec<bool>,
    /// An array, or something with an array in it, indexed by a variable.
    pub indexed: Vec<bool>,
    /// Transactions open at each `Target`.
    pub target_txns: Vec<u32>,
    txns: u32,
    /// What a bare return gives.
    results: Vec<LocalId>,
}

impl Scan {
    pub fn of(body: &Body) -> Scan {
        let n = body.locals.len();
        let mut s = Scan {
            assigned: vec![false; n],
            mentioned: vec![false; n],
            indexed: vec![false; n],
            target_txns: vec![0; body.labels as usize],
            txns: 0,
            results: body.results.clone(),
        };
        s.stmts(&body.stmts);
        s
    }

    fn stmts(&mut self, list: &[Stmt]) {
        for s in list {
            match &s.kind {
                StmtKind::Target(l) => self.target_txns[l.0 as usize] = self.txns,
                StmtKind::Return(es) if es.is_empty() => {
                    for l in &self.results {
                        self.mentioned[l.0 as usize] = true;
                    }
                }
                StmtKind::Range(r) => {
                    for l in [r.key, r.value].into_iter().flatten() {
                        self.mentioned[l.0 as usize] = true;
                    }
                }
                _ => {}
            }
            let inside = u32::from(matches!(s.kind, StmtKind::Txn(..)));
            self.txns += inside;
            let (mut targets, mut inner) = (Vec::new(), Vec::new());
            stmt_parts(s, &mut |t| targets.push(t), &mut |p| inner.push(p));
            for t in targets {
                if let Some(l) = root(t) {
                    self.assigned[l.0 as usize] = true;
                }
                self.expr(t);
            }
            for p in inner {
                self.part(p);
            }
            self.txns -= inside;
        }
    }

    fn part(&mut self, p: Part) {
        match p {
            Part::Expr(e) => self.expr(e),
            Part::Stmts(s) => self.stmts(s),
        }
    }

    fn expr(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::Local(l) => self.mentioned[l.0 as usize] = true,
            ExprKind::Closure(b) => {
                for c in &b.captures {
                    self.mentioned[c.outer.0 as usize] = true;
                }
            }
            ExprKind::Index(a, i) if !matches!(i.kind, ExprKind::Const(_)) => {
                if let Some(l) = root(a) {
                    self.indexed[l.0 as usize] = true;
                }
            }
            _ => {}
        }
        let mut inner = Vec::new();
        parts(e, &mut |p| inner.push(p));
        for p in inner {
            self.part(p);
        }
    }
}

/// The local that a place is (a part of).
pub fn root(e: &Expr) -> Option<LocalId> {
    match &e.kind {
        ExprKind::Local(l) => Some(*l),
        ExprKind::Field(b, _) | ExprKind::Index(b, _) => root(b),
        _ => None,
    }
}

/// Does the expression mention a local?
pub fn mentions(e: &Expr, l: LocalId) -> bool {
    match &e.kind {
        ExprKind::Local(x) => *x == l,
        ExprKind::Closure(b) => b.captures.iter().any(|c| c.outer == l),
        _ => {
            let mut found = false;
            parts(e, &mut |p| {
                found |= match p {
                    Part::Expr(e) => mentions(e, l),
                    Part::Stmts(s) => stmts_mention(s, l),
                }
            });
            found
        }
    }
}

fn stmts_mention(list: &[Stmt], l: LocalId) -> bool {
    list.iter().any(|s| {
        let (mut a, mut b) = (false, false);
        stmt_parts(s, &mut |t| a |= mentions(t, l), &mut |p| {
            b |= match p {
                Part::Expr(e) => mentions(e, l),
                Part::Stmts(s) => stmts_mention(s, l),
            }
        });
        a || b
    })
}

/// Can evaluating the expression run other code?
pub fn has_call(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Call(..) | ExprKind::Seq(..) | ExprKind::Recv(..) => true,
        _ => {
            let mut found = false;
            parts(e, &mut |p| {
                found |= match p {
                    Part::Expr(e) => has_call(e),
                    Part::Stmts(_) => true,
                }
            });
            found
        }
    }
}

/// Can evaluating the expression do more than give a value?
pub fn effects(e: &Expr) -> bool {
    has_call(e)
        || !matches!(
            e.kind,
            ExprKind::Local(_) | ExprKind::Global(_) | ExprKind::Field(..)
        )
}
