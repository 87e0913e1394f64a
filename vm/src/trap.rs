//! Run-time errors with Go's texts, and what a panic in flight is.
//!
//! The value of a run-time error is of the type named `runtime.rtError` (underlying type string, with methods
//! `Error() string` and `RuntimeError()`), which the library's package runtime declares and the compiler includes;
//! its string is the whole text, `runtime error: ` and all; that of a failed type assertion is a
//! `*runtime.TypeAssertionError`. The compiler includes both where a program can recover; others get a plain string.

/// Raised by an instruction. Texts follow Go's.
#[derive(Clone, Debug)]
pub(crate) enum Trap {
    NilDeref,
    DivideByZero,
    /// `panic(nil)`.
    NilPanic,
    Index {
        index: i64,
        len: u64,
    },
    /// `s[i:j:k]` out of range; the text after `slice bounds out of range `.
    SliceBounds(String),
    /// A run-time error by its text after `runtime error: `.
    Runtime(String),
    /// A run-time error whose text has no such prefix.
    Plain(String),
    /// A failed type assertion.
    Assertion(String),
    /// The program's own panic: an interface value.
    Value(u64, u64),
    /// A panic with a string as its value.
    Message(String),
    /// Ends the program at once.
    Fatal(String),
    /// os.Exit.
    Exit(i32),
    /// runtime.Goexit: unwinds as a panic that nothing recovers.
    Goexit,
}

/// Go words this error in another way, and without a prefix, where the map holds nothing.
pub(crate) const UNHASHABLE_IN_EMPTY_MAP: &str = "hash of unhashable type: ";

impl Trap {
    /// Of an operation on maps or values that failed.
    pub fn of_failure(text: String) -> Trap {
        if text.starts_with(UNHASHABLE_IN_EMPTY_MAP) {
            Trap::Plain(text)
        } else {
            Trap::Runtime(text)
        }
    }

    /// The whole text of a run-time error.
    pub fn text(&self) -> Option<String> {
        Some(match self {
            Trap::NilDeref => {
                "runtime error: invalid memory address or nil pointer dereference".into()
            }
            Trap::NilPanic => "runtime error: panic called with nil argument".into(),
            Trap::DivideByZero => "runtime error: integer divide by zero".into(),
            Trap::Index { index, .. } if *index < 0 => {
                format!("runtime error: index out of range [{index}]")
            }
            Trap::Index { index, len } => {
                format!("runtime error: index out of range [{index}] with length {len}")
            }
            Trap::SliceBounds(text) => format!("runtime error: slice bounds out of range {text}"),
            Trap::Runtime(text) => format!("runtime error: {text}"),
            Trap::Plain(text) | Trap::Assertion(text) => text.clone(),
            Trap::Value(..) | Trap::Message(_) | Trap::Fatal(_) | Trap::Exit(_) | Trap::Goexit => {
                return None;
            }
        })
    }
}

/// A panic that unwinds, or did until a deferred function took over.
#[derive(Debug)]
pub(crate) struct Panic {
    /// The interface value.
    pub key: u64,
    pub data: u64,
    /// Of a run-time error without a type to hold it, and for the line about the signal.
    pub text: Option<String>,
    pub is_nil_deref: bool,
    /// No panic but the unwinding of runtime.Goexit: nothing can recover it.
    pub is_goexit: bool,
    /// Frame (slot number of its slot 0) and place where it was raised.
    pub frame: usize,
    pub pc: *const u64,
    /// The frame whose deferred function runs, and that function's own frame.
    pub deferring: usize,
    pub deferring_pc: *const u64,
    pub deferred: usize,
    pub recovered: bool,
    /// What runs is a transaction's hook: it cannot recover.
    pub in_hook: bool,
}
