//! `pgo check`: a program's errors, all of them; `--heaps`: the class of each store.
use crate::packages::{Packages, input_from_paths};
use crate::render;
use crate::run::{STATUS_NOT_COMPILED, fail};

/// Gives the exit status.
pub fn check(paths: &[String], heaps: bool) -> i32 {
    let input = match input_from_paths(paths) {
        Ok(input) => input,
        Err(message) => return fail(&message),
    };
    let result = if heaps {
        lang::heap_report(input.files, &input.dir, &Packages::of_program(&input.dir))
            .map(|report| print!("{report}"))
    } else {
        lang::check(input.files, &input.dir, &Packages::of_program(&input.dir))
    };
    match result {
        Ok(()) => 0,
        Err(failure) => {
            render::report(&failure.diagnostics, &failure.sources, usize::MAX);
            STATUS_NOT_COMPILED
        }
    }
}
