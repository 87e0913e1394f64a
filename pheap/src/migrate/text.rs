//! What changed in a type, as data and in words.

use std::fmt::{self, Write};

/// A type that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub type_name: String,
    /// In the order of the new type, removed ones last.
    pub fields: Vec<FieldChange>,
    /// Values of the type in the heap.
    pub values: u64,
    /// A function of the program makes the new values.
    pub made: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Empty for a change of the type itself.
    pub name: String,
    /// Name of the type in the heap; empty for an added field.
    pub old: String,
    /// Name of the type in the program; empty for a removed field.
    pub new: String,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Same,
    Added,
    Widened,
    /// The name before.
    Renamed(String),
    /// The fields have another order.
    Reordered,
    Removed,
    Narrowed,
    Incompatible,
}

impl FieldChange {
    pub(super) fn reordered() -> FieldChange {
        FieldChange {
            name: String::new(),
            old: String::new(),
            new: String::new(),
            verdict: Verdict::Reordered,
        }
    }

    /// Whether data is lost by it.
    pub fn is_lossy(&self) -> bool {
        matches!(
            self.verdict,
            Verdict::Removed | Verdict::Narrowed | Verdict::Incompatible
        )
    }
}

impl Change {
    /// Whether the type is written out wherever it is used.
    pub fn is_unnamed(&self) -> bool {
        self.type_name.contains([' ', '[', '*'])
    }

    /// Whether it needs the user's consent, or a function of the program.
    pub fn is_lossy(&self) -> bool {
        !self.made && self.fields.iter().any(FieldChange::is_lossy)
    }
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FieldChange { name, old, new, .. } = self;
        let space = if name.is_empty() { "" } else { " " };
        match &self.verdict {
            Verdict::Same => write!(f, "  {name} {new}"),
            Verdict::Added => write!(f, "+ {name} {new} (added)"),
            Verdict::Widened => write!(f, "~ {name}{space}{old} → {new} (widened)"),
            Verdict::Renamed(before) if old == new => {
                write!(f, "~ {before} → {name} {new} (renamed)")
            }
            Verdict::Renamed(before) => write!(f, "~ {before} {old} → {name} {new} (renamed)"),
            Verdict::Reordered => write!(f, "~ fields in another order"),
            Verdict::Removed => write!(f, "- {name} {old} (removed)"),
            Verdict::Narrowed => write!(f, "~ {name}{space}{old} → {new} (narrowed)"),
            Verdict::Incompatible => {
                write!(f, "~ {name}{space}{old} → {new} (another type)")
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "type {}", self.type_name)?;
        let by = if self.made { ", by pmem.Migrate" } else { "" };
        match self.values {
            0 => {}
            1 => write!(f, " (1 value{by})")?,
            n => write!(f, " ({n} values{by})")?,
        }
        self.fields
            .iter()
            .try_for_each(|field| write!(f, "\n    {field}"))
    }
}

/// The types that cannot be migrated, line by line.
pub(super) fn refusal(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        let _ = write!(text, "\n  {change}");
    }
    text
}
