//! A persistent, crash-safe, garbage-collected heap in one file.
