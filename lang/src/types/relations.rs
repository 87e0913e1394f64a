//! Assignability and conversion of values that are not constants (spec "Assignability",
//! "Conversions").
use super::ty::{Basic, ChanDir, Ty, TyKind, Types};
use crate::tir::ConvKind;

impl Types {
    /// Has the type a name: predeclared and defined types and type parameters?
    pub fn has_name(&self, t: Ty) -> bool {
        matches!(
            self.kind(t),
            TyKind::Basic(_) | TyKind::Named(_) | TyKind::Param(_)
        )
    }

    /// May a value of type `v` be assigned to a variable of type `t`? Invalid types go with all.
    pub fn assignable_to(&mut self, v: Ty, t: Ty) -> bool {
        let invalid = Basic::Invalid.ty();
        if v == t || v == invalid || t == invalid {
            return true;
        }
        if let TyKind::Basic(b) = *self.kind(v)
            && b.is_untyped()
        {
            return match b {
                Basic::UntypedNil => self.has_nil(t),
                _ if self.is_interface(t) => {
                    let default = self.default_type(v);
                    self.assignable_to(default, t)
                }
                Basic::UntypedBool => self.all_basic(t, Basic::is_boolean),
                Basic::UntypedString => self.all_basic(t, Basic::is_string),
                _ => self.all_basic(t, Basic::is_numeric),
            };
        }
        let (vu, tu) = (self.underlying(v), self.underlying(t));
        let (v_param, t_param) = (self.is_param(v), self.is_param(t));
        let unnamed = !self.has_name(v) || !self.has_name(t);
        if vu == tu && unnamed && !v_param && !t_param {
            return true;
        }
        if self.is_interface(t) {
            return self.implements(v, t, false).is_ok();
        }
        if let (TyKind::Chan(ChanDir::Both, a), TyKind::Chan(_, b)) =
            (self.kind(vu).clone(), self.kind(tu).clone())
            && a == b
        {
            return unnamed;
        }
        // A type parameter stands for each of its types, if the other type has no name.
        if !unnamed {
            return false;
        }
        if t_param {
            let terms = self.param_terms(t).unwrap_or_default();
            return !terms.is_empty() && terms.iter().all(|term| self.assignable_to(v, term.ty));
        }
        if v_param {
            let terms = self.param_terms(v).unwrap_or_default();
            return !terms.is_empty() && terms.iter().all(|term| self.assignable_to(term.ty, t));
        }
        false
    }

    /// How a value of type `v` is converted to `t`; `None` if it cannot be.
    pub fn conversion(&mut self, v: Ty, t: Ty) -> Option<ConvKind> {
        if v == t {
            return Some(ConvKind::Retype);
        }
        if self.is_param(v) || self.is_param(t) {
            return self.generic_conversion(v, t).then_some(ConvKind::Generic);
        }
        if self.is_interface(t) && self.assignable_to(v, t) {
            return Some(match self.is_interface(v) {
                true => ConvKind::InterfaceToInterface,
                false => ConvKind::ToInterface,
            });
        }
        if self.assignable_to(v, t) && !matches!(self.basic(v), Some(b) if b.is_untyped()) {
            return Some(ConvKind::Retype);
        }
        let (vu, tu) = (self.underlying(v), self.underlying(t));
        if self.without_tags(vu) == self.without_tags(tu) {
            return Some(ConvKind::Retype);
        }
        let unnamed_pointers = matches!(self.kind(v), TyKind::Pointer(_))
            && matches!(self.kind(t), TyKind::Pointer(_));
        if let (true, Some(a), Some(b)) = (unnamed_pointers, self.pointee(v), self.pointee(t)) {
            let (a, b) = (self.underlying(a), self.underlying(b));
            if !self.is_param(a) && self.without_tags(a) == self.without_tags(b) {
                return Some(ConvKind::Retype);
            }
        }
        if let (Some(a), Some(b)) = (self.basic(v), self.basic(t)) {
            let real = |b: Basic| b.is_integer() || b.is_float();
            if (real(a) && real(b)) || (a.is_complex() && b.is_complex()) {
                return Some(ConvKind::Numeric);
            }
            if a.is_integer() && b.is_string() {
                return Some(ConvKind::IntToString);
            }
            if a.is_boolean() && b.is_boolean() || a.is_string() && b.is_string() {
                return Some(ConvKind::Retype);
            }
        }
        self.sequence_conversion(vu, tu)
    }

    /// Between strings, slices, arrays, and by way of unsafe.Pointer; of underlying types.
    fn sequence_conversion(&self, vu: Ty, tu: Ty) -> Option<ConvKind> {
        let elem = |e: Ty| self.basic(e);
        match (self.kind(vu), self.kind(tu)) {
            (TyKind::Slice(e), TyKind::Basic(b)) if b.is_string() => match elem(*e)? {
                Basic::Uint8 => Some(ConvKind::BytesToString),
                Basic::Int32 => Some(ConvKind::RunesToString),
                _ => None,
            },
            (TyKind::Basic(b), TyKind::Slice(e)) if b.is_string() => match elem(*e)? {
                Basic::Uint8 => Some(ConvKind::StringToBytes),
                Basic::Int32 => Some(ConvKind::StringToRunes),
                _ => None,
            },
            (TyKind::Slice(e), TyKind::Array(a, _)) if e == a => Some(ConvKind::SliceToArray),
            (TyKind::Slice(e), TyKind::Pointer(p)) => match self.under(*p) {
                TyKind::Array(a, _) if e == a => Some(ConvKind::SliceToArrayPointer),
                _ => None,
            },
            (
                TyKind::Pointer(_) | TyKind::Basic(Basic::Uintptr),
                TyKind::Basic(Basic::UnsafePointer),
            )
            | (
                TyKind::Basic(Basic::UnsafePointer),
                TyKind::Pointer(_) | TyKind::Basic(Basic::Uintptr),
            ) => Some(ConvKind::Unsafe),
            _ => None,
        }
    }

    /// Each type of one type set converts to each of the other.
    fn generic_conversion(&mut self, v: Ty, t: Ty) -> bool {
        if self.is_interface(t) || self.assignable_to(v, t) {
            return self.assignable_to(v, t);
        }
        let types = |types: &Types, t: Ty| -> Vec<Ty> {
            match types.is_param(t) {
                true => {
                    let terms = types.param_terms(t).unwrap_or_default();
                    terms.iter().map(|term| term.ty).collect()
                }
                false => vec![t],
            }
        };
        let (from, to) = (types(self, v), types(self, t));
        !from.is_empty()
            && !to.is_empty()
            && from
                .iter()
                .all(|a| to.iter().all(|b| self.conversion(*a, *b).is_some()))
    }
}
