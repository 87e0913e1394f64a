//! Hand-assembled programs.
use lang::bytecode::op::{Op, encode, encode_bc};
use lang::bytecode::program::{
    FuncValue, Function, Kind, MethodId, NO_FUNC, NO_TYPE, Program, PtrKind, TypeDesc,
};
use lang::source::Span;

use crate::{HeapChoice, NativeDef, NativeError, Options, Outcome, Vm};

mod calls;
mod maps;
mod persistent;

/// Results that programs under test report through the native `test.put`.
fn put(ctx: &mut crate::Ctx<'_>) -> Result<(), NativeError> {
    let n = ctx.int();
    SEEN.with_borrow_mut(|seen| seen.push(n));
    Ok(())
}

fn put_str(ctx: &mut crate::Ctx<'_>) -> Result<(), NativeError> {
    let s = ctx.any();
    let text = match s {
        Some(value) => String::from_utf8_lossy(value.str()).into_owned(),
        None => "nil".into(),
    };
    TEXTS.with_borrow_mut(|seen| seen.push(text));
    Ok(())
}

thread_local! {
    static SEEN: std::cell::RefCell<Vec<i64>> = const { std::cell::RefCell::new(Vec::new()) };
    static TEXTS: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

static NATIVES: &[NativeDef] = &[
    NativeDef {
        name: "test.put",
        sig: "func(int)",
        f: put,
    },
    NativeDef {
        name: "test.putStr",
        sig: "func(any)",
        f: put_str,
    },
];

// Types of every program under test.
const INT: u32 = 0;
const STRING: u32 = 1;
// 2 is runtime.rtError.
const MAP_INT_INT: u32 = 3;
const MAP_STR_INT: u32 = 4;
const NODE: u32 = 5;
const NODE_PTR: u32 = 6;

fn desc(name: &str, key: u64, kind: Kind, size: u64, ptrs: &[(u32, PtrKind)]) -> TypeDesc {
    TypeDesc {
        name: name.into(),
        pkg_path: String::new(),
        type_name: name.into(),
        key,
        hash: key,
        kind,
        size,
        align: 8,
        direct: size == 8 && kind != Kind::Struct,
        comparable: true,
        ptrs: ptrs.to_vec(),
        elem: NO_TYPE,
        map_key: NO_TYPE,
        len: 0,
        fields: Vec::new(),
        params: Vec::new(),
        results: Vec::new(),
        variadic: false,
        methods: Vec::new(),
        iface_methods: Vec::new(),
        prints_by_method: false,
        storable: true,
    }
}

/// A program of functions given as (frame slots, recover word, code); functions are func values too.
fn program(funcs: Vec<(u32, Option<u32>, Vec<u64>)>) -> Program {
    let field = |name: &str, ty, offset| lang::bytecode::program::FieldDesc {
        name: name.into(),
        ty,
        offset,
        embedded: false,
        exported: true,
        pkg_path: String::new(),
        tag: String::new(),
    };
    let map = |name: &str, key, map_key| TypeDesc {
        map_key,
        elem: INT,
        ..desc(name, key, Kind::Map, 8, &[(0, PtrKind::Ptr)])
    };
    let types = vec![
        desc("int", 0x101, Kind::Int, 8, &[]),
        desc("string", 0x102, Kind::String, 16, &[(0, PtrKind::Ptr)]),
        desc(
            "runtime.rtError",
            0x202,
            Kind::String,
            16,
            &[(0, PtrKind::Ptr)],
        ),
        map("map[int]int", 0x300, INT),
        map("map[string]int", 0x400, STRING),
        TypeDesc {
            fields: vec![field("value", INT, 0), field("next", NODE_PTR, 8)],
            ..desc("main.Node", 0x502, Kind::Struct, 16, &[(8, PtrKind::Ptr)])
        },
        TypeDesc {
            elem: NODE,
            ..desc("*main.Node", 0x600, Kind::Pointer, 8, &[(0, PtrKind::Ptr)])
        },
    ];
    let mut program = Program::default();
    for (i, (frame_slots, recover_pc, code)) in funcs.into_iter().enumerate() {
        program.func_values.push(FuncValue {
            plain: i as u32,
            txn: i as u32,
        });
        program.funcs.push(Function {
            name: format!("main.f{i}"),
            instance: String::new(),
            code,
            frame_slots,
            result_slots: 0,
            param_slots: 0,
            recover_pc,
            wrapper: false,
            value_method: false,
            lines: Vec::new(),
            store_notes: Vec::new(),
            reads: Vec::new(),
            span: Span::default(),
        });
    }
    let native = |name: &str, sig: &str| lang::bytecode::program::NativeRef {
        name: name.into(),
        sig: sig.into(),
        result_slots: 0,
    };
    program.natives = vec![
        native("test.put", "func(int)"),
        native("test.putStr", "func(any)"),
    ];
    program.types = types;
    program.methods = vec![MethodId {
        name: "Error".into(),
        sig: "func() string".into(),
    }];
    program.error_method = 0;
    program.string_method = NO_FUNC;
    for text in ["abc", "defg"] {
        program.strings.push(text.as_bytes().into());
    }
    program
}

fn options() -> Options {
    Options {
        heap: HeapChoice::Ephemeral,
        ..Options::default()
    }
}

fn run_with(options: Options, program: &Program) -> (Outcome, Vec<i64>) {
    SEEN.with_borrow_mut(Vec::clear);
    TEXTS.with_borrow_mut(Vec::clear);
    let mut vm = Vm::new(options, NATIVES);
    vm.load(program);
    let outcome = vm.run(0);
    vm.close().unwrap();
    (outcome, SEEN.with_borrow(Vec::clone))
}

fn run(program: &Program) -> (Outcome, Vec<i64>) {
    run_with(options(), program)
}

fn op(op: Op, a: i64, b: i64, c: i64) -> u64 {
    encode(op, a as u16, b as u16, c as u16)
}

fn op2(op: Op, a: i64, bc: i64) -> u64 {
    encode_bc(op, a as u16, bc as u32)
}

/// Reports slot `n` of a frame whose window for calls starts at `window`.
fn put_slot(window: i64, n: i64) -> [u64; 2] {
    [op(Op::Mov, window, n, 0), op2(Op::CallN, window, 0)]
}
