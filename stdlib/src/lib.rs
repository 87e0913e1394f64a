//! The pgo standard library.
