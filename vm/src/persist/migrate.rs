//! Migration of a heap whose types are not the program's (LANGUAGE.md §6), when it is opened.

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use lang::bytecode::program::TypeIdx;
use pheap::{
    Change, Heap, Instance, Maker, Misfit, Options, Refusal, Survey, TypeDesc, Wanted, WantedType,
};

use super::message;
use super::types::describe;
use crate::Vm;
use crate::map;

/// What to do about a type that changed in a way that loses data.
const REMEDY: &str = "declare the type as it was, give pmem.Migrate a function for it, or consent to the loss with pgo heap migrate --drop";

/// What a migration without the user's consent says, or without the program's functions.
const CONSENT: &str = "data would be lost; consent with --drop, or run the program if it has functions for pmem.Migrate";

/// The functions that pmem.Migrate was given, and where their work stands.
#[derive(Default)]
pub(crate) struct Migration {
    makers: Vec<Maker>,
    /// Func value that runs the functions; a variable of package pmem keeps it alive.
    driver: u64,
    state: State,
    /// Transactions that were open when the migration began.
    depth: usize,
}

#[derive(Default)]
enum State {
    #[default]
    None,
    /// The heap was opened; the functions are to run before anything else.
    Waiting(Box<(Heap, Survey, Instant)>),
    Running(Box<Running>),
    /// The heap in memory is neither as it was nor as it should be; its file is as it was.
    Failed(Box<Heap>),
}

/// What `Vm::migrate_heap` found or did.
pub struct HeapMigration {
    /// The heap's types are not the program's.
    pub is_needed: bool,
    pub changes: Vec<Change>,
    /// Roots that the program has with another type.
    pub roots: Vec<Misfit>,
    /// Why it cannot be done.
    pub refusal: Option<String>,
    pub time: Duration,
}

struct Running {
    tables: Vec<(u64, u64)>,
    instances: Vec<Instance>,
    next: usize,
    survey: Survey,
    start: Instant,
}

