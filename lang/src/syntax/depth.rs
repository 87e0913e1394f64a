//! Heights of trees, kept in every node so that later passes may recurse without counting.

use super::ast::*;

/// The height that `Expr::depth` and `Stmt::depth` never pass. A pass that recurses over the tree
/// wants a stack of some tens of kilobytes for each level at the most: 1 GiB is ample.
pub const MAX_DEPTH: u32 = 20_000;

fn all(exprs: &[Expr]) -> u32 {
    exprs.iter().map(|e| e.depth).max().unwrap_or(0)
}

fn opt(expr: &Option<Expr>) -> u32 {
    expr.as_ref().map_or(0, |e| e.depth)
}

fn params(params: &[Param]) -> u32 {
    params.iter().map(|p| p.ty.depth).max().unwrap_or(0)
}

fn func_type(ty: &FuncType) -> u32 {
    params(&ty.params).max(params(&ty.results))
}

fn block(block: &Block) -> u32 {
    stmts(&block.stmts)
}

fn stmts(stmts: &[Stmt]) -> u32 {
    stmts.iter().map(|s| s.depth).max().unwrap_or(0)
}

fn boxed(stmt: &Option<Box<Stmt>>) -> u32 {
    stmt.as_ref().map_or(0, |s| s.depth)
}

/// The height of a node of this kind, from those of its children.
pub fn of_expr(kind: &ExprKind) -> u32 {
    use ExprKind::*;
    1 + match kind {
        Bad | Ident(_) | Literal(_) => 0,
        Composite(c) => opt(&c.ty).max(all(&c.elements)),
        FuncLit(f) => func_type(&f.ty).max(block(&f.body)),
        Paren(x) | Star(x) | SliceType(x) => x.depth,
        Selector { operand, .. } | Unary { operand, .. } => operand.depth,
        Index { operand, args } => operand.depth.max(all(args)),
        Slice(s) => s
            .operand
            .depth
            .max(opt(&s.low))
            .max(opt(&s.high))
            .max(opt(&s.max)),
        TypeAssert { operand, ty } => operand.depth.max(ty.as_ref().map_or(0, |t| t.depth)),
        Call(c) => c.callee.depth.max(all(&c.args)),
        Binary(b) => b.left.depth.max(b.right.depth),
        KeyValue { key, value } | MapType { key, value } => key.depth.max(value.depth),
        ArrayType { len, elem } => elem.depth.max(len.as_ref().map_or(0, |l| l.depth)),
        ChanType { elem, .. } => elem.depth,
        FuncType(f) => func_type(f),
        StructType(s) => s.fields.iter().map(|f| f.ty.depth).max().unwrap_or(0),
        InterfaceType(i) => i.elems.iter().map(interface_elem).max().unwrap_or(0),
    }
}

fn interface_elem(elem: &InterfaceElem) -> u32 {
    match elem {
        InterfaceElem::Method { ty, .. } => func_type(ty),
        InterfaceElem::Union(terms) => terms.iter().map(|t| t.ty.depth).max().unwrap_or(0),
    }
}

/// As `of_expr`.
pub fn of_stmt(kind: &StmtKind) -> u32 {
    use StmtKind::*;
    1 + match kind {
        Bad | Empty | Break(_) | Continue(_) | Goto(_) | Fallthrough => 0,
        Decl(d) => decl(d),
        Labeled { stmt, .. } => stmt.depth,
        Expr(x) | Go(x) | Defer(x) => x.depth,
        Send { channel, value, .. } => channel.depth.max(value.depth),
        IncDec { operand, .. } => operand.depth,
        Assign { left, right, .. } => all(left).max(all(right)),
        OpAssign { left, right, .. } => left.depth.max(right.depth),
        Define { right, .. } => all(right),
        Return(xs) => all(xs),
        Block(b) => block(b),
        If(s) => {
            let parts = boxed(&s.init).max(s.cond.depth).max(block(&s.then));
            parts.max(boxed(&s.otherwise))
        }
        Switch(s) => boxed(&s.init).max(opt(&s.tag)).max(cases(&s.cases)),
        TypeSwitch(s) => boxed(&s.init).max(s.operand.depth).max(cases(&s.cases)),
        Select(s) => {
            let clause =
                |c: &CommClause| c.comm.as_ref().map_or(0, |s| s.depth).max(stmts(&c.body));
            s.cases.iter().map(clause).max().unwrap_or(0)
        }
        For(s) => {
            let header = boxed(&s.init).max(opt(&s.cond)).max(boxed(&s.post));
            header.max(block(&s.body))
        }
        Range(s) => all(&s.vars).max(s.operand.depth).max(block(&s.body)),
        Txn(s) => block(&s.body),
    }
}

fn cases(cases: &[CaseClause]) -> u32 {
    let clause = |c: &CaseClause| all(&c.exprs).max(stmts(&c.body));
    cases.iter().map(clause).max().unwrap_or(0)
}

fn decl(decl: &Decl) -> u32 {
    let type_params =
        |list: &[TypeParam]| list.iter().map(|p| p.constraint.depth).max().unwrap_or(0);
    match &decl.kind {
        DeclKind::Func(f) => {
            let body = f.body.as_ref().map_or(0, block);
            func_type(&f.ty).max(body).max(type_params(&f.type_params))
        }
        DeclKind::Const(specs) => {
            let spec = |s: &ConstSpec| opt(&s.ty).max(all(&s.values));
            specs.iter().map(spec).max().unwrap_or(0)
        }
        DeclKind::Var(specs) | DeclKind::Pvar(specs) => {
            let spec = |s: &VarSpec| opt(&s.ty).max(all(&s.values));
            specs.iter().map(spec).max().unwrap_or(0)
        }
        DeclKind::Type(specs) => {
            let spec = |s: &TypeSpec| s.ty.depth.max(type_params(&s.type_params));
            specs.iter().map(spec).max().unwrap_or(0)
        }
    }
}
