//! From text to syntax tree.

mod actions;
mod actions_stmt;
pub mod ast;
pub mod depth;
mod errors;
mod lexer;
pub mod literal;
mod parser;
pub(crate) mod semicolons;
pub mod symbol;
#[cfg(test)]
mod tests;
pub(crate) mod token;

pub use parser::{is_incomplete, is_program, parse_file, parse_tokens};

lalrpop_util::lalrpop_mod!(
    #[allow(clippy::all, unused)]
    grammar,
    "/syntax/grammar.rs"
);
