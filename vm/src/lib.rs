//! The pgo bytecode machine.
