//! The environment as the program sees it: a copy, since changing a process's own is not safe from threads.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

thread_local! {
    static VARS: RefCell<Option<Vec<(OsString, OsString)>>> = const { RefCell::new(None) };
}

fn with<T>(f: impl FnOnce(&mut Vec<(OsString, OsString)>) -> T) -> T {
    VARS.with_borrow_mut(|vars| f(vars.get_or_insert_with(|| std::env::vars_os().collect())))
}

pub fn get(key: &OsStr) -> Option<OsString> {
    with(|vars| vars.iter().find(|v| v.0 == key).map(|v| v.1.clone()))
}

/// Sets a variable, or removes it for None.
pub fn set(key: OsString, value: Option<OsString>) {
    with(|vars| {
        let at = vars.iter().position(|v| v.0 == key);
        match (at, value) {
            (Some(at), Some(value)) => vars[at].1 = value,
            (Some(at), None) => drop(vars.remove(at)),
            (None, Some(value)) => vars.push((key, value)),
            (None, None) => {}
        }
    });
}

/// All variables as `key=value`.
pub fn all() -> Vec<Vec<u8>> {
    with(|vars| {
        vars.iter()
            .map(|(k, v)| [k.as_bytes(), b"=", v.as_bytes()].concat())
            .collect()
    })
}
