//! pgo in a program of one's own: scripts with native functions and a persistent heap.
//!
//! ```
//! use pgo::{Engine, NativeDef, Outcome};
//!
//! let folder = std::env::temp_dir().join(format!("pgo-doc-{}", std::process::id()));
//! std::fs::create_dir_all(&folder)?;
//! let engine = Engine::new().heap(folder.join("app.pheap")).package(
//!     "host",
//!     "package host\n\nfunc Add(a, b int) int\n",
//!     &[NativeDef {
//!         name: "host.Add",
//!         sig: "func(int, int) int",
//!         f: |call| {
//!             let sum = call.int() + call.int();
//!             Ok(call.ret_int(sum))
//!         },
//!     }],
//! );
//! let script = "pvar total int\ntxn <> { total = host.Add(total, 20) }\nos.Exit(total)\n";
//! assert_eq!(engine.run("app.pgo", script)?, Outcome::Exit(20));
//! assert_eq!(engine.run("app.pgo", script)?, Outcome::Exit(40));
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What a script prints goes to the process's standard output, what it reads comes from the standard input. `os.Exit` ends
//! the script, not the process; neither does a panic, whose message and trace go to standard error.
#![forbid(unsafe_code)]

mod constraint;
mod engine;
#[doc(hidden)]
pub mod module;
#[doc(hidden)]
pub mod packages;

pub use engine::{Engine, Error};
pub use lang::diagnostic::Diagnostic;
pub use pheap::Durability;
pub use vm::{Ctx, InputStream, NativeDef, NativeError, NativeFn, Outcome, OutputStream};
