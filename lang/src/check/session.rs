//! Interactive sessions: each chunk is a script whose names are layered over those of the chunks
//! before. `:=` at its top declares package-level variables, and the value of its last expression
//! is printed.
use super::assign::Values;
use super::object::{ObjId, ObjKind, State};
use super::operand::{Mode, ex, st};
use super::{Checker, INVALID};
use crate::codes::Code;
use crate::package::PackageSource;
use crate::syntax::ast::{self, StmtKind as S};
use crate::tir::{self, Callee, ExprKind, StmtKind};
use crate::types::ty::PkgId;
use crate::types::ty::{Basic, FuncId, Ty, TyKind};

impl Checker {
    /// Checks the next chunk of a session; the function that runs it, unless there were errors:
    /// then its declarations are forgotten.
    pub fn check_chunk(&mut self, source: &dyn PackageSource, text: Vec<u8>) -> Option<FuncId> {
        self.interactive = true;
        let first = self.packages.len();
        let pkg = self.new_package("main", "main", false);
        if let Some(last) = self.last_chunk {
            let identity = self.packages[last.0 as usize].identity;
            let package = &mut self.packages[pkg.0 as usize];
            package.identity = identity;
            package.outer = Some(last);
        }
        let file = self.add_file(pkg, "repl", text);
        if self.diagnostics.has_errors() {
            return None;
        }
        self.finish_package(pkg, "main", ".", source);
        self.load_runtime(pkg, source);
        self.printer = self.import_path("fmt", self.files[file as usize].end, ".", source);
        // Imports hold for the chunks that follow.
        let imports: Vec<_> = self.file_scopes[file as usize]
            .iter()
            .map(|(n, o)| (*n, *o))
            .collect();
        for (name, obj) in imports {
            self.packages[pkg.0 as usize]
                .scope
                .entry(name)
                .or_insert(obj);
        }
        self.check_packages(first);
        let start = self.packages[pkg.0 as usize]
            .scope
            .get(&self.universe.main)
            .map(|id| self.obj(*id).kind.clone());
        let start = match start {
            Some(ObjKind::Func(f)) => Some(f),
            _ => None,
        };
        if self.diagnostics.has_errors() {
            return None;
        }
        // Packages of earlier chunks are initialised already, but for variables that waited to be mentioned.
        let package = |p: &PkgId| &self.packages[p.0 as usize];
        let mut new: Vec<PkgId> = (0..self.packages.len() as u32).map(PkgId).collect();
        new.retain(|p| package(p).initialised && !package(p).var_inits.is_empty());
        let order = self.package_order(pkg).into_iter();
        new.extend(order.filter(|p| !package(p).initialised));
        for p in &new {
            self.packages[p.0 as usize].initialised = true;
        }
        let inits = self.initialisation(&new);
        if self.diagnostics.has_errors() {
            for p in new {
                self.packages[p.0 as usize].initialised = false;
            }
            return None;
        }
        self.packages[pkg.0 as usize]
            .scope
            .remove(&self.universe.main);
        self.last_chunk = Some(pkg);
        Some(self.make_entry(pkg, inits, start))
    }

    /// Statements that a session treats in its own way; false for the others.
    pub(super) fn session_stmt(&mut self, s: &ast::Stmt, out: &mut Vec<tir::Stmt>) -> bool {
        match &s.kind {
            S::Define {
                names,
                right,
                op_span,
            } => {
                self.define_globals(names, right, *op_span, s, out);
                true
            }
            S::Expr(e) => {
                let x = self.raw_expr(e, None);
                match x.mode {
                    Mode::Invalid => {}
                    Mode::NoValue => out.push(st(s.span, StmtKind::Expr(x.tir))),
                    _ if self.prints_itself(&x.tir) => {
                        out.push(st(s.span, StmtKind::Expr(x.tir)));
                    }
                    Mode::Type | Mode::Builtin(_) => {
                        let text = self.describe(&x);
                        let message = format!("{text} is not an expression");
                        self.err(Code::NotAnExpression, x.span, message);
                    }
                    Mode::Nil => {
                        self.err(Code::UntypedNil, x.span, "use of untyped nil");
                    }
                    _ => {
                        let x = self.defaulted(x);
                        if x.is_valid() {
                            let v = self.emit(x);
                            self.print_value(v, out);
                        }
                    }
                }
                true
            }
            _ => false,
        }
    }

    /// A call of a printing function of fmt: its results are of no interest.
    fn prints_itself(&self, e: &tir::Expr) -> bool {
        let ExprKind::Call(Callee::Static(f), _) = &e.kind else {
            return false;
        };
        let name = &self.funcs[f.func.0 as usize].decl.name;
        name.starts_with("fmt.Print") || name.starts_with("fmt.Fprint")
    }

