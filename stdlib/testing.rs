//! Natives of package testing: where a message comes from, what has been allocated.
use vm::native::NativeDef;

pub const NATIVES: &[NativeDef] = natives! {
    "testing.callers" "func() ([]string, []string, []int)" => |c| {
        let (mut names, mut files, mut lines) = (Vec::new(), Vec::new(), Vec::new());
        for address in c.caller_addresses() {
            if let Some(place) = c.place(address) {
                names.push(c.new_str(place.function.as_bytes()));
                files.push(c.new_str(place.file.as_bytes()));
                lines.push(i64::from(place.line));
            }
        }
        c.ret_strs(&names);
        c.ret_strs(&files);
        c.ret_ints(&lines);
    };
    "testing.allocations" "func() (uint64, uint64)" => |c| {
        let stats = c.volatile_stats();
        c.ret_uint(stats.live_objects + stats.freed_objects);
        c.ret_uint(stats.allocated_bytes);
    };
};
