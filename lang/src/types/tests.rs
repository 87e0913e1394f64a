//! Tests of selectors, relations, substitution, inference and printing over hand-made types.
use super::implements::Missing;
use super::lookup::{Hint, Lookup};
use super::print::Names;
use super::ty::*;
use crate::syntax::symbol::{Interner, Symbol};
use crate::tir::{ConvKind, WrapperFunc, build, dump, verify};
use std::rc::Rc;

const PKG: PkgId = PkgId(0);
const INT: Ty = Basic::Int.ty();
const STRING: Ty = Basic::String.ty();

#[derive(Default)]
struct World {
    types: Types,
    interner: Interner,
    funcs: u32,
}

struct TestNames<'a>(&'a Interner);

impl Names for TestNames<'_> {
    fn symbol(&self, s: Symbol) -> &str {
        self.0.resolve(s)
    }
    fn package_name(&self, _: PkgId) -> &str {
        "main"
    }
    fn package_path(&self, _: PkgId) -> &str {
        "main"
    }
}

impl World {
    fn scope(&self, name: &str) -> Option<PkgId> {
        name.starts_with(char::is_lowercase).then_some(PKG)
    }
    fn named(&mut self, name: &str, underlying: Ty) -> (NamedId, Ty) {
        let name = self.interner.get(name);
        let (id, ty) = self.types.declare_named(name, Some(PKG), 0);
        self.types.set_underlying(id, underlying);
        (id, ty)
    }
    fn strukt(&mut self, fields: &[(&str, Ty, bool)]) -> Ty {
        let fields = fields
            .iter()
            .map(|(name, ty, embedded)| Field {
                name: self.interner.get(name),
                pkg: self.scope(name),
                ty: *ty,
                embedded: *embedded,
                tag: None,
            })
            .collect();
        self.types
            .intern(TyKind::Struct(Rc::new(StructType { fields })))
    }
    fn func(&mut self, params: &[Ty], results: &[Ty]) -> Ty {
        self.types.intern(TyKind::Func(Rc::new(Signature {
            params: params.into(),
            results: results.into(),
            variadic: false,
        })))
    }
    fn method(&mut self, n: NamedId, name: &str, ptr_recv: bool, sig: Ty, own: Vec<ParamId>) {
        let func = FuncId(self.funcs);
        self.funcs += 1;
        let (pkg, name) = (self.scope(name), self.interner.get(name));
        self.types.named[n.0 as usize].methods.push(Method {
            name,
            pkg,
            func,
            ptr_recv,
        });
        let type_params = own;
        self.types.method_sigs.insert(
            func,
            MethodSig {
                type_params,
                own: Vec::new(),
                sig,
            },
        );
    }
    fn interface(&mut self, methods: &[(&str, Ty)], terms: Option<Vec<Term>>) -> Ty {
        let mut methods: Vec<IMethod> = methods
            .iter()
            .map(|(name, sig)| IMethod {
                name: self.interner.get(name),
                pkg: self.scope(name),
                sig: *sig,
            })
            .collect();
        methods.sort();
        self.types.intern(TyKind::Interface(Rc::new(InterfaceType {
            methods,
            terms,
            comparable: false,
        })))
    }
    fn select(&mut self, t: Ty, addressable: bool, name: &str) -> Lookup {
        let name = self.interner.get(name);
        self.types.lookup_field_or_method(t, addressable, PKG, name)
    }
    fn show(&self, t: Ty) -> String {
        self.types.display(t, &TestNames(&self.interner), PKG)
    }
    fn runtime(&self, t: Ty) -> String {
        self.types.runtime_name(t, &TestNames(&self.interner))
    }
    fn why(&mut self, v: Ty, t: Ty, constraint: bool) -> String {
        let missing = self
            .types
            .implements(v, t, constraint)
            .expect_err("must fail");
        let names = TestNames(&self.interner);
        self.types
            .missing_message(v, t, &missing, constraint, &names, PKG)
    }
}

