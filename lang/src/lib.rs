//! The pgo language: source text to bytecode.
