//! Conditions: comparisons as values, and fused with the branch they decide.
use super::expr::int_const;
use super::func::Fun;
use crate::bytecode::asm::Label;
use crate::bytecode::op::Op;
use crate::tir::*;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    Signed,
    /// Also addresses.
    Unsigned,
    F64,
    F32,
    Str,
    /// By the type: structs, arrays, interfaces, complex numbers.
    General,
}

fn negate(op: CmpOp) -> CmpOp {
    match op {
        CmpOp::Eq => CmpOp::Ne,
        CmpOp::Ne => CmpOp::Eq,
        CmpOp::Lt => CmpOp::Ge,
        CmpOp::Le => CmpOp::Gt,
        CmpOp::Gt => CmpOp::Le,
        CmpOp::Ge => CmpOp::Lt,
    }
}

/// The operator for exchanged operands.
fn mirror(op: CmpOp) -> CmpOp {
    match op {
        CmpOp::Lt => CmpOp::Gt,
        CmpOp::Le => CmpOp::Ge,
        CmpOp::Gt => CmpOp::Lt,
        CmpOp::Ge => CmpOp::Le,
        _ => op,
    }
}

impl Fun<'_, '_> {
    /// Jumps if the condition is `sense`.
    pub fn branch(&mut self, e: &Expr, to: Label, sense: bool) {
        let mark = self.top;
        match &e.kind {
            ExprKind::Const(Const::Bool(b)) => {
                if *b == sense {
                    self.asm.jmp(to);
                }
            }
            ExprKind::Unary(UnOp::Not, x) => self.branch(x, to, !sense),
            ExprKind::AndAnd(a, b) | ExprKind::OrOr(a, b) => {
                let and = matches!(e.kind, ExprKind::AndAnd(..));
                if and == sense {
                    let out = self.asm.label();
                    self.branch(a, out, !sense);
                    self.branch(b, to, sense);
                    self.asm.bind(out);
                } else {
                    self.branch(a, to, sense);
                    self.branch(b, to, sense);
                }
            }
            ExprKind::Compare(op, a, b) if self.evaluated(e).is_none() => {
                let context = self.context([e]);
                self.branch_compare(*op, a, b, to, sense);
                self.close(context);
            }
            ExprKind::IsType(x, None) => {
                let context = self.context([&**x]);
                let s = self.eval(x, None);
                self.close(context);
                let op = if sense { Op::JEqI } else { Op::JNeI };
                self.asm.jump(op, s, 0, to);
            }
            _ => {
                let context = self.context([e]);
                let s = self.eval(e, None);
                self.close(context);
                self.asm.jump_bc(if sense { Op::JT } else { Op::JF }, s, to);
            }
        }
        self.top = mark;
    }

    /// The class of a comparison; with nil on the right, of the first word alone.
    fn comparison(&mut self, a: &Expr, b: &Expr) -> Class {
        if matches!(b.kind, ExprKind::Const(Const::Nil)) {
            return Class::Unsigned;
        }
        let ty = self.sub(a.ty);
        self.class(ty)
    }