#[test]
fn selectors_go_breadth_first() {
    let mut w = World::default();
    let inner = w.strukt(&[("X", INT, false), ("Y", INT, false)]);
    let (inner_id, inner) = w.named("Inner", inner);
    let nullary = w.func(&[], &[]);
    w.method(inner_id, "M", true, nullary, vec![]);
    w.method(inner_id, "V", false, nullary, vec![]);
    let pointer = w.types.pointer(inner);
    let outer = w.strukt(&[("X", STRING, false), ("Inner", inner, true)]);
    let (_, outer) = w.named("Outer", outer);
    let by_pointer = w.strukt(&[("Inner", pointer, true)]);

    match w.select(outer, false, "X") {
        Lookup::Field(f) => assert_eq!((f.ty, f.path.len(), f.indirect), (STRING, 1, false)),
        other => panic!("{other:?}"),
    }
    match w.select(by_pointer, false, "Y") {
        Lookup::Field(f) => {
            assert!(f.indirect && f.path[1].deref && !f.path[0].deref);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        w.select(outer, false, "M"),
        Lookup::NeedsPointer(_)
    ));
    assert!(matches!(w.select(outer, true, "M"), Lookup::Method(_)));
    assert!(matches!(
        w.select(by_pointer, false, "M"),
        Lookup::Method(_)
    ));
    assert_eq!(w.select(outer, true, "Z"), Lookup::NotFound);

    let (other_id, other) = w.named("Other", INT);
    w.method(other_id, "V", false, nullary, vec![]);
    let both = w.strukt(&[("Inner", inner, true), ("Other", other, true)]);
    assert_eq!(w.select(both, true, "V"), Lookup::Ambiguous);

    let hint = |w: &mut World, name: &str| {
        let names = TestNames(&w.interner);
        w.types.lookup_hint(outer, PKG, name, &names)
    };
    let what = "method";
    let name = "M".to_string();
    assert_eq!(hint(&mut w, "m"), Hint::Misspelled { what, name });
    assert_eq!(hint(&mut w, "q"), Hint::Missing);

    let names = |w: &mut World, t: Ty| -> Vec<String> {
        let set = w.types.method_set(t);
        set.iter()
            .map(|e| w.interner.resolve(e.method.name).into())
            .collect()
    };
    assert_eq!(names(&mut w, outer), ["V"]);
    let pointer_to_outer = w.types.pointer(outer);
    assert_eq!(names(&mut w, pointer_to_outer), ["M", "V"]);
    assert_eq!(names(&mut w, by_pointer), ["M", "V"]);
}

#[test]
fn reasons_for_not_implementing() {
    let mut w = World::default();
    let empty = w.strukt(&[]);
    let (id, t) = w.named("T", empty);
    let (nullary, gives_int) = (w.func(&[], &[]), w.func(&[], &[INT]));
    w.method(id, "M", true, nullary, vec![]);
    w.method(id, "low", false, nullary, vec![]);
    let i = w.interface(&[("M", nullary)], None);
    let (_, i) = w.named("I", i);
    let j = w.interface(&[("M", gives_int)], None);
    let (_, j) = w.named("J", j);
    let k = w.interface(&[("Low", nullary)], None);
    let (_, k) = w.named("K", k);
    let pt = w.types.pointer(t);
    assert_eq!(w.types.implements(pt, i, false), Ok(()));
    assert!(w.types.assignable_to(pt, i));
    assert_eq!(
        w.why(t, i, false),
        "T does not implement I (method M has pointer receiver)"
    );
    assert_eq!(
        w.why(pt, j, false),
        "*T does not implement J (wrong type for method M)\n\t\thave M()\n\t\twant M() int"
    );
    assert_eq!(
        w.why(t, k, false),
        "T does not implement K (missing method Low)\n\t\thave low()\n\t\twant Low()"
    );
    assert_eq!(
        w.why(INT, i, false),
        "int does not implement I (missing method M)"
    );
    let term = |tilde, ty| Term { tilde, ty };
    let terms = vec![term(true, INT), term(false, STRING)];
    let number = w.interface(&[], Some(terms));
    let (_, c) = w.named("C", number);
    let (_, my_int) = w.named("MyInt", INT);
    let (_, my_string) = w.named("MyString", STRING);
    assert_eq!(w.types.implements(my_int, c, true), Ok(()));
    assert_eq!(
        w.why(my_string, c, true),
        "MyString does not satisfy C (possibly missing ~ for string in C)"
    );
    assert_eq!(
        w.why(t, c, true),
        "T does not satisfy C (T missing in ~int | string)"
    );
    assert_eq!(
        w.types.implements(t, INT, false),
        Err(Missing::NotInterface)
    );
}

