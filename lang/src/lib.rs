//! The pgo language: source text to bytecode.

pub mod bytecode;
pub mod codes;
pub mod diagnostic;
pub mod package;
pub mod source;

pub(crate) mod syntax;
pub(crate) mod tir;
pub(crate) mod types;