    fn branch_compare(&mut self, op: CmpOp, a: &Expr, b: &Expr, to: Label, sense: bool) {
        let class = self.comparison(a, b);
        match class {
            Class::Signed | Class::Unsigned => {
                let op = if sense { op } else { negate(op) };
                let (a, b, op) = match int_const(a) {
                    Some(_) if int_const(b).is_none() => (b, a, mirror(op)),
                    _ => (a, b, op),
                };
                let small = int_const(b).and_then(|n| i16::try_from(n).ok());
                if let Some(n) = small
                    && (class == Class::Signed || matches!(op, CmpOp::Eq | CmpOp::Ne))
                {
                    let s = self.eval(a, None);
                    let op = match op {
                        CmpOp::Eq => Op::JEqI,
                        CmpOp::Ne => Op::JNeI,
                        CmpOp::Lt => Op::JLtI,
                        CmpOp::Le => Op::JLeI,
                        CmpOp::Gt => Op::JGtI,
                        CmpOp::Ge => Op::JGeI,
                    };
                    return self.asm.jump(op, s, n as u16, to);
                }
                let (x, y) = self.operands(a, b);
                let signed = class == Class::Signed;
                let (lt, le) = match signed {
                    true => (Op::JLt, Op::JLe),
                    false => (Op::JLtU, Op::JLeU),
                };
                match op {
                    CmpOp::Eq => self.asm.jump_slots(Op::JEq, x, y, to),
                    CmpOp::Ne => self.asm.jump_slots(Op::JNe, x, y, to),
                    CmpOp::Lt => self.asm.jump_slots(lt, x, y, to),
                    CmpOp::Le => self.asm.jump_slots(le, x, y, to),
                    CmpOp::Gt => self.asm.jump_slots(lt, y, x, to),
                    CmpOp::Ge => self.asm.jump_slots(le, y, x, to),
                }
            }
            Class::F64 | Class::F32 if !matches!(op, CmpOp::Eq | CmpOp::Ne) => {
                let (x, y) = self.float_operands(a, b, class);
                let (lt, le) = match sense {
                    true => (Op::JLtF, Op::JLeF),
                    false => (Op::JNLtF, Op::JNLeF),
                };
                match op {
                    CmpOp::Lt => self.asm.jump_slots(lt, x, y, to),
                    CmpOp::Le => self.asm.jump_slots(le, x, y, to),
                    CmpOp::Gt => self.asm.jump_slots(lt, y, x, to),
                    _ => self.asm.jump_slots(le, y, x, to),
                }
            }
            Class::Str if matches!(op, CmpOp::Eq | CmpOp::Ne) && is_empty_string(b) => {
                let s = self.eval(a, None);
                let op = match (op == CmpOp::Eq) == sense {
                    true => Op::JEqI,
                    false => Op::JNeI,
                };
                self.asm.jump(op, s + 1, 0, to);
            }
            _ => {
                // Without the negation: the jump does it.
                let (op, sense) = match op {
                    CmpOp::Ne if class != Class::F64 && class != Class::F32 => (CmpOp::Eq, !sense),
                    _ => (op, sense),
                };
                let d = self.compare_value(op, a, b, None);
                self.asm.jump_bc(if sense { Op::JT } else { Op::JF }, d, to);
            }
        }
    }

    fn float_operands(&mut self, a: &Expr, b: &Expr, class: Class) -> (u32, u32) {
        let (x, y) = self.operands(a, b);
        if class == Class::F64 {
            return (x, y);
        }
        let t = self.alloc(2);
        self.asm.op(Op::F32ToF, t, x, 0);
        self.asm.op(Op::F32ToF, t + 1, y, 0);
        (t, t + 1)
    }

    pub fn compare_value(&mut self, op: CmpOp, a: &Expr, b: &Expr, want: Option<u32>) -> u32 {
        let class = self.comparison(a, b);
        let ty = self.sub(a.ty);
        let (x, y) = match class {
            Class::F64 | Class::F32 => self.float_operands(a, b, class),
            Class::Unsigned if matches!(b.kind, ExprKind::Const(Const::Nil)) => {
                let x = self.eval(a, None);
                (x, self.constant(0, None))
            }
            _ => self.operands(a, b),
        };
        let d = want.unwrap_or_else(|| self.alloc(1));
        let (x, y, op) = match op {
            CmpOp::Gt => (y, x, CmpOp::Lt),
            CmpOp::Ge => (y, x, CmpOp::Le),
            _ => (x, y, op),
        };
        let (code, not) = match (class, op) {
            (Class::Signed | Class::Unsigned, CmpOp::Eq) => (Op::Eq, false),
            (Class::Signed | Class::Unsigned, CmpOp::Ne) => (Op::Ne, false),
            (Class::Signed, CmpOp::Lt) => (Op::Lt, false),
            (Class::Signed, _) => (Op::Le, false),
            (Class::Unsigned, CmpOp::Lt) => (Op::LtU, false),
            (Class::Unsigned, _) => (Op::LeU, false),
            (Class::F64 | Class::F32, CmpOp::Eq) => (Op::EqF, false),
            (Class::F64 | Class::F32, CmpOp::Ne) => (Op::NeF, false),
            (Class::F64 | Class::F32, CmpOp::Lt) => (Op::LtF, false),
            (Class::F64 | Class::F32, _) => (Op::LeF, false),
            (Class::Str, CmpOp::Lt) => (Op::LtS, false),
            (Class::Str, CmpOp::Le) => (Op::LeS, false),
            (Class::Str, _) => (Op::EqS, op == CmpOp::Ne),
            (Class::General, _) => (Op::EqT, op == CmpOp::Ne),
        };
        self.asm.op(code, d, x, y);
        if class == Class::General {
            let t = self.g.type_index(ty);
            self.asm.word(u64::from(t));
        }
        if not {
            self.asm.op(Op::NotB, d, d, 0);
        }
        d
    }
}

fn is_empty_string(e: &Expr) -> bool {
    matches!(&e.kind, ExprKind::Const(Const::Str(s)) if s.is_empty())
}
