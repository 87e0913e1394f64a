//! Interactive sessions: each chunk is a script whose names are layered over those of the chunks
//! before. `:=` at its top declares package-level variables; the value of its last statement, if that is
//! an expression, is printed and kept as `_`.
use super::assign::Values;
use super::names::Use;
use super::object::{ObjId, ObjKind, State};
use super::operand::{Mode, ex, st};
use super::{Checker, Found, INVALID, Renewed};
use crate::codes::Code;
use crate::package::PackageSource;
use crate::syntax::ast::{self, StmtKind as S};
use crate::tir::{self, Callee, ExprKind, StmtKind};
use crate::types::ty::PkgId;
use crate::types::ty::{FuncId, Ty, TyKind};

impl Checker {
    /// Checks the next chunk of a session, a text from the file `name`; the function that runs it, and what it changes
    /// of the chunks before, unless there were errors: then its declarations are forgotten. `shows`: it prints the
    /// value of its last statement.
    pub fn check_chunk(
        &mut self,
        source: &dyn PackageSource,
        name: &str,
        text: Vec<u8>,
        shows: bool,
    ) -> Option<(FuncId, Renewed)> {
        self.shows = shows;
        let checked = self.checked_chunk(source, name, text);
        let entry = checked.and_then(|pkg| self.finish_chunk(pkg));
        if entry.is_none() {
            self.restore_methods();
        }
        entry
    }

    /// What the last expression of a text is, were it the next chunk.
    pub fn ask(&mut self, source: &dyn PackageSource, text: &str) -> Found {
        let diagnostics = std::mem::take(&mut self.diagnostics);
        self.asked = Some(Found::Nothing);
        self.checked_chunk(source, "repl", text.as_bytes().to_vec());
        self.restore_methods();
        self.diagnostics = diagnostics;
        self.asked.take().unwrap_or(Found::Nothing)
    }

    fn checked_chunk(
        &mut self,
        source: &dyn PackageSource,
        name: &str,
        text: Vec<u8>,
    ) -> Option<PkgId> {
        self.interactive = true;
        self.forget_changes();
        let first = self.packages.len();
        let pkg = self.new_package("main", "main", false);
        if let Some(last) = self.last_chunk {
            let identity = self.packages[last.0 as usize].identity;
            let package = &mut self.packages[pkg.0 as usize];
            package.identity = identity;
            package.outer = Some(last);
        }
        let file = self.add_file(pkg, name, text);
        if self.diagnostics.has_errors() {
            return None;
        }
        self.finish_package(pkg, "main", ".", source);
        self.load_runtime(pkg, source);
        let end = self.files[file as usize].end;
        self.printer = self.import_path("internal/show", end, ".", source);
        if let Some(printer) = self.printer {
            self.packages[pkg.0 as usize].imports.push(printer);
        }
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
        self.adopt_methods(pkg);
        self.check_packages(first);
        self.refuse_stored_changes();
        (!self.diagnostics.has_errors()).then_some(pkg)
    }

    fn finish_chunk(&mut self, pkg: PkgId) -> Option<(FuncId, Renewed)> {
        let start = self.start_function(pkg);
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
        let renewed = self.renew(pkg);
        self.last_chunk = Some(pkg);
        Some((self.make_entry(pkg, inits, start), renewed))
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
                if self.asked.is_some() {
                    self.asked = Some(self.found(&x));
                    return true;
                }
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
                            self.use_value(v, out);
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

    /// Evaluates a value; after the last statement of a chunk it is called `_` (of several values the first one) and
    /// is printed.
    fn use_value(&mut self, v: tir::Expr, out: &mut Vec<tir::Stmt>) {
        let span = v.span;
        let mut values = match self.a.types.kind(v.ty).clone() {
            TyKind::Tuple(tys) => self.unpack_tuple(v, &tys, out),
            _ => vec![v],
        };
        let (Some(pkg), Some(first)) = (self.env.pkg, values.first()) else {
            return;
        };
        let ty = first.ty;
        let blank = self.universe.blank;
        let id = self.a.object(
            blank,
            span,
            Some(pkg),
            ObjKind::Unresolved,
            State::Black,
            None,
        );
        let last = ex(ty, span, ExprKind::Global(self.new_global(id, ty, false)));
        self.packages[pkg.0 as usize].scope.insert(blank, id);
        let first = std::mem::replace(&mut values[0], last.clone());
        out.push(st(span, StmtKind::Assign(last, first)));
        if !(self.shows && self.is_last) {
            return;
        }
        let show = self.a.names.interner.find("Show").and_then(|n| {
            let pkg = self.printer?;
            self.packages[pkg.0 as usize].scope.get(&n).copied()
        });
        let Some(id) = show else {
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
        let args = vec![ex(slice, span, ExprKind::SliceLit(list.len() as u64, list))];
        let nothing = self.a.types.tuple(&[]);
        let callee = Callee::Static(tir::FuncRef {
            func: f,
            targs: vec![],
        });
        let call = ex(nothing, span, ExprKind::Call(callee, args));
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
            } else {
                self.note_name(names[i].span, Use::Object(id));
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
