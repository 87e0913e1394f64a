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
    "pmem.open" "func(string) (bool, string)" => |c| {
        let path = path_of(c);
        let result = c.pmem_open(&path);
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
    "pmem.sync" "func() string" => |c| {
        let result = c.pmem_sync();
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
};
