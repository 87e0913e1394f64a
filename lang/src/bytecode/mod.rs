//! The bytecode: the boundary between the compiler and the machine.
pub(crate) mod asm;
pub mod disasm;
pub mod liveness;
pub mod op;
pub mod program;
pub mod typekey;
pub mod verify;
