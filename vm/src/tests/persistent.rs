//! Transactions, values entering the heap, deep copies.
use super::*;

/// Main: root "r" of type Node in slot 0, then `body`, then reports the root's value.
fn with_root(body: &[u64], others: Vec<(u32, Option<u32>, Vec<u64>)>) -> Program {
    let mut code = vec![op2(Op::PVarMake, 0, 0)];
    code.extend(body);
    code.extend([op(Op::Ld64, 1, 0, 0)]);
    code.extend(put_slot(8, 1));
    code.push(op(Op::Ret, 0, 0, 0));
    let mut funcs = vec![(12, None, code)];
    funcs.extend(others);
    let mut program = program(funcs);
    program.pvars.push(lang::bytecode::program::PVar {
        name: "r".into(),
        ty: NODE,
    });
    program
}

#[test]
fn a_committed_transaction_stays_and_one_left_by_a_panic_is_undone() {
    let body = [op2(Op::Call, 4, 1), op2(Op::Call, 4, 2)];
    // f1: r.value = 5 in a transaction that commits.
    let f1 = vec![
        op2(Op::PVar, 0, 0),
        op(Op::TxnBegin, 0, 0, 0),
        op(Op::Log, 0, 0, 8),
        op2(Op::LdI, 1, 5),
        op(Op::St64, 0, 1, 0),
        op(Op::TxnCommit, 0, 0, 0),
        op(Op::Ret, 0, 0, 0),
    ];
    // f2: r.value = 6 in a transaction that panics; f3 recovers.
    let f2 = vec![
        op(Op::MkClo, 2, 0, 0),
        3,
        0,
        op(Op::Defer, 2, 0, 0),
        op2(Op::PVar, 0, 0),
        op(Op::TxnBegin, 0, 0, 0),
        op(Op::Log, 0, 0, 8),
        op2(Op::LdI, 1, 6),
        op(Op::St64, 0, 1, 0),
        op(Op::Trap, 1, 0, 0),
        op(Op::RunDefers, 6, 0, 0),
        op(Op::Ret, 0, 0, 0),
    ];
    let f3 = vec![op(Op::Recover, 0, 0, 0), op(Op::Ret, 0, 0, 0)];
    let program = with_root(
        &body,
        vec![(12, None, f1), (12, Some(10), f2), (12, None, f3)],
    );
    assert_eq!(run(&program), (Outcome::Done, vec![5]));
}

#[test]
fn volatile_pointers_are_refused_and_deep_copies_are_not() {
    let store = |make: Vec<u64>| {
        let mut body = vec![
            op2(Op::New, 2, NODE.into()),
            op2(Op::LdI, 3, 8),
            op(Op::St64, 2, 3, 0),
        ];
        body.extend([op(Op::St64, 2, 2, 8)]);
        body.extend(make);
        body.extend([
            op(Op::PVal, 2, 0, 0),
            NODE_PTR.into(),
            0,
            op(Op::StG64, 0, 2, 8),
        ]);
        // The copy is a cycle: r.next.next.value.
        body.extend([
            op(Op::Ld64, 2, 0, 8),
            op(Op::Ld64, 2, 2, 8),
            op(Op::Ld64, 3, 2, 0),
            op(Op::StG64, 0, 3, 0),
        ]);
        with_root(&body, vec![])
    };
    assert_eq!(run(&store(vec![])).0, Outcome::Panicked);
    let copied = vec![op(Op::Persist, 2, 2, 0), NODE_PTR.into()];
    assert_eq!(run(&store(copied)), (Outcome::Done, vec![8]));
}
