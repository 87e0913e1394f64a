//! Natives of package pmem.

use lang::bytecode::program::Kind;
use vm::native::{Ctx, NativeDef};

/// The last result of most natives here: an error's text or "".
fn ret_error<T>(c: &mut Ctx, result: Result<T, String>) {
    c.ret_str(result.err().unwrap_or_default());
}

fn path_of(c: &mut Ctx) -> String {
    let s = c.str();
    String::from_utf8_lossy(c.get(s)).into_owned()
}

pub const NATIVES: &[NativeDef] = natives! {
    "pmem.open" "func(string, bool) (bool, string)" => |c| {
        let path = path_of(c);
        let may_fail = c.bool();
        let result = c.pmem_open(&path, may_fail);
        c.ret_bool(result == Ok(true));
        ret_error(c, result);
    };
    "pmem.initHeap" "func() (bool, string)" => |c| {
        let result = c.pmem_init();
        c.ret_bool(result == Ok(true));
        ret_error(c, result);
    };
    "pmem.roots" "func() ([]string, string)" => |c| {
        let result = c.pmem_roots();
        let names: Vec<_> = result.iter().flatten().map(|name| c.new_str(name.as_bytes())).collect();
        c.ret_strs(&names);
        ret_error(c, result);
    };
    "pmem.remove" "func(string) (bool, string)" => |c| {
        let name = path_of(c);
        let result = c.pmem_delete(&name);
        c.ret_bool(result == Ok(true));
        ret_error(c, result);
    };
    "pmem.inHeap" "func(interface {}) bool" => |c| {
        let inside = c.any().is_some_and(|v| match v.kind() {
            Kind::Pointer | Kind::Slice | Kind::Map | Kind::String | Kind::UnsafePointer => {
                !v.is_foreign() && c.pmem_contains(v.pointer())
            }
            _ => false,
        });
        c.ret_bool(inside);
    };
    "pmem.hook" "func(func(), bool) bool" => |c| {
        let (closure, on_commit) = (c.ptr(), c.bool());
        let waits = c.pmem_hook(closure, on_commit);
        c.ret_bool(waits);
    };
    "pmem.register" "func(interface {}, interface {}, func()) string" => |c| {
        let (old, new, driver) = (c.any(), c.any(), c.ptr());
        let result = match (old, new) {
            (Some(old), Some(new)) => c.pmem_add_maker(old.desc().elem, new.desc().elem, driver),
            _ => Err("pmem: nil".into()),
        };
        ret_error(c, result);
    };
    "pmem.beginMigration" "func() string" => |c| {
        let result = c.pmem_begin_migration();
        ret_error(c, result);
    };
    "pmem.nextInstance" "func() (int, unsafe.Pointer, unsafe.Pointer)" => |c| {
        let (function, old, new) = match c.pmem_next_instance() {
            Some((function, old, new)) => (function as i64, old, new),
            None => (-1, 0, 0),
        };
        c.ret_int(function);
        c.ret_ptr(old);
        c.ret_ptr(new);
    };
    "pmem.finishMigration" "func() string" => |c| {
        let result = c.pmem_finish_migration();
        ret_error(c, result);
    };
    "pmem.sync" "func() string" => |c| {
        let result = c.pmem_sync()?;
        ret_error(c, result);
    };
    "pmem.checkpoint" "func() string" => |c| {
        let result = c.pmem_checkpoint();
        ret_error(c, result);
    };
    "pmem.collect" "func() (uint64, string)" => |c| {
        let result = c.pmem_collect();
        c.ret_uint(*result.as_ref().unwrap_or(&0));
        ret_error(c, result);
    };
    "pmem.stats" "func() ([]string, []int, string)" => |c| {
        let result = c.pmem_stats();
        let names: Vec<_> = result.iter().flatten().map(|entry| c.new_str(entry.0.as_bytes())).collect();
        let values: Vec<i64> = result.iter().flatten().map(|entry| entry.1 as i64).collect();
        c.ret_strs(&names);
        c.ret_ints(&values);
        ret_error(c, result);
    };
    "pmem.root" "func(string, interface {}, bool) (unsafe.Pointer, string)" => |c| {
        let (name, x, make) = (path_of(c), c.any(), c.bool());
        let result = match x {
            Some(x) if x.kind() == Kind::Pointer => c.pmem_root(&name, x.desc().elem, make),
            _ => Err("pmem: the argument is no pointer".into()),
        };
        c.ret_ptr(*result.as_ref().unwrap_or(&0));
        ret_error(c, result);
    };
    "pmem.slice" "func(string, interface {}, int, bool) (interface {}, string)" => |c| {
        let (name, x, size, make) = (path_of(c), c.any(), c.int(), c.bool());
        let (ty, result) = match x {
            Some(x) if x.kind() == Kind::Slice => {
                let ty = x.type_index();
                (ty, match (make, u64::try_from(size)) {
                    (false, _) => c.pmem_root(&name, ty, false),
                    (true, Ok(size)) => c.pmem_make_slice(&name, ty, size),
                    (true, Err(_)) => Err("pmem: negative length".into()),
                })
            }
            _ => (0, Err("pmem: the argument is no slice".into())),
        };
        let value = result.as_ref().ok().and_then(|&at| c.view(ty, at));
        c.ret_any(value);
        ret_error(c, result);
    };
};
