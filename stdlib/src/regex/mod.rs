//! Regular expressions with the syntax and the meaning of Go's package regexp, on the engines of regex-automata.

mod exec;
mod longest;
mod parse;
mod template;

pub use exec::{Compiled, compiled};
pub use parse::Error;
pub use template::expand;

/// Mode bit: the syntax of POSIX egrep.
pub const POSIX: i64 = 1;
/// Mode bit: of the matches at the leftmost place the longest.
pub const LONGEST: i64 = 2;
