//! Natives of packages runtime and runtime/debug.

use lang::bytecode::program::Kind;
use vm::native::{Ctx, NativeDef, NativeError};
use vm::value::ValueRef;

/// The words of a finalizer's argument; else what is wrong.
fn finalizer_args(c: &Ctx<'_>, obj: ValueRef<'_>, call: ValueRef<'_>) -> Result<Vec<u64>, String> {
    let (types, desc) = (c.types(), call.desc());
    let fits = |param| {
        let desc = types.desc(param);
        let is_pointer = desc.kind == Kind::Pointer
            && desc.elem == obj.desc().elem
            && (desc.type_name.is_empty() || obj.desc().type_name.is_empty());
        if param == obj.type_index() || is_pointer {
            return Some(vec![obj.pointer()]);
        }
        let is_implemented = desc.kind == Kind::Interface && types.missing_method(obj.type_index(), param).is_none();
        is_implemented.then(|| vec![obj.desc().key, obj.pointer()])
    };
    if desc.kind != Kind::Func {
        return Err(format!("second argument is {}, not a function", desc.name));
    }
    let found = match desc.params[..] {
        [param] if !desc.variadic => fits(param),
        _ => None,
    };
    found.ok_or_else(|| {
        format!("cannot pass {} to finalizer {}", obj.desc().name, desc.name)
    })
}

fn set_finalizer(c: &mut Ctx<'_>) -> Result<(), String> {
    let Some(obj) = c.any() else {
        return Err("first argument is nil".into());
    };
    let call = c.any();
    if obj.kind() != Kind::Pointer {
        return Err(format!("first argument is {}, not pointer", obj.desc().name));
    }
    let addr = obj.pointer();
    if addr == 0 {
        return Err("nil elem type!".into());
    }
    let object = c.volatile_object(addr);
    if object.is_some_and(|start| start != addr) {
        return Err("pointer not at beginning of allocated block".into());
    }
    let Some(call) = call else {
        c.set_finalizer(addr, 0, Vec::new());
        return Ok(());
    };
    let args = finalizer_args(c, obj, call)?;
    // A package variable, or persistent: it is never collected.
    if object.is_some() && !c.set_finalizer(addr, call.pointer(), args) {
        return Err("finalizer already set".into());
    }
    Ok(())
}

pub const NATIVES: &[NativeDef] = natives! {
    "runtime.GC" "func()" => |c| { let _ = c; return Err(NativeError::Collect); };
    "runtime.NumGoroutine" "func() int" => |c| { c.ret_int(c.goroutines() as i64); };
    "runtime.Gosched" "func()" => |c| { let _ = c; return Err(NativeError::Gosched); };
    "runtime.Goexit" "func()" => |c| { let _ = c; return Err(NativeError::Goexit); };
    "runtime.NumCPU" "func() int" => |c| {
        c.ret_int(std::thread::available_parallelism().map_or(1, |n| n.get() as i64));
    };
    "runtime.addresses" "func() []uintptr" => |c| {
        let all: Vec<i64> = c.caller_addresses().into_iter().map(|pc| pc as i64).collect();
        c.ret_ints(&all);
    };
    "runtime.place" "func(uintptr) (string, string, int, uintptr)" => |c| {
        let pc = c.uint();
        let place = c.place(pc);
        c.ret_str(place.as_ref().map_or("", |p| &p.function));
        c.ret_str(place.as_ref().map_or("", |p| &p.file));
        c.ret_int(place.as_ref().map_or(0, |p| p.line.into()));
        c.ret_uint(place.map_or(0, |p| p.entry));
    };
    "runtime.entryOf" "func(uintptr) uintptr" => |c| {
        let closure = c.uint();
        c.ret_uint(c.func_entry(closure).unwrap_or(0));
    };
    "runtime.trace" "func(bool) string" => |c| {
        let all = c.bool();
        c.ret_str(c.stack_trace(all));
    };
    "runtime.memory" "func() (uint64, uint64, uint64, uint64, uint64, uint64)" => |c| {
        let s = c.volatile_stats();
        for figure in [s.used_bytes, s.span_bytes, s.allocated_bytes, s.live_objects, s.freed_objects, s.collections] {
            c.ret_uint(figure);
        }
    };
    "runtime.setFinalizer" "func(interface {}, interface {}) string" => |c| {
        let result = set_finalizer(c);
        c.ret_str(result.err().unwrap_or_default());
    };
    "runtime.addCleanup" "func(interface {}, func()) uint64" => |c| {
        let (addr, call) = (c.any().map_or(0, |p| p.pointer()), c.ptr());
        let id = c.volatile_object(addr).map_or(0, |object| c.add_cleanup(object, call));
        c.ret_uint(id);
    };
    "runtime.stopCleanup" "func(uint64)" => |c| {
        let id = c.uint();
        if id != 0 {
            c.stop_cleanup(id);
        }
    };
    "runtime.throw" "func(string)" => |c| {
        let text = c.str();
        let text = String::from_utf8_lossy(c.get(text)).into_owned();
        return Err(NativeError::Fatal(text));
    };
};