    /// `fmt.Printf("%+v\n", v)`; strings quoted.
    fn print_value(&mut self, v: tir::Expr, out: &mut Vec<tir::Stmt>) {
        let span = v.span;
        let values = match self.a.types.kind(v.ty).clone() {
            TyKind::Tuple(tys) => self.unpack_tuple(v, &tys, out),
            _ => vec![v],
        };
        let format: Vec<&str> = values
            .iter()
            .map(|v| match self.a.types.basic(v.ty) {
                Some(b) if b.is_string() => "%q",
                _ => "%+v",
            })
            .collect();
        let format = format!("{}\n", format.join(" "));
        let printf = self.a.names.interner.find("Printf").and_then(|n| {
            let pkg = self.printer?;
            self.packages[pkg.0 as usize].scope.get(&n).copied()
        });
        let Some(id) = printf else {
            return;
        };
        self.resolve(id);
        let ObjKind::Func(f) = self.obj(id).kind else {
            return;
        };
        let any = self.universe.any;
        let list = values
            .into_iter()
            .enumerate()
            .map(|(i, v)| (i as u64, self.convert_value(v, any)))
            .collect::<Vec<_>>();
        let slice = self.a.types.slice(any);
        let string = Basic::String.ty();
        let args = vec![
            ex(
                string,
                span,
                ExprKind::Const(tir::Const::Str(format.as_bytes().into())),
            ),
            ex(slice, span, ExprKind::SliceLit(list.len() as u64, list)),
        ];
        let results = self.funcs[f.0 as usize].decl.results.clone();
        let ty = self.result_type(&results);
        let callee = Callee::Static(tir::FuncRef {
            func: f,
            targs: vec![],
        });
        let call = ex(ty, span, ExprKind::Call(callee, args));
        out.push(st(span, StmtKind::Expr(call)));
    }

    /// `a, b := …` at the top of a chunk or script, for variables of the package.
    pub(super) fn define_globals(
        &mut self,
        names: &[ast::Ident],
        right: &[ast::Expr],
        op_span: crate::source::Span,
        s: &ast::Stmt,
        out: &mut Vec<tir::Stmt>,
    ) {
        let mut objs: Vec<Option<ObjId>> = Vec::new();
        let mut any_new = false;
        for n in names {
            let id = match self.is_blank(n.name) {
                true => None,
                false => {
                    let pkg = self.env.pkg.map_or(0, |p| p.0 as usize);
                    self.packages[pkg].scope.get(&n.name).copied()
                }
            };
            any_new |= id.is_some_and(|id| matches!(self.obj(id).kind, ObjKind::Unresolved));
            objs.push(id);
        }
        if !any_new {
            let message = "no new variables on left side of :=";
            self.err(Code::NoNewVariables, op_span, message);
        }
        let want: Vec<Option<Ty>> = objs
            .iter()
            .map(|o| match o.map(|o| &self.obj(o).kind) {
                Some(ObjKind::Global(g)) => Some(self.globals[g.0 as usize].ty),
                _ => None,
            })
            .collect();
        let values = self.initial_values(&want, right, super::convert::Context::Assign);
        let (tys, single, tuple) = match values {
            Values::Each(v) => {
                let tys = v
                    .iter()
                    .map(|(t, e)| e.as_ref().map_or(*t, |e| e.ty))
                    .collect::<Vec<_>>();
                (tys, Some(v), None)
            }
            Values::Tuple(tys, t) => (tys, None, t),
        };
        let mut places = Vec::new();
        for (i, o) in objs.iter().enumerate() {
            let Some(id) = *o else {
                places.push(None);
                continue;
            };
            if matches!(self.obj(id).kind, ObjKind::Unresolved) {
                self.new_global(id, tys[i], false);
                self.obj_mut(id).state = State::Black;
            }
            places.push(match self.obj(id).kind {
                ObjKind::Global(g) if tys[i] != INVALID => {
                    let ty = self.globals[g.0 as usize].ty;
                    Some(ex(ty, names[i].span, ExprKind::Global(g)))
                }
                _ => None,
            });
        }
        let kind = match (single, tuple) {
            (Some(values), _) => StmtKind::AssignMany(
                places
                    .into_iter()
                    .zip(values)
                    .filter_map(|(p, (_, v))| v.map(|v| (p, v)))
                    .collect(),
            ),
            (None, Some(t)) => StmtKind::AssignTuple(places, t),
            (None, None) => return,
        };
        out.push(st(s.span, kind));
    }
}
