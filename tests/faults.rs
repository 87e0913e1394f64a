//! Whole programs on a disk that fails: full from any write on, or an error from any sync. The program ends with one clear
//! message, and the heap that is left is the state after some of its commits, with all that were acknowledged.
use lang::package::{PackageFiles, PackageSource};
use pheap::disk::{Disk, FailingDisk, Failure, MemoryDisk};
use std::sync::{Arc, Mutex, PoisonError};
use vm::{Deed, HeapChoice, Line, Options, Vm, Witness, World};

/// Grows in every way: its log, its file, its maps; says what is committed.
const PROGRAM: &str = r#"
type Rec struct {
	n    int
	data []byte
}

pvar recs []*Rec
pvar names = pmake(map[string]int)

for i, r := range recs {
	if r.n != i || len(r.data) != i*1500 || names[fmt.Sprint("rec ", i)] != i {
		fmt.Println("wrong", i)
		os.Exit(9)
	}
}
fmt.Println("has", len(recs))
for i := len(recs); i < 40 && len(os.Args) == 1; i++ {
	txn <> {
		recs = append(recs, pnew(Rec{i, pmake([]byte, i*1500)}))
		names[fmt.Sprint("rec ", i)] = i
	}
	fmt.Println("has", len(recs))
	if i%16 == 15 {
		pmem.Checkpoint()
	}
}
"#;

struct Library;

impl PackageSource for Library {
    fn load(&self, path: &str, _: &str) -> Result<PackageFiles, String> {
        let files = stdlib::source(path).ok_or("no such package")?;
        Ok(PackageFiles {
            path: stdlib::canonical(path).to_string(),
            dir: String::new(),
            files: files
                .iter()
                .map(|(name, text)| (name.to_string(), text.as_bytes().to_vec()))
                .collect(),
            is_library: true,
        })
    }
}

#[derive(Default)]
struct Listener(Mutex<[String; 2]>);

impl Witness for Listener {
    fn see(&self, deed: Deed<'_>, _: Option<Line>) {
        if let Deed::Output { stream, bytes, .. } = deed {
            let text = String::from_utf8_lossy(bytes);
            self.0.lock().unwrap()[usize::from(stream) - 1].push_str(&text);
        }
    }
}

/// Standard output, standard error with what closing says, status.
fn run(
    program: &lang::bytecode::program::Program,
    disk: Arc<dyn Disk>,
    args: &[&str],
) -> (String, String, i32) {
    let listener = Arc::new(Listener::default());
    let options = Options {
        args: args.iter().map(|arg| arg.to_string()).collect(),
        heap: HeapChoice::File("a.pheap".into()),
        world: Some(World {
            disk,
            witness: listener.clone(),
        }),
        ..Options::default()
    };
    let mut vm = Vm::new(options, stdlib::natives());
    vm.load(program);
    let status = vm.run(program.entry).status();
    let closed = vm.close();
    drop(vm);
    let [out, mut err] = listener.0.lock().unwrap().clone();
    let status = match closed {
        Ok(()) => status,
        Err(error) => {
            err.push_str(&format!("pgo: {error}\n"));
            2
        }
    };
    (out, err, status)
}

fn last(out: &str) -> u64 {
    let line = out.lines().last().unwrap_or("has 0");
    line.strip_prefix("has ").unwrap().parse().unwrap()
}

/// A process has one heap at a time.
static HEAP: Mutex<()> = Mutex::new(());

fn sweep(failure: impl Fn(i64) -> Failure, says: &[&str]) {
    let _heap = HEAP.lock().unwrap_or_else(PoisonError::into_inner);
    let files = vec![("a.pgo".to_string(), PROGRAM.as_bytes().to_vec())];
    let program = lang::compile(files, ".", &Library).unwrap();
    let mut failures = 0;
    for n in 0.. {
        let disk = MemoryDisk::default();
        let failing = FailingDisk::new(disk.clone(), failure(n));
        let (out, err, status) = run(&program, Arc::new(failing.clone()), &["a.pgo"]);
        if !failing.failed() {
            assert_eq!((last(&out), status, err.as_str()), (40, 0, ""));
            break;
        }
        // A failure may be met with a smaller request; then the program does not notice it.
        if status != 0 {
            failures += 1;
            assert_eq!(status, 2, "{n}: {out}{err}");
            assert!(
                err.contains("a.pheap") && says.iter().any(|word| err.contains(word)),
                "{n}: {err}"
            );
        }
        let acknowledged = last(&out);
        let (out, err, status) = run(&program, Arc::new(disk), &["a.pgo", "look"]);
        assert_eq!((status, err.as_str()), (0, ""), "{n}: {out}");
        let found = last(&out);
        assert!(
            found == acknowledged || found == acknowledged + 1,
            "{n}: {found}, {acknowledged} were acknowledged"
        );
    }
    assert!(failures > 20, "only {failures} failures");
}

#[test]
fn a_full_disk_at_every_write() {
    sweep(
        Failure::FullFrom,
        &["no storage space", "storage full", "no space", "full"],
    );
}

#[test]
fn an_error_at_every_sync() {
    sweep(Failure::Sync, &["simulated flush failure"]);
}
