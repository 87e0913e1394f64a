//! Arithmetic, calls, panics, deferred functions.
use super::*;

/// fib in slot 0 (result) and 1 (parameter).
fn fib() -> (u32, Option<u32>, Vec<u64>) {
    let code = vec![
        op(Op::JGeI, 1, 2, 2),
        op(Op::Mov, 0, 1, 0),
        op(Op::Ret, 0, 0, 0),
        op(Op::AddI, 7, 1, -1),
        op2(Op::Call, 6, 1),
        op(Op::Mov, 2, 6, 0),
        op(Op::AddI, 7, 1, -2),
        op2(Op::Call, 6, 1),
        op(Op::Add, 0, 2, 6),
        op(Op::Ret, 0, 0, 0),
    ];
    (10, None, code)
}

fn main_calling_fib(n: i64) -> Program {
    let mut code = vec![op2(Op::LdI, 5, n), op2(Op::Call, 4, 1)];
    code.extend(put_slot(8, 4));
    code.push(op(Op::Ret, 0, 0, 0));
    program(vec![(10, None, code), fib()])
}

#[test]
fn recursion_gives_fibonacci_numbers() {
    assert_eq!(run(&main_calling_fib(20)), (Outcome::Done, vec![6765]));
}

#[test]
fn endless_recursion_is_a_stack_overflow() {
    let main = vec![op2(Op::Call, 60_000, 0), op(Op::Ret, 0, 0, 0)];
    assert_eq!(
        run(&program(vec![(60_010, None, main)])).0,
        Outcome::Panicked
    );
}

#[test]
fn deferred_functions_run_in_reverse_and_recover_resumes_the_frame() {
    // main: calls f1, reports its result.
    let mut main = vec![op2(Op::Call, 4, 1)];
    main.extend(put_slot(8, 4));
    main.push(op(Op::Ret, 0, 0, 0));
    // f1: defers f2 and f3, divides by zero; resumes at word 9 with result 7.
    let f1 = vec![
        op(Op::MkClo, 1, 0, 0),
        2,
        0,
        op(Op::Defer, 1, 0, 0),
        op(Op::MkClo, 1, 0, 0),
        3,
        0,
        op(Op::Defer, 1, 0, 0),
        op(Op::Div, 0, 2, 2),
        op(Op::RunDefers, 6, 0, 0),
        op2(Op::LdI, 0, 7),
        op(Op::Ret, 0, 0, 0),
    ];
    // f2: reports 2.
    let mut f2 = vec![op2(Op::LdI, 0, 2)];
    f2.extend(put_slot(4, 0));
    f2.push(op(Op::Ret, 0, 0, 0));
    // f3: recovers, reports the text.
    let f3 = vec![
        op(Op::Recover, 4, 0, 0),
        op2(Op::CallN, 4, 1),
        op(Op::Ret, 0, 0, 0),
    ];
    let mut f1_zeroed = vec![op(Op::Zero, 0, 5, 0)];
    f1_zeroed.extend(f1);
    let program = program(vec![
        (12, None, main),
        (12, Some(10), f1_zeroed),
        (12, None, f2),
        (12, None, f3),
    ]);
    assert_eq!(run(&program), (Outcome::Done, vec![2, 7]));
    TEXTS.with_borrow(|texts| assert_eq!(texts[..], ["runtime error: integer divide by zero"]));
}

#[test]
fn recover_counts_only_in_the_deferred_function_itself() {
    // main defers f1, which calls f2, which recovers in vain.
    let main = vec![
        op(Op::MkClo, 1, 0, 0),
        1,
        0,
        op(Op::Defer, 1, 0, 0),
        op(Op::Trap, 1, 0, 0),
    ];
    let f1 = vec![op2(Op::Call, 4, 2), op(Op::Ret, 0, 0, 0)];
    let f2 = vec![op(Op::Recover, 0, 0, 0), op(Op::Ret, 0, 0, 0)];
    let mut program = program(vec![(8, Some(4), main), (8, None, f1), (8, None, f2)]);
    assert_eq!(run(&program).0, Outcome::Panicked);
    // Through a wrapper it counts; main then has nothing left to run and falls into the same trap again.
    program.funcs[1].wrapper = true;
    program.funcs[0].code.push(op(Op::Ret, 0, 0, 0));
    program.funcs[0].recover_pc = Some(5);
    assert_eq!(run(&program).0, Outcome::Done);
}

