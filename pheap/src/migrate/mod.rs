//! Migration: values of types that changed get the layout that a program wants (LANGUAGE.md §6), all of them in one
//! transaction. Types are matched by key, fields by name.
//!
//! The caller describes its types ([`Wanted`]), has a [`Survey`] made, which changes nothing, and then, in a transaction,
//! carries it out with [`Heap::migrate`]. Objects whose layout changes are copied to new ones, and every reference to
//! them is rewritten, those to their fields and elements too. Hash tables are the caller's: it gets the list of those
//! whose keys changed.

mod apply;
mod convert;
mod graph;
mod locate;
mod number;
mod schema;
mod text;
mod view;

use crate::Addr;
use crate::error::Error;
use crate::heap::Heap;
use crate::types::TypeDesc;

pub use graph::Survey;
pub use text::{Change, FieldChange, Verdict};

/// A type of the program.
#[derive(Clone, Debug)]
pub struct WantedType {
    pub desc: TypeDesc,
    /// Names that fields had before: name now, name then.
    pub was: Vec<(String, String)>,
}

/// A function of the program that makes values of a changed type: it is given the value as it was, as a value of the
/// program's type `old`, and the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maker {
    /// Keys of the program's types.
    pub old: u64,
    pub new: u64,
}

/// What a program wants of a heap.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub types: Vec<WantedType>,
    /// Keys of the types that the program's named roots have.
    pub roots: Vec<(String, u64)>,
    pub makers: Vec<Maker>,
    /// The user consents to losing what has no place in the new types: removed fields and fields of another type. Numbers
    /// that fit are narrowed; one that does not is an error.
    pub drop: bool,
}

/// What a migration did.
#[derive(Clone, Debug, Default)]
pub struct Migrated {
    /// Hash tables whose keys changed, or are hashed by address: address of the header, key of the map type.
    pub tables: Vec<(Addr, u64)>,
    /// Values that makers are to make, in the order of the makers.
    pub instances: Vec<Instance>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Index in `Wanted::makers`.
    pub maker: usize,
    /// A value of the maker's type `old`.
    pub old: Addr,
    pub new: Addr,
}

/// A root that the program has with a type that its value does not convert to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    pub name: String,
    /// Names of the types in the heap and in the program.
    pub old: String,
    pub new: String,
}

/// Why a migration is not possible.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// Types changed in a way that loses data.
    #[error("{}", text::refusal(.0))]
    Incompatible(Vec<Change>),
    /// A value or reference has no place in the new types.
    #[error("{0}")]
    Value(String),
    #[error(transparent)]
    Heap(#[from] Error),
}

impl Heap {
    /// Whether some type of the heap is not as wanted, so that a survey is needed.
    pub fn needs_migration(&self, wanted: &Wanted) -> bool {
        schema::differs(self, wanted)
    }
}