#[test]
fn assignment_and_conversion() {
    let mut w = World::default();
    let bytes = w.types.slice(Basic::Uint8.ty());
    let (_, my_bytes) = w.named("Bytes", bytes);
    let (_, my_int) = w.named("MyInt", INT);
    assert!(w.types.assignable_to(bytes, my_bytes));
    assert!(!w.types.assignable_to(my_int, INT));
    assert!(w.types.assignable_to(Basic::UntypedNil.ty(), bytes));
    assert!(!w.types.assignable_to(Basic::UntypedNil.ty(), INT));
    let both = w.types.intern(TyKind::Chan(ChanDir::Both, INT));
    let send = w.types.intern(TyKind::Chan(ChanDir::Send, INT));
    assert!(w.types.assignable_to(both, send) && !w.types.assignable_to(send, both));
    let any = w.interface(&[], None);
    let array = w.types.intern(TyKind::Array(Basic::Uint8.ty(), 4));
    let array_pointer = w.types.pointer(array);
    for (from, to, want) in [
        (my_int, INT, Some(ConvKind::Retype)),
        (INT, Basic::Float32.ty(), Some(ConvKind::Numeric)),
        (my_int, STRING, Some(ConvKind::IntToString)),
        (my_bytes, STRING, Some(ConvKind::BytesToString)),
        (STRING, my_bytes, Some(ConvKind::StringToBytes)),
        (INT, any, Some(ConvKind::ToInterface)),
        (my_bytes, array, Some(ConvKind::SliceToArray)),
        (bytes, array_pointer, Some(ConvKind::SliceToArrayPointer)),
        (
            Basic::Uintptr.ty(),
            Basic::UnsafePointer.ty(),
            Some(ConvKind::Unsafe),
        ),
        (STRING, INT, None),
        (Basic::Bool.ty(), INT, None),
    ] {
        assert_eq!(
            w.types.conversion(from, to),
            want,
            "{} to {}",
            w.show(from),
            w.show(to)
        );
    }
    assert!(w.types.has_nil(bytes) && w.types.ordered(my_int) && !w.types.comparable(bytes));
}

/// `type List[T any] struct { next *List[T]; value T }`
fn list(w: &mut World) -> (NamedId, ParamId, Ty) {
    let any = w.interface(&[], None);
    let t = w.interner.get("T");
    let (param, param_ty) = w.types.declare_param(t, 0, any);
    let name = w.interner.get("List");
    let (id, ty) = w.types.declare_named(name, Some(PKG), 0);
    w.types.named[id.0 as usize].params = vec![param];
    let pointer = w.types.pointer(ty);
    let body = w.strukt(&[("next", pointer, false), ("value", param_ty, false)]);
    w.types.set_underlying(id, body);
    (id, param, param_ty)
}

#[test]
fn instances_are_shared_and_recursive() {
    let mut w = World::default();
    let (id, param, param_ty) = list(&mut w);
    let sig = w.func(&[param_ty], &[]);
    w.method(id, "Push", true, sig, vec![param]);
    let of_int = w.types.instantiate(id, &[INT]);
    assert_eq!(of_int, w.types.instantiate(id, &[INT]));
    assert_eq!(
        w.types.instantiate(id, &[param_ty]),
        w.types.intern(TyKind::Named(id))
    );
    match w.select(of_int, true, "next") {
        Lookup::Field(f) => assert_eq!(w.show(f.ty), "*List[int]"),
        other => panic!("{other:?}"),
    }
    match w.select(of_int, true, "Push") {
        Lookup::Method(m) => assert_eq!(w.show(m.sig), "func(int)"),
        other => panic!("{other:?}"),
    }
    assert_eq!(w.runtime(of_int), "main.List[int]");
    assert_eq!(
        w.show(w.types.find(&TyKind::Named(id)).expect("there")),
        "List[T]"
    );
    let endless = w.interner.get("E");
    let (e, ety) = w.types.declare_named(endless, Some(PKG), 0);
    w.types.named[e.0 as usize].params = vec![param];
    let slice = w.types.slice(param_ty);
    let grown = w.types.instantiate(e, &[slice]);
    let pointer = w.types.pointer(grown);
    let body = w.strukt(&[("f", pointer, false)]);
    w.types.set_underlying(e, body);
    assert_eq!(w.types.expansion_cycle, Some(e));
    assert_ne!(ety, grown);
}

#[test]
fn inference() {
    let mut w = World::default();
    let any = w.interface(&[], None);
    let (k, v, s) = (
        w.interner.get("K"),
        w.interner.get("V"),
        w.interner.get("S"),
    );
    let (kp, kt) = w.types.declare_param(k, 0, any);
    let (vp, vt) = w.types.declare_param(v, 1, any);
    let map = w.types.intern(TyKind::Map(kt, vt));
    let arg = w.types.intern(TyKind::Map(STRING, INT));
    let (_, my_map) = w.named("M", arg);
    assert_eq!(
        w.types.infer(&[kp, vp], &[], &[(map, my_map)]),
        Ok(vec![STRING, INT])
    );
    // func f[K any](a, b K) with untyped constants.
    let untyped = [(kt, Basic::UntypedInt.ty()), (kt, Basic::UntypedFloat.ty())];
    assert_eq!(
        w.types.infer(&[kp], &[], &untyped),
        Ok(vec![Basic::Float64.ty()])
    );
    assert!(w.types.infer(&[kp, vp], &[], &[(kt, INT)]).is_err());
    assert!(
        w.types
            .infer(&[kp], &[], &[(kt, INT), (kt, STRING)])
            .is_err()
    );
    // func f[S ~[]K, K any](s S): K from S's core type.
    let slice = w.types.slice(kt);
    let terms = vec![Term {
        tilde: true,
        ty: slice,
    }];
    let constraint = w.interface(&[], Some(terms));
    let (sp, st) = w.types.declare_param(s, 0, constraint);
    let ints = w.types.slice(INT);
    let (_, my_ints) = w.named("Ints", ints);
    assert_eq!(
        w.types.infer(&[sp, kp], &[], &[(st, my_ints)]),
        Ok(vec![my_ints, INT])
    );
    // A call of itself.
    let (fresh, new) = w.types.rename(&[kp]);
    assert_eq!(w.types.infer(&fresh, &[], &[(new[0], kt)]), Ok(vec![kt]));
}

