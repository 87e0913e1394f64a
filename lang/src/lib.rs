//! The pgo language: source text to bytecode.

pub mod codes;
pub mod diagnostic;
pub mod source;

pub(crate) mod syntax;
