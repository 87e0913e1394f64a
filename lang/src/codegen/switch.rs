//! `switch`: clauses in order; many integer constants through a jump table.
use super::func::Fun;
use crate::bytecode::asm::Label;
use crate::tir::*;

/// Cases that make a table worth while, and how sparse it may be.
const TABLE_CASES_MIN: usize = 5;
const TABLE_SPREAD_MAX: i64 = 3;

impl Fun<'_, '_> {
    pub fn switch_stmt(&mut self, sw: &Switch) {
        let end = self.asm.label();
        self.exit_break(sw.label, end);
        let labels: Vec<Label> = sw.clauses.iter().map(|_| self.asm.label()).collect();
        let default = sw.clauses.iter().position(|c| c.is_default);
        let otherwise = default.map_or(end, |i| labels[i]);
        if !self.jump_table(sw, &labels, otherwise) {
            for (c, l) in sw.clauses.iter().zip(&labels) {
                for e in &c.conds {
                    self.asm.at(e.span);
                    self.branch(e, *l, true);
                }
            }
            self.asm.jmp(otherwise);
        }
        let outer = self.next_clause;
        for (i, c) in sw.clauses.iter().enumerate() {
            self.asm.bind(labels[i]);
            self.next_clause = labels.get(i + 1).copied();
            self.stmts(&c.body);
            let leaves = matches!(
                c.body.last().map(|s| &s.kind),
                Some(
                    StmtKind::Return(_)
                        | StmtKind::Fallthrough
                        | StmtKind::Break(_)
                        | StmtKind::Continue(_)
                        | StmtKind::Goto(_)
                )
            );
            if i + 1 < sw.clauses.len() && !leaves {
                self.asm.jmp(end);
            }
        }
        self.next_clause = outer;
        self.asm.bind(end);
    }

    /// A table, if every condition compares one variable with a small range of constants.
    fn jump_table(&mut self, sw: &Switch, labels: &[Label], otherwise: Label) -> bool {
        let mut tag = None;
        let mut cases = Vec::new();
        for (c, l) in sw.clauses.iter().zip(labels) {
            for e in &c.conds {
                let ExprKind::Compare(CmpOp::Eq, a, b) = &e.kind else {
                    return false;
                };
                let (ExprKind::Local(x), ExprKind::Const(Const::Int(n))) = (&a.kind, &b.kind)
                else {
                    return false;
                };
                if *tag.get_or_insert(*x) != *x || self.home(*x).boxed {
                    return false;
                }
                let ty = self.sub(a.ty);
                if !self.basic(ty).is_integer() {
                    return false;
                }
                cases.push((*n, *l));
            }
        }
        let (Some(tag), Some(lo), Some(hi)) = (
            tag,
            cases.iter().map(|c| c.0).min(),
            cases.iter().map(|c| c.0).max(),
        ) else {
            return false;
        };
        let spread = hi.saturating_sub(lo).saturating_add(1);
        if cases.len() < TABLE_CASES_MIN
            || spread > TABLE_SPREAD_MAX * cases.len() as i64
            || i16::try_from(lo).is_err()
            || lo == i64::from(i16::MIN)
        {
            return false;
        }
        let mut table = vec![otherwise; spread as usize];
        for (n, l) in cases.iter().rev() {
            table[(n - lo) as usize] = *l;
        }
        let mut slot = self.home(tag).slot;
        if lo != 0 {
            let t = self.alloc(1);
            self.asm
                .op_imm(crate::bytecode::op::Op::AddI, t, slot, -lo as i16);
            slot = t;
        }
        self.asm.jump_table(slot, &table);
        self.asm.jmp(otherwise);
        true
    }
}
