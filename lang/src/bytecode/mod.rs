//! The bytecode: the boundary between the compiler and the machine.
pub mod op;
pub mod program;