#[test]
fn printed_forms_and_keys() {
    let mut w = World::default();
    let empty = w.interface(&[], None);
    let bytes = w.types.slice(Basic::Uint8.ty());
    let s = w.strukt(&[("X", INT, false), ("b", bytes, false)]);
    let f = w.func(&[INT, s], &[STRING, empty]);
    let receiver = w.types.intern(TyKind::Chan(ChanDir::Recv, INT));
    let chan = w.types.intern(TyKind::Chan(ChanDir::Both, receiver));
    assert_eq!(
        w.show(f),
        "func(int, struct{X int; b []byte}) (string, any)"
    );
    assert_eq!(
        w.runtime(f),
        "func(int, struct { X int; b []uint8 }) (string, interface {})"
    );
    assert_eq!(w.show(chan), "chan (<-chan int)");
    let (_, n) = w.named("N", s);
    let pn = w.types.pointer(n);
    assert_eq!(w.runtime(pn), "*main.N");
    let names = TestNames(&w.interner);
    let key = |t: Ty| w.types.type_key(t, &names);
    assert_eq!(
        (key(INT) & 3, key(STRING) & 3, key(pn) & 3, key(n) & 3),
        (1, 2, 0, 2)
    );
    assert_ne!(key(n), key(s));
    // Written into heap files: must never change.
    assert_eq!(key(INT), KEY_OF_INT);
    let why = |t| {
        let bad = w.types.storable(t, &names).expect_err("not storable");
        bad.message(&w.types, &names, PKG)
    };
    assert_eq!(why(chan), "it is of type chan (<-chan int)");
}

const KEY_OF_INT: u64 = 15042090966274951017;

#[test]
fn unstorable_fields_have_paths() {
    let mut w = World::default();
    let chan = w.types.intern(TyKind::Chan(ChanDir::Both, INT));
    let conn = w.strukt(&[("notify", chan, false)]);
    let (_, conn) = w.named("Conn", conn);
    let conns = w.types.slice(conn);
    let server = w.strukt(&[("n", INT, false), ("conns", conns, false)]);
    let names = TestNames(&w.interner);
    let bad = w.types.storable(server, &names).expect_err("not storable");
    assert_eq!(
        bad.message(&w.types, &names, PKG),
        "field conns[].notify has type chan int"
    );
}

#[test]
fn interface_wrappers_are_sound() {
    let mut w = World::default();
    let sig = w.func(&[INT], &[INT, STRING]);
    let body = w.strukt(&[("X", INT, false)]);
    let (inner_id, inner) = w.named("Inner", body);
    w.method(inner_id, "P", true, sig, vec![]);
    w.method(inner_id, "V", false, sig, vec![]);
    let pointer = w.types.pointer(inner);
    let outer = w.strukt(&[("a", INT, false), ("Inner", pointer, true)]);
    let (_, outer) = w.named("Outer", outer);
    let pointer_to_outer = w.types.pointer(outer);
    let mut texts = Vec::new();
    for t in [pointer, outer, pointer_to_outer] {
        for entry in w.types.method_set(t) {
            let names = TestNames(&w.interner);
            let span = Default::default();
            match build::interface_wrapper(t, &entry.method, &names, span, &mut w.types) {
                WrapperFunc::Declared(_) => assert_eq!(t, pointer),
                WrapperFunc::Body(b) => {
                    assert_eq!(verify::verify(&b, &w.types), Vec::<String>::new());
                    texts.push(dump::dump(&b, &w.types, &names));
                }
            }
        }
    }
    assert_eq!(texts.len(), 5);
    assert_eq!(
        texts[1],
        "func main.Outer.P(%0 recv *main.Outer, %1 a0 int) (%2 r0 int, %3 r1 string) {\n  \
         %2, %3 = f0(*%0.1, %1)\n  return\n}\n"
    );
}
