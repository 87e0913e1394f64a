//! Go's types, interned: identical types have one `Ty`.
pub mod constant;
pub mod implements;
pub mod infer;
pub mod layout;
pub mod literal;
pub mod lookup;
pub mod predicates;
pub mod print;
pub mod relations;
pub mod subst;
pub mod ty;

#[cfg(test)]
mod tests;
