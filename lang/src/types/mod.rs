//! Go's types, interned: identical types have one `Ty`.
pub mod layout;
pub mod ty;
