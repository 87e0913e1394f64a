//! `pgo disasm`: a program's bytecode as text.
use crate::packages::{Packages, input_from_paths};
use crate::render;
use crate::run::{STATUS_NOT_COMPILED, fail};

/// Gives the exit status.
pub fn disasm(paths: &[String], all: bool) -> i32 {
    let input = match input_from_paths(paths) {
        Ok(input) => input,
        Err(message) => return fail(&message),
    };
    match lang::compile(input.files, &input.dir, &Packages::of_program(&input.dir)) {
        Ok(program) => {
            print!("{}", lang::bytecode::disasm::program(&program, all));
            0
        }
        Err(failure) => {
            render::report(&failure.diagnostics, &failure.sources, usize::MAX);
            STATUS_NOT_COMPILED
        }
    }
}
