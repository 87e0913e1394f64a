//! Go's types, interned: identical types have one `Ty`.
pub mod constant;
pub mod layout;
pub mod literal;
pub mod print;
pub mod subst;
pub mod ty;
