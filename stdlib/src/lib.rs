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

mod bessel;
mod calendar;
mod cooked;
mod duration;
mod elementary;
mod env;
mod format;
mod host;
pub use host::set_seed;
mod num;
mod real;
mod regex;
mod special;
mod text;
mod trigonometry;
mod ucd;
mod zones;

/// Declares the native modules, the package table and the list of native tables.
macro_rules! packages {
    ($($module:ident $rs:literal)*; $($path:literal $(+ $more:literal)*)*) => {
        $(#[path = $rs] mod $module;)*

        /// Import path and source of each package, sorted by path.
        const SOURCES: &[(&str, &[(&str, &str)])] =
            &[$(($path, &[
                (concat!($path, ".pgo"), include_str!(concat!("../", $path, ".pgo")))
                $(, (concat!($more, ".pgo"), include_str!(concat!("../", $more, ".pgo"))))*
            ])),*];

        const NATIVES: &[&[NativeDef]] = &[$($module::NATIVES),*];
    };
}

packages! {
    atomic "../sync/atomic.rs"
    big "../math/big.rs"
    binary "../encoding/binary.rs"
    bits "../math/bits.rs"
    blockhash "../internal/blockhash.rs"
    bufio "../bufio.rs"
    bytes "../bytes.rs"
    checksums "../hash/crc32.rs"
    context "../context.rs"
    crypto_rand "../crypto/rand.rs"
    errors "../errors.rs"
    flag "../flag.rs"
    fmt "../fmt.rs"
    html "../html.rs"
    json "../encoding/json.rs"
    log "../log.rs"
    maphash "../hash/maphash.rs"
    math "../math.rs"
    net "../net.rs"
    os "../os.rs"
    os_process "../os_process.rs"
    os_signal "../os/signal.rs"
    path "../path.rs"
    pmem "../pmem.rs"
    radix "../internal/radix.rs"
    randsource "../internal/randsource.rs"
    reflect "../reflect.rs"
    regexp "../regexp.rs"
    runtime "../runtime.rs"
    show "../internal/show.rs"
    slicesort "../internal/slicesort.rs"
    stdio "../internal/stdio.rs"
    strconv "../strconv.rs"
    strings "../strings.rs"
    sync "../sync.rs"
    testing "../testing.rs"
    time "../time.rs"
    unicode "../unicode.rs"
    utf8 "../unicode/utf8.rs"
    ;
    "bufio"
    "bytes" + "bytes_seq"
    "cmp"
    "container/heap"
    "container/list"
    "container/ring"
    "context"
    "crypto"
    "crypto/hmac"
    "crypto/md5"
    "crypto/rand"
    "crypto/sha1"
    "crypto/sha256"
    "crypto/sha512"
    "crypto/subtle"
    "encoding"
    "encoding/ascii85"
    "encoding/base32"
    "encoding/base64"
    "encoding/binary" + "encoding/binary_value"
    "encoding/csv"
    "encoding/hex"
    "encoding/json" + "encoding/json_fields" + "encoding/json_decode" + "encoding/json_stream"
    "encoding/pem"
    "errors"
    "flag" + "flag_types"
    "fmt" + "fmt_scan" + "fmt_source"
    "hash"
    "hash/adler32"
    "hash/crc32"
    "hash/crc64"
    "hash/fnv"
    "hash/maphash"
    "html"
    "internal/blockhash"
    "internal/jsontext"
    "internal/oserror"
    "internal/radix"
    "internal/randsource"
    "internal/show"
    "internal/slicesort"
    "internal/stdio"
    "io" + "io_pipe"
    "io/fs" + "io/fs_sub"
    "io/ioutil"
    "iter" + "iter_pull"
    "log"
    "log/slog" + "log/slog_logger" + "log/slog_handler"
    "maps"
    "math"
    "math/big" + "math/big_float" + "math/big_ftoa" + "math/big_rat" + "math/big_text"
    "math/bits"
    "math/cmplx"
    "math/rand"
    "math/rand/v2" + "math/rand/v2_source"
    "net" + "net_addr" + "net_conn" + "net_dial" + "net_interface" + "net_ip" + "net_lookup" + "net_pipe" + "net_socket" + "net_udp"
    "net/url" + "net/url_values"
    "os" + "os_env" + "os_fs" + "os_more" + "os_process"
    "os/exec"
    "os/signal"
    "os/user"
    "path"
    "path/filepath"
    "pmem"
    "reflect" + "reflect_type" + "reflect_map" + "reflect_make" + "reflect_call" + "reflect_chan" + "reflect_convert" + "reflect_deep" + "reflect_set"
    "regexp"
    "regexp/syntax"
    "runtime" + "runtime_callers" + "runtime_memory"
    "runtime/debug"
    "slices" + "slices_iter" + "slices_sort"
    "sort"
    "strconv"
    "strings"
    "structs"
    "sync" + "sync_map"
    "sync/atomic" + "sync/atomic_types"
    "syscall"
    "testing" + "testing_bench" + "testing_fuzz" + "testing_run"
    "testing/iotest"
    "text/tabwriter"
    "text/template" + "text/template_lex" + "text/template_parse" + "text/template_exec" + "text/template_funcs"
    "time" + "time_marshal" + "time_timer"
    "transaction"
    "unicode" + "unicode_case" + "unicode_tables"
    "unicode/utf16"
    "unicode/utf8"
    "unique"
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

    const PREDECLARED: [&str; 15] = [
        "bool", "error", "float32", "float64", "int", "int8", "int16", "int32", "int64", "string",
        "uint", "uint16", "uint32", "uint64", "uintptr",
    ];

    #[test]
    fn packages_say_what_they_are_for() {
        for (path, files) in SOURCES {
            let text = |(name, text): &(&str, &str)| (name.to_string(), text.as_bytes().to_vec());
            let doc = lang::doc::package(files.iter().map(text).collect());
            let start = format!("Package {} ", doc.name);
            assert!(
                doc.comment.starts_with(&start),
                "package {path} has no comment that starts with {start:?}"
            );
        }
    }

    /// A type as `%T` prints it.
    fn printed(ty: &str, package: &str) -> String {
        match ty {
            "any" => "interface {}".into(),
            "byte" => "uint8".into(),
            "rune" => "int32".into(),
            _ if ty.starts_with("[]") => format!("[]{}", printed(&ty[2..], package)),
            _ if ty.starts_with('*') => format!("*{}", printed(&ty[1..], package)),
            _ if ty.starts_with("chan ") => format!("chan {}", printed(&ty[5..], package)),
            _ if PREDECLARED.contains(&ty) || ty.contains(['.', '(']) => ty.into(),
            _ => format!("{package}.{ty}"),
        }
    }

    /// The types of `a, b int, c string`, or of unnamed results.
    fn types(list: &str, package: &str) -> Vec<String> {
        let entries: Vec<&str> = list
            .split(',')
            .map(str::trim)
            .filter(|e| !e.is_empty())
            .collect();
        let named = entries.iter().any(|e| e.contains(' '));
        let mut out = Vec::new();
        let mut ty = "";
        for entry in entries.iter().rev() {
            match entry.split_once(' ') {
                Some((_, t)) => ty = t,
                None if !named => ty = entry,
                None => {}
            }
            out.push(printed(ty, package));
        }
        out.reverse();
        out
    }

    /// Name and signature of a declaration without a body.
    fn declaration(line: &str, package: &str) -> (String, String) {
        let (name, rest) = line["func ".len()..].split_once('(').expect("parameters");
        let mut depth = 1;
        let end = rest.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        let (params, results) = rest.split_at(end.expect("end of parameters"));
        let results = results[1..].trim();
        let list = types(results.trim_matches(['(', ')']), package);
        let results = match &list[..] {
            [] => String::new(),
            [one] => format!(" {one}"),
            many => format!(" ({})", many.join(", ")),
        };
        (
            name.into(),
            format!("func({}){results}", types(params, package).join(", ")),
        )
    }

    #[test]
    fn natives_match_declarations() {
        let mut declared = BTreeSet::new();
        for (path, files) in SOURCES {
            let package = path.rsplit('/').next().unwrap();
            for (_, text) in *files {
                for line in text
                    .lines()
                    .filter(|line| line.starts_with("func ") && !line.contains('{'))
                {
                    let (name, sig) = declaration(line, package);
                    declared.insert((format!("{path}.{name}"), sig));
                }
            }
        }
        let defined: BTreeSet<_> = natives()
            .iter()
            .map(|def| (def.name.to_string(), def.sig.to_string()))
            .collect();
        let missing: Vec<_> = declared.difference(&defined).collect();
        let surplus: Vec<_> = defined.difference(&declared).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "declared only: {missing:#?}\ndefined only: {surplus:#?}"
        );
        assert_eq!(defined.len(), natives().len(), "a native is defined twice");
    }
}
