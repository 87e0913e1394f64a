//! The library: sources of its packages, and the natives that their declarations without a body name.
#![forbid(unsafe_code)]

use std::sync::LazyLock;

use vm::native::NativeDef;

/// A package's natives: `"name" "signature" => |ctx| { body };` each.
macro_rules! natives {
    ($($name:literal $sig:literal => |$c:ident| $body:block;)*) => {
        &[$(vm::native::NativeDef {
            name: $name,
            sig: $sig,
            f: {
                #[allow(unreachable_code, clippy::needless_return)] // A body may end in a return.
                fn native($c: &mut vm::native::Ctx<'_>) -> Result<(), vm::native::NativeError> {
                    $body
                    Ok(())
                }
                native
            },
        }),*]
    };
}

mod calendar;
mod env;
mod format;
mod host;
mod num;
mod real;
mod text;
mod zones;

/// Declares the native modules, the package table and the list of native tables.
macro_rules! packages {
    ($($module:ident $rs:literal)*; $($path:literal)*) => {
        $(#[path = $rs] mod $module;)*

        /// Import path and source of each package, sorted by path.
        const SOURCES: &[(&str, &[(&str, &str)])] =
            &[$(($path, &[(concat!($path, ".pgo"), include_str!(concat!("../", $path, ".pgo")))])),*];

        const NATIVES: &[&[NativeDef]] = &[$($module::NATIVES),*];
    };
}

packages! {
    bits "../math/bits.rs"
    bufio "../bufio.rs"
    bytes "../bytes.rs"
    errors "../errors.rs"
    fmt "../fmt.rs"
    math "../math.rs"
    os "../os.rs"
    path "../path.rs"
    pmem "../pmem.rs"
    rand "../math/rand.rs"
    runtime "../runtime.rs"
    sort "../sort.rs"
    stdio "../internal/stdio.rs"
    strconv "../strconv.rs"
    strings "../strings.rs"
    time "../time.rs"
    unicode "../unicode.rs"
    utf8 "../unicode/utf8.rs"
    ;
    "bufio"
    "bytes"
    "errors"
    "fmt"
    "internal/oserror"
    "internal/slicesort"
    "internal/stdio"
    "io"
    "io/fs"
    "math"
    "math/bits"
    "math/rand"
    "os"
    "path"
    "path/filepath"
    "pmem"
    "runtime"
    "sort"
    "strconv"
    "strings"
    "sync"
    "syscall"
    "time"
    "transaction"
    "unicode"
    "unicode/utf8"
}

/// go-pmem's import paths.
const ALIASES: [(&str, &str); 2] = [
    ("github.com/vmware/go-pmem-transaction/pmem", "pmem"),
    (
        "github.com/vmware/go-pmem-transaction/transaction",
        "transaction",
    ),
];

/// The path by which the library knows a package: an alias resolved, others unchanged.
pub fn canonical(path: &str) -> &str {
    ALIASES
        .iter()
        .find(|alias| alias.0 == path)
        .map_or(path, |alias| alias.1)
}

/// The files of a package, (name, text) each; None if the library has no such package. Aliases are resolved.
pub fn source(path: &str) -> Option<&'static [(&'static str, &'static str)]> {
    let path = canonical(path);
    SOURCES
        .binary_search_by_key(&path, |package| package.0)
        .ok()
        .map(|at| SOURCES[at].1)
}

/// Import paths of all packages, sorted; those under `internal/` are not for programs.
pub fn packages() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|package| package.0)
}

/// All natives, in no particular order.
pub fn natives() -> &'static [NativeDef] {
    static ALL: LazyLock<Vec<NativeDef>> = LazyLock::new(|| NATIVES.concat());
    &ALL
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn paths_are_sorted() {
        assert!(SOURCES.is_sorted_by_key(|package| package.0));
        assert!(source("github.com/vmware/go-pmem-transaction/pmem").is_some());
        assert!(source("nonesuch").is_none());
    }

    /// Declarations of functions without a body: lines that start with `func` and neither open nor close one.
    fn bodiless(text: &str) -> impl Iterator<Item = &str> {
        text.lines()
            .filter(|line| line.starts_with("func ") && !line.contains('{'))
            .map(|line| {
                let name = &line["func ".len()..];
                &name[..name.find('(').expect("parameters")]
            })
    }

    #[test]
    fn natives_match_declarations() {
        let mut declared = BTreeSet::new();
        for (path, files) in SOURCES {
            let package = path.rsplit('/').next().unwrap();
            for (_, text) in *files {
                declared.extend(bodiless(text).map(|name| format!("{package}.{name}")));
            }
        }
        let defined: BTreeSet<String> = natives().iter().map(|def| def.name.to_string()).collect();
        assert_eq!(declared, defined);
        assert_eq!(defined.len(), natives().len(), "a native is defined twice");
    }
}