impl Migration {
    /// Objects that only the migration refers to.
    pub fn views(&self) -> Vec<u64> {
        match &self.state {
            State::Running(running) => {
                let rest = running.instances.get(running.next..).unwrap_or_default();
                let both = rest
                    .iter()
                    .flat_map(|instance| [instance.old, instance.new]);
                both.collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Vm {
    /// What the program wants of a heap.
    fn wanted(&self) -> Wanted {
        let types = &self.types;
        let program = &types.program;
        let wanted = |ty: usize| WantedType {
            desc: describe(types, ty as TypeIdx),
            was: program.types[ty]
                .fields
                .iter()
                .flat_map(|field| {
                    former_names(&field.tag).map(|then| (field.name.clone(), then.to_string()))
                })
                .collect(),
        };
        Wanted {
            types: (0..program.types.len()).map(wanted).collect(),
            roots: program
                .pvars
                .iter()
                .map(|pvar| (pvar.name.clone(), types.rt(pvar.ty).key))
                .collect(),
            makers: self.migration.makers.clone(),
            drop: false,
        }
    }

    /// Gives the heap the program's types, in a transaction of its own. None if functions of the program take part: then it
    /// waits for the machine to run them (`runs_migration`).
    pub(super) fn migrate_on_open(&mut self, mut heap: Heap) -> Result<Option<Heap>, String> {
        if heap.is_new() || heap.is_ephemeral() {
            return Ok(Some(heap));
        }
        let wanted = self.wanted();
        if !heap.needs_migration(&wanted) {
            return Ok(Some(heap));
        }
        let start = Instant::now();
        let done = heap.survey(&wanted).and_then(|mut survey| {
            if let Some(refusal) = survey.refusal() {
                return Err(refusal);
            }
            if !survey.has_makers() {
                heap.begin();
                self.change_types(&mut heap, &mut survey)?;
                heap.commit()?;
            }
            Ok(survey)
        });
        match done {
            Ok(survey) if survey.has_makers() => {
                self.migration.state = State::Waiting(Box::new((heap, survey, start)));
                Ok(None)
            }
            Ok(survey) => {
                self.announce(&heap, &survey, start);
                Ok(Some(heap))
            }
            Err(refusal) => {
                let text = refused(&heap, &refusal);
                Err(self.unusable(text))
            }
        }
    }

    /// The migration itself, in a transaction, where no function of the program takes part.
    fn change_types(&mut self, heap: &mut Heap, survey: &mut Survey) -> Result<(), Refusal> {
        let migrated = heap.migrate(survey)?;
        self.learn_types(heap);
        self.rehash(heap, &migrated.tables, true)
            .map_err(Refusal::Value)
    }

    /// Gives the heap at `path` the types of the loaded program, which has not run, in one transaction; with `drop`, what
    /// has no place in them is lost. With `dry_run` nothing is changed, and the heap may be in use.
    pub fn migrate_heap(
        &mut self,
        path: &Path,
        drop: bool,
        dry_run: bool,
    ) -> Result<HeapMigration, String> {
        let start = Instant::now();
        let options = Options {
            create: false,
            ..self.heap_options()
        };
        let opened = match dry_run {
            true => pheap::open_read_only(path, options),
            false => Heap::open(path, options).and_then(|heap| heap.recover()),
        };
        let mut heap = opened.map_err(message)?;
        self.types.heap_range = (heap.base(), heap.end() - heap.base());
        let wanted = Wanted {
            drop,
            ..self.wanted()
        };
        let mut done = HeapMigration {
            is_needed: heap.needs_migration(&wanted),
            changes: Vec::new(),
            roots: Vec::new(),
            refusal: None,
            time: Duration::ZERO,
        };
        if done.is_needed {
            let changed = heap.survey(&wanted).and_then(|mut survey| {
                done.changes = survey.changes();
                done.roots = survey.misfits(&heap, &wanted);
                if survey.refusal().is_some() || (!drop && !done.roots.is_empty()) {
                    return Err(Refusal::Value(CONSENT.into()));
                }
                // Values may stand in the way that only the migration itself meets: a dry run does it in memory.
                heap.begin();
                self.change_types(&mut heap, &mut survey)?;
                for root in &done.roots {
                    heap.delete_root(&root.name);
                }
                match dry_run {
                    true => Ok(()),
                    false => Ok(heap.commit().map(|_| ())?),
                }
            });
            match changed {
                Ok(()) => {}
                Err(Refusal::Heap(error)) => return Err(message(error)),
                Err(refusal) => {
                    done.refusal = Some(refusal.to_string());
                    // Its memory is neither as it was nor as it should be.
                    return Ok(done);
                }
            }
        }
        if !dry_run {
            heap.close().map_err(message)?;
        }
        done.time = start.elapsed();
        Ok(done)
    }

    /// Whether a heap may be opened now.
    pub(super) fn may_open(&mut self) -> Result<(), String> {
        match &self.migration.state {
            State::Waiting(_) => Err(String::new()),
            State::Failed(heap) => {
                let path = heap.path().display();
                let text = format!("{path}: the migration failed; the heap was not changed");
                Err(self.unusable(text))
            }
            _ => Ok(()),
        }
    }

    /// pmem.Migrate: values of type `new` are made by the program, from values of type `old`.
    pub(crate) fn add_maker(
        &mut self,
        old: TypeIdx,
        new: TypeIdx,
        driver: u64,
    ) -> Result<(), String> {
        if self.store.is_some() {
            return Err("pmem: Migrate must be called before the first use of the heap".into());
        }
        let key = |ty: TypeIdx| self.types.rt(ty).key;
        let maker = Maker {
            old: key(old),
            new: key(new),
        };
        if maker.old == maker.new {
            return Err("pmem: Migrate needs two different types".into());
        }
        self.migration.makers.push(maker);
        self.migration.driver = driver;
        Ok(())
    }

    /// The func value that is to run before the instruction that opened the heap is tried again.
    pub(crate) fn waiting_migration(&self) -> Option<u64> {
        matches!(self.migration.state, State::Waiting(_)).then_some(self.migration.driver)
    }

    pub(super) fn is_migrating(&self) -> bool {
        matches!(self.migration.state, State::Running(_))
            && self.g.txns.len() == self.migration.depth
    }

    /// Begins the migration that waits, in the transaction just opened: all but the work of the program's functions.
    pub(crate) fn begin_migration(&mut self) -> Result<(), String> {
        let State::Waiting(waiting) = std::mem::take(&mut self.migration.state) else {
            return Ok(());
        };
        let (mut heap, mut survey, start) = *waiting;
        self.migration.depth = self.g.txns.len() - 1;
        heap.begin();
        let done = heap.migrate(&mut survey).and_then(|migrated| {
            self.learn_types(&heap);
            // The functions may use the maps; keys that they make are looked at when they are done.
            self.rehash(&mut heap, &migrated.tables, false)
                .map_err(Refusal::Value)?;
            Ok(migrated)
        });
        match done {
            Ok(migrated) => {
                self.migration.state = State::Running(Box::new(Running {
                    tables: migrated.tables,
                    instances: migrated.instances,
                    next: 0,
                    survey,
                    start,
                }));
                self.install(heap)
            }
            Err(refusal) => {
                let text = refused(&heap, &refusal);
                Err(self.unusable(text))
            }
        }
    }

    /// The next value for a function to make.
    pub(crate) fn next_instance(&mut self) -> Option<Instance> {
        let State::Running(running) = &mut self.migration.state else {
            return None;
        };
        running.next += 1;
        running.instances.get(running.next - 1).copied()
    }

    /// All functions have run.
    pub(crate) fn finish_migration(&mut self) -> Result<(), String> {
        let State::Running(running) = &mut self.migration.state else {
            return Ok(());
        };
        let tables = std::mem::take(&mut running.tables);
        let Some(mut store) = self.store.take() else {
            return Ok(());
        };
        let done = self.rehash(&mut store.heap, &tables, true);
        self.store = Some(store);
        done
    }

    /// The migration's transaction ends: the heap is ready for the program, in the transactions that it has open.
    pub(super) fn commit_migration(&mut self) -> Result<(), String> {
        let Some(mut store) = self.store.take() else {
            return Ok(());
        };
        match store.heap.commit() {
            Ok(_) => {
                if let State::Running(running) = std::mem::take(&mut self.migration.state) {
                    self.announce(&store.heap, &running.survey, running.start);
                }
                for _ in &self.g.txns {
                    store.heap.begin();
                }
                self.store = Some(store);
                Ok(())
            }
            Err(error) => {
                self.migration.state = State::Failed(Box::new(store.heap));
                Err(self.unusable(message(error)))
            }
        }
    }

    /// After a rollback: if it was the migration's, the heap stays as it was in the file. Its memory stays, as the program
    /// may hold on to what it has seen.
    pub(super) fn give_up_migration(&mut self) {
        if matches!(self.migration.state, State::Running(_))
            && self
                .store
                .as_ref()
                .is_some_and(|store| store.heap.depth() == 0)
            && let Some(store) = self.store.take()
        {
            self.migration.state = State::Failed(Box::new(store.heap));
        }
    }

    /// Brings maps up to date whose keys changed.
    fn rehash(
        &mut self,
        heap: &mut Heap,
        tables: &[(u64, u64)],
        distinct: bool,
    ) -> Result<(), String> {
        for &(header, key) in tables {
            let Some(ty) = self.types.any_by_key(key) else {
                continue;
            };
            let layout = self.layout(ty);
            let mut announce = |at: u64, len: u64| heap.log(at, len as usize);
            if !map::rehash(layout, &self.types, header, &mut announce)? && distinct {
                return Err(format!(
                    "two keys of a map of type {} become equal",
                    self.types.key_name(key)
                ));
            }
        }
        Ok(())
    }

    fn announce(&mut self, heap: &Heap, survey: &Survey, start: Instant) {
        let mut changes = survey.changes();
        // Types without a name show up in those that have one.
        if changes.iter().any(|change| !change.is_unnamed()) {
            changes.retain(|change| !change.is_unnamed());
        }
        if changes.is_empty() {
            return;
        }
        let mut text = format!("pgo: {}: migrated ", heap.path().display());
        for (i, change) in changes.iter().enumerate() {
            let plural = if change.values == 1 { "" } else { "s" };
            let comma = if i == 0 { "" } else { ", " };
            let (name, values) = (&change.type_name, change.values);
            let _ = write!(text, "{comma}{name} ({values} value{plural})");
        }
        let _ = writeln!(text, " in {} ms", start.elapsed().as_millis());
        self.write_stderr(&text);
    }
}

/// The refusal of a heap, with the reason.
fn refused(heap: &Heap, refusal: &Refusal) -> String {
    let path = heap.path().display();
    match refusal {
        Refusal::Incompatible(_) => format!(
            "{path}: types of the program are not as in the heap, which was not changed:{refusal}\n{REMEDY}"
        ),
        Refusal::Value(text) => {
            format!(
                "{path}: the heap cannot be migrated to the program's types and was not changed: {text}"
            )
        }
        Refusal::Heap(error) => message(error.clone()),
    }
}

/// The refusal of a type that the program has only since the heap was opened.
pub(super) fn redefined(heap: &mut Heap, desc: &TypeDesc) -> String {
    let wanted = Wanted {
        types: vec![WantedType {
            desc: desc.clone(),
            was: Vec::new(),
        }],
        ..Wanted::default()
    };
    let changes = match heap.survey(&wanted) {
        Ok(survey) => survey.changes(),
        Err(_) => Vec::new(),
    };
    let mut text = format!(
        "{}: type {} is another one in the heap; the heap was not changed: it is migrated when it is opened by a program \
         that has the new type from its start",
        heap.path().display(),
        desc.name
    );
    for change in changes {
        let _ = write!(text, "\n  {change}");
    }
    text
}

/// The names that a field's tag says it had: `pmem:"was=name"`.
fn former_names(tag: &str) -> impl Iterator<Item = &str> {
    let value = tag
        .split_once("pmem:\"")
        .filter(|(before, _)| before.is_empty() || before.ends_with(' '))
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(value, _)| value);
    value
        .split(',')
        .filter_map(|part| part.trim().strip_prefix("was="))
}
