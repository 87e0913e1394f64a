//! Composite literals (spec "Composite literals").
use super::convert::Context;
use super::operand::{Operand, ex, st};
use super::{Checker, INVALID};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprKind as E};
use crate::tir::{self, ExprKind};
use crate::types::constant::Value;
use crate::types::lookup::{Lookup, Step};
use crate::types::ty::{StructType, Ty, TyKind};
use rustc_hash::FxHashSet;
use std::rc::Rc;

impl Checker {
    pub(super) fn composite<'e>(
        &mut self,
        e: &'e Expr,
        c: &'e ast::CompositeLit,
        hint: Option<Ty>,
    ) -> Operand<'e> {
        let span = e.span;
        // `[...]T{…}`: the length comes from the elements.
        let open_elem = match c.ty.as_ref().map(|t| &t.kind) {
            Some(E::ArrayType { len: None, elem }) => Some(elem),
            _ => None,
        };
        if let Some(elem) = open_elem {
            let elem = self.var_typ(elem);
            let (elems, n) = self.indexed_elements(&c.elements, elem, None);
            if elem == INVALID {
                return Operand::invalid(span);
            }
            let ty = self.a.types.intern(TyKind::Array(elem, n));
            return match elems {
                Some(elems) => Operand::value(ty, span, ExprKind::ArrayLit(elems)),
                None => Operand::invalid(span),
            };
        }
        let ty = match (&c.ty, hint) {
            (Some(t), _) => self.typ(t),
            (None, Some(h)) => h,
            (None, None) => {
                self.err(
                    Code::InvalidLiteral,
                    span,
                    "missing type in composite literal",
                );
                self.use_elements(&c.elements);
                return Operand::invalid(span);
            }
        };
        if ty == INVALID || !self.is_usable(ty) {
            self.use_elements(&c.elements);
            return Operand::invalid(span);
        }
        // An elided `&T`.
        if c.ty.is_none()
            && let Some(base) = self
                .a
                .types
                .core_type(ty)
                .and_then(|t| self.a.types.pointee(t))
        {
            let x = self.literal_of(e, c, base);
            if !x.is_valid() {
                return x;
            }
            let init = match x.tir.kind {
                ExprKind::Zero => None,
                _ => Some(Box::new(x.tir)),
            };
            return Operand::value(ty, span, ExprKind::New(tir::Place::Volatile, init));
        }
        self.literal_of(e, c, ty)
    }

    fn literal_of<'e>(&mut self, e: &'e Expr, c: &'e ast::CompositeLit, ty: Ty) -> Operand<'e> {
        let span = e.span;
        let core = self.a.types.core_type(ty).unwrap_or(INVALID);
        let kind = match self.a.types.kind(core).clone() {
            TyKind::Struct(s) => {
                if core == INVALID {
                    return Operand::invalid(span);
                }
                let mut before = Vec::new();
                let literal = match self.struct_fields(c, &s, ty, &mut before) {
                    Some(fields) if fields.is_empty() => ExprKind::Zero,
                    Some(fields) => ExprKind::StructLit(fields),
                    None => return Operand::value(ty, span, ExprKind::Zero),
                };
                match before.is_empty() {
                    true => literal,
                    false => ExprKind::Seq(before, Box::new(ex(ty, span, literal))),
                }
            }
            TyKind::Array(elem, n) => match self.indexed_elements(&c.elements, elem, Some(n)).0 {
                Some(elems) => ExprKind::ArrayLit(elems),
                None => return Operand::value(ty, span, ExprKind::Zero),
            },
            TyKind::Slice(elem) => match self.indexed_elements(&c.elements, elem, None) {
                (Some(elems), n) => ExprKind::SliceLit(n, elems),
                (None, _) => return Operand::value(ty, span, ExprKind::Zero),
            },
            TyKind::Map(key, value) => match self.map_elements(c, key, value) {
                Some(pairs) => ExprKind::MapLit(pairs),
                None => return Operand::value(ty, span, ExprKind::Zero),
            },
            _ => {
                self.use_elements(&c.elements);
                if core == INVALID && !self.a.types.is_param(ty) {
                    return Operand::invalid(span);
                }
                let text = self.ty_str(ty);
                let message = format!("invalid composite literal type {text}");
                self.err(Code::InvalidLiteral, span, message);
                return Operand::invalid(span);
            }
        };
        Operand::value(ty, span, kind)
    }

    fn use_elements(&mut self, elements: &[Expr]) {
        for e in elements {
            match &e.kind {
                E::KeyValue { key, value } => {
                    if key.as_ident().is_none() {
                        self.use_element(key);
                    }
                    self.use_element(value);
                }
                _ => self.use_element(e),
            }
        }
    }

    fn use_element(&mut self, e: &Expr) {
        match &e.kind {
            E::Composite(c) if c.ty.is_none() => self.use_elements(&c.elements),
            _ => {
                self.use_expr(e);
            }
        }
    }

    /// The fields' values; statements that must run before go to `before`.
    fn struct_fields(
        &mut self,
        c: &ast::CompositeLit,
        s: &Rc<StructType>,
        ty: Ty,
        before: &mut Vec<tir::Stmt>,
    ) -> Option<Vec<(u32, tir::Expr)>> {
        let mut out = Vec::new();
        let mut ok = true;
        let Some(first) = c.elements.first() else {
            return Some(out);
        };
        if matches!(first.kind, E::KeyValue { .. }) {
            return self.keyed_fields(c, ty, before);
        }
        for (i, e) in c.elements.iter().enumerate() {
            if let E::KeyValue { value, .. } = &e.kind {
                let message = "mixture of field:value and value elements in struct literal";
                self.err(Code::InvalidLiteral, e.span, message);
                self.use_element(value);
                ok = false;
                continue;
            }
            let Some(f) = s.fields.get(i) else {
                self.use_element(e);
                let text = self.ty_str(ty);
                let message = format!("too many values in struct literal of type {text}");
                self.err(Code::InvalidLiteral, e.span, message);
                return None;
            };
            let x = self.expr(e, None);
            if f.pkg.is_some_and(|p| p != self.pkg()) {
                let (n, t) = (self.name(f.name).to_string(), self.ty_str(ty));
                let message = format!(
                    "implicit assignment to unexported field {n} in struct literal of type {t}"
                );
                self.err(Code::InvalidLiteral, e.span, message);
                ok = false;
                continue;
            }
            let x = self.assignment(x, Some(f.ty), Context::Other("struct literal"));
            ok &= x.is_valid();
            let mut value = x.tir;
            if self.is_blank(f.name) {
                // Evaluated, but the field stays zero.
                let (ty, span) = (value.ty, value.span);
                let run = st(span, tir::StmtKind::Expr(value));
                let zero = ex(ty, span, ExprKind::Zero);
                value = ex(ty, span, ExprKind::Seq(vec![run], Box::new(zero)));
            }
            out.push((i as u32, value));
        }
        if c.elements.len() < s.fields.len() {
            let text = self.ty_str(ty);
            let message = format!("too few values in struct literal of type {text}");
            self.err(Code::InvalidLiteral, c.rbrace, message);
            return None;
        }
        ok.then_some(out)
    }

    /// `name: value` elements; the name may be that of a promoted field.
    fn keyed_fields(
        &mut self,
        c: &ast::CompositeLit,
        ty: Ty,
        before: &mut Vec<tir::Stmt>,
    ) -> Option<Vec<(u32, tir::Expr)>> {
        let mut ok = true;
        let mut found: Vec<(Vec<Step>, ast::Ident, tir::Expr)> = Vec::new();
        for e in &c.elements {
            let E::KeyValue { key, value } = &e.kind else {
                let message = "mixture of field:value and value elements in struct literal";
                self.err(Code::InvalidLiteral, e.span, message);
                ok = false;
                continue;
            };
            let Some(name) = key.as_ident() else {
                let text = self.text(key);
                let message = format!("invalid field name {text} in struct literal");
                self.err(Code::InvalidLiteral, e.span, message);
                ok = false;
                continue;
            };
            let Some(path) = self.literal_field(ty, name) else {
                self.use_element(value);
                ok = false;
                continue;
            };
            let field_ty = path[path.len() - 1].ty;
            let x = self.expr(value, None);
            let x = self.assignment(x, Some(field_ty), Context::Other("struct literal"));
            if !self.field_is_new(&found, &path, name, e.span) {
                ok = false;
                continue;
            }
            ok &= x.is_valid();
            found.push((path, name, x.tir));
        }
        if !ok {
            return None;
        }
        // Promoted fields are gathered by the embedded ones they are in: in order first.
        if found.iter().any(|f| f.0.len() > 1) {
            for f in &mut found {
                f.2 = self.spill(f.2.clone(), before);
            }
        }
        let fields = found.into_iter().map(|f| (f.0, f.2)).collect();
        Some(nest(fields, c.lbrace))
    }

    /// The way to the field that a key names.
    fn literal_field(&mut self, ty: Ty, name: ast::Ident) -> Option<Vec<Step>> {
        if self.is_blank(name.name) {
            let message = "invalid field name _ in struct literal";
            self.err(Code::InvalidLiteral, name.span, message);
            return None;
        }
        let pkg = self.pkg();
        let core = self.a.types.core_type(ty).unwrap_or(ty);
        match self
            .a
            .types
            .lookup_field_or_method(core, true, pkg, name.name)
        {
            Lookup::Field(sel) if sel.path.iter().any(|s| s.deref) => {
                let text = self.name(name.name).to_string();
                let message = format!("invalid implicit pointer indirection to reach {text}");
                self.err(Code::InvalidLiteral, name.span, message);
                None
            }
            Lookup::Field(sel) => {
                self.note_field(name, ty, &sel.path);
                Some(sel.path)
            }
            _ => {
                self.unknown_field(ty, name);
                None
            }
        }
    }

    /// A field is given once, and not together with an embedded field around it.
    fn field_is_new(
        &mut self,
        found: &[(Vec<Step>, ast::Ident, tir::Expr)],
        path: &[Step],
        name: ast::Ident,
        element: Span,
    ) -> bool {
        let same = |a: &[Step], b: &[Step]| a.iter().zip(b).all(|(x, y)| x.index == y.index);
        let clash = found.iter().find(|f| same(&f.0, path));
        let Some((other, other_name, _)) = clash else {
            return true;
        };
        let (text, other_text) = (
            self.name(name.name).to_string(),
            self.name(other_name.name).to_string(),
        );
        let (span, message) = match other.len().cmp(&path.len()) {
            std::cmp::Ordering::Equal => (
                element,
                format!("duplicate field name {text} in struct literal"),
            ),
            std::cmp::Ordering::Less => (
                name.span,
                format!(
                    "cannot specify promoted field {text} and enclosing embedded field {other_text}"
                ),
            ),
            std::cmp::Ordering::Greater => (
                name.span,
                format!(
                    "cannot specify embedded field {text} and enclosed promoted field {other_text}"
                ),
            ),
        };
        self.err(Code::InvalidLiteral, span, message);
        false
    }

    fn unknown_field(&mut self, ty: Ty, name: ast::Ident) {
        let (n, t) = (self.name(name.name).to_string(), self.ty_str(ty));
        let pkg = self.pkg();
        use crate::types::lookup::Hint;
        let hint = self.a.types.lookup_hint(ty, pkg, &n, &self.a.names);
        let message = match hint {
            Hint::Misspelled {
                what: "field",
                name: alt,
            } => format!("unknown field {n} in struct literal of type {t}, but does have {alt}"),
            Hint::Unexported {
                what: "field",
                name: alt,
            } => format!(
                "unknown field {n} in struct literal of type {t}, but does have unexported {alt}"
            ),
            Hint::Inaccessible { what: "field", .. } => {
                format!("cannot refer to unexported field {n} in struct literal of type {t}")
            }
            _ => format!("unknown field {n} in struct literal of type {t}"),
        };
        self.err(Code::InvalidLiteral, name.span, message);
    }

    /// Elements of arrays and slices, and the length.
    fn indexed_elements(
        &mut self,
        elements: &[Expr],
        elem: Ty,
        length: Option<u64>,
    ) -> (Option<Vec<(u64, tir::Expr)>>, u64) {
        let mut out = Vec::with_capacity(elements.len());
        let mut seen = FxHashSet::default();
        let (mut at, mut max) = (0u64, 0u64);
        let mut ok = true;
        for e in elements {
            let value = match &e.kind {
                E::KeyValue { key, value } => {
                    match self.constant_index(key, length) {
                        Some(n) => at = n,
                        None => ok = false,
                    }
                    value
                }
                _ => {
                    if length.is_some_and(|n| at >= n) {
                        let n = length.unwrap_or(0);
                        let message = format!("invalid argument: index {at} out of bounds [0:{n}]");
                        self.err(Code::InvalidIndex, e.span, message);
                        ok = false;
                    }
                    e
                }
            };
            if !seen.insert(at) {
                let message = format!("duplicate index {at} in array or slice literal");
                self.err(Code::InvalidLiteral, e.span, message);
                ok = false;
            }
            let x = self.expr(value, Some(elem));
            let x = self.assignment(x, Some(elem), Context::Other("array or slice literal"));
            ok &= x.is_valid();
            out.push((at, x.tir));
            at += 1;
            max = max.max(at);
        }
        (ok.then_some(out), max)
    }

    fn constant_index(&mut self, key: &Expr, length: Option<u64>) -> Option<u64> {
        let x = self.expr(key, None);
        if !x.is_valid() {
            return None;
        }
        if !x.is_const() {
            let text = self.text(key);
            let message = format!("index {text} must be integer constant");
            self.err(Code::InvalidIndex, key.span, message);
            return None;
        }
        let x = self.integer_operand(x, "index", false);
        if !x.is_valid() {
            return None;
        }
        let n = x.val.as_u64()?;
        if let Some(max) = length
            && n >= max
        {
            let message = format!("invalid argument: index {n} out of bounds [0:{max}]");
            self.err(Code::InvalidIndex, key.span, message);
            return None;
        }
        if n >= crate::types::layout::MAX_SIZE {
            let text = self.describe(&x);
            self.err(
                Code::InvalidIndex,
                key.span,
                format!("index {text} is too large"),
            );
            return None;
        }
        Some(n)
    }

    fn map_elements(
        &mut self,
        c: &ast::CompositeLit,
        key: Ty,
        value: Ty,
    ) -> Option<Vec<(tir::Expr, tir::Expr)>> {
        let mut out = Vec::with_capacity(c.elements.len());
        let mut seen: FxHashSet<(Ty, String)> = FxHashSet::default();
        let mut ok = true;
        for e in &c.elements {
            let E::KeyValue { key: k, value: v } = &e.kind else {
                self.err(Code::InvalidLiteral, e.span, "missing key in map literal");
                self.use_element(e);
                ok = false;
                continue;
            };
            let kx = self.expr(k, Some(key));
            let kx = self.assignment(kx, Some(key), Context::Other("map literal"));
            if kx.is_valid() && kx.is_const() && !kx.val.is_unknown() {
                let shown = kx.val.to_string();
                if !seen.insert((kx.ty, exact_key(&kx.val))) {
                    let span: Span = kx.span;
                    let message = format!("duplicate key {shown} in map literal");
                    self.err(Code::InvalidLiteral, span, message);
                    ok = false;
                }
            }
            let vx = self.expr(v, Some(value));
            let vx = self.assignment(vx, Some(value), Context::Other("map literal"));
            ok &= kx.is_valid() && vx.is_valid();
            out.push((kx.tir, vx.tir));
        }
        ok.then_some(out)
    }
}

/// Text that differs for different constants: messages shorten long ones.
pub(super) fn exact_key(v: &Value) -> String {
    match v {
        Value::Str(s) => format!("{s:?}"),
        v => format!("{v:?}"),
    }
}

/// Fields by their paths as the fields of a literal, embedded structs being literals in it.
fn nest(fields: Vec<(Vec<Step>, tir::Expr)>, span: Span) -> Vec<(u32, tir::Expr)> {
    let mut out = Vec::new();
    let mut rest = fields;
    while !rest.is_empty() {
        let first = rest[0].0[0];
        let (mine, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|f| f.0[0].index == first.index);
        rest = others;
        let value = match &mine[..] {
            [(path, value)] if path.len() == 1 => value.clone(),
            _ => {
                let inner = mine
                    .into_iter()
                    .map(|(p, v)| (p[1..].to_vec(), v))
                    .collect();
                ex(first.ty, span, ExprKind::StructLit(nest(inner, span)))
            }
        };
        out.push((first.index, value));
    }
    out
}
