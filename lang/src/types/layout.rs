//! Sizes, alignments and field offsets: Go's own on 64-bit machines, which values have in frames,
//! in both heaps and in the heap file.
use super::ty::{Basic, Ty, TyKind, Types};

/// Size and alignment in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    pub size: u64,
    pub align: u64,
}

/// Sizes above this are refused by the checker ("type too large").
pub const MAX_SIZE: u64 = 1 << 50;

pub fn align_up(n: u64, align: u64) -> u64 {
    n.div_ceil(align).saturating_mul(align)
}

impl Types {
    /// The layout of a value. Types in error have size 8. Type parameters must have been
    /// substituted.
    pub fn layout(&self, t: Ty) -> Layout {
        let l = |size, align| Layout { size, align };
        match self.under(t) {
            TyKind::Basic(b) => match b {
                Basic::Bool | Basic::Int8 | Basic::Uint8 | Basic::UntypedBool => l(1, 1),
                Basic::Int16 | Basic::Uint16 => l(2, 2),
                Basic::Int32 | Basic::Uint32 | Basic::Float32 | Basic::UntypedRune => l(4, 4),
                Basic::Complex64 => l(8, 4),
                Basic::Complex128 | Basic::UntypedComplex => l(16, 8),
                Basic::String | Basic::UntypedString => l(16, 8),
                _ => l(8, 8),
            },
            TyKind::Slice(_) => l(24, 8),
            TyKind::Interface(_) => l(16, 8),
            TyKind::Array(e, n) => {
                let e = self.layout(*e);
                l(e.size.saturating_mul(*n), e.align)
            }
            TyKind::Struct(s) => {
                let (mut size, mut align) = (0u64, 1);
                for f in &s.fields {
                    let fl = self.layout(f.ty);
                    size = align_up(size, fl.align).saturating_add(fl.size);
                    align = align.max(fl.align);
                }
                l(align_up(size.min(u64::MAX - 64), align), align)
            }
            TyKind::Tuple(ts) => l(ts.iter().map(|t| self.slots(*t) as u64 * 8).sum(), 8),
            _ => l(8, 8),
        }
    }

    /// The number of 8-byte frame slots that a value takes.
    pub fn slots(&self, t: Ty) -> u32 {
        self.layout(t).size.div_ceil(8).min(u32::MAX as u64) as u32
    }

    /// Byte offsets of the fields of a struct type.
    pub fn field_offsets(&self, t: Ty) -> Vec<u64> {
        let TyKind::Struct(s) = self.under(t) else {
            return Vec::new();
        };
        let mut at = 0;
        s.fields
            .iter()
            .map(|f| {
                let fl = self.layout(f.ty);
                let o = align_up(at, fl.align);
                at = o.saturating_add(fl.size);
                o
            })
            .collect()
    }
}

impl Types {
    /// Is a value of this type stored in an interface's data word itself? True of scalars of at
    /// most 8 bytes and of pointer-shaped types (pointer, map, chan, func, unsafe.Pointer); all
    /// others are boxed: the word points to an immutable copy.
    pub fn is_direct(&self, t: Ty) -> bool {
        match self.under(t) {
            TyKind::Basic(b) => {
                !b.is_string() && !matches!(b, Basic::Complex128 | Basic::UntypedComplex)
            }
            TyKind::Pointer(_) | TyKind::Map(..) | TyKind::Chan(..) | TyKind::Func(_) => true,
            _ => false,
        }
    }
}