#[test]
fn a_panic_in_a_deferred_function_replaces_the_older_one() {
    // main calls f1, which defers f2 (recovers) and f3 (panics by nil dereference), then divides by zero.
    let mut main = vec![op2(Op::Call, 4, 1)];
    main.extend(put_slot(8, 4));
    main.push(op(Op::Ret, 0, 0, 0));
    let f1 = vec![
        op(Op::MkClo, 1, 0, 0),
        2,
        0,
        op(Op::Defer, 1, 0, 0),
        op(Op::MkClo, 1, 0, 0),
        3,
        0,
        op(Op::Defer, 1, 0, 0),
        op(Op::Trap, 1, 0, 0),
        op(Op::RunDefers, 6, 0, 0),
        op2(Op::LdI, 0, 9),
        op(Op::Ret, 0, 0, 0),
    ];
    let f2 = vec![
        op(Op::Recover, 4, 0, 0),
        op2(Op::CallN, 4, 1),
        op(Op::Ret, 0, 0, 0),
    ];
    let f3 = vec![op(Op::Trap, 0, 0, 0)];
    let program = program(vec![
        (12, None, main),
        (12, Some(9), f1),
        (12, None, f2),
        (12, None, f3),
    ]);
    assert_eq!(run(&program), (Outcome::Done, vec![9]));
    let nil = "runtime error: invalid memory address or nil pointer dereference";
    TEXTS.with_borrow(|texts| assert_eq!(texts[..], [nil]));
}

#[test]
fn lists_survive_collections_at_every_allocation() {
    // Builds a list of 100 nodes, then sums it: slots 0 head, 1 i, 2 limit, 3 new, 4 sum.
    let mut code = vec![
        op(Op::Zero, 0, 5, 0),
        op2(Op::LdI, 2, 100),
        op2(Op::New, 3, NODE.into()),
        op(Op::St64, 3, 1, 0),
        op(Op::St64, 3, 0, 8),
        op(Op::Mov, 0, 3, 0),
        op(Op::IncJLt, 1, 2, -5),
        op(Op::JEqI, 0, 0, 4),
        op(Op::Ld64, 1, 0, 0),
        op(Op::Add, 4, 4, 1),
        op(Op::Ld64, 0, 0, 8),
        op2(Op::Jmp, 0, -5),
    ];
    code.extend(put_slot(8, 4));
    code.push(op(Op::Ret, 0, 0, 0));
    let program = program(vec![(12, None, code)]);
    let stress = Options {
        gc_stress: true,
        ..options()
    };
    assert_eq!(run_with(stress, &program), (Outcome::Done, vec![4950]));
}

#[test]
fn append_grows_as_go_grows() {
    // Appends 0..20 to a nil []int (slots 0-2), reports capacity each time it changes.
    let mut code = vec![
        op(Op::Zero, 0, 6, 0),
        op2(Op::LdI, 4, 20),
        op(Op::App64, 0, 0, 3),
        INT.into(),
    ];
    code.extend([op(Op::JEq, 2, 5, 3), op(Op::Mov, 5, 2, 0)]);
    code.extend(put_slot(8, 2));
    code.extend([op(Op::IncJLt, 3, 4, -7), op(Op::Ret, 0, 0, 0)]);
    assert_eq!(
        run(&program(vec![(12, None, code)])).1,
        [1, 2, 4, 8, 16, 32]
    );
}
