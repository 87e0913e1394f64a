//! Migration of a heap whose types are not the program's (LANGUAGE.md §6), when it is opened.

use std::fmt::Write;
use std::time::Instant;

use lang::bytecode::program::TypeIdx;
use pheap::{Heap, Refusal, Survey, TypeDesc, Wanted, WantedType};

use super::message;
use super::types::describe;
use crate::Vm;
use crate::map;

/// What to do about a type that changed in a way that loses data.
const REMEDY: &str =
    "declare the type as it was, give the new one another name, or use another heap";

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
            ..Wanted::default()
        }
    }

    /// Gives the heap the program's types, in a transaction of its own.
    pub(super) fn migrate_on_open(&mut self, heap: &mut Heap) -> Result<(), String> {
        if heap.is_new() || heap.is_ephemeral() {
            return Ok(());
        }
        let wanted = self.wanted();
        if !heap.needs_migration(&wanted) {
            return Ok(());
        }
        let start = Instant::now();
        let done = heap.survey(&wanted).and_then(|mut survey| {
            if let Some(refusal) = survey.refusal() {
                return Err(refusal);
            }
            heap.begin();
            let migrated = heap.migrate(&mut survey)?;
            self.learn_types(heap);
            self.rehash(heap, &migrated.tables)
                .map_err(Refusal::Value)?;
            heap.commit()?;
            Ok(survey)
        });
        match done {
            Ok(survey) => {
                self.announce(heap, &survey, start);
                Ok(())
            }
            Err(refusal) => {
                let text = refused(heap, &refusal);
                Err(self.unusable(text))
            }
        }
    }

    /// Brings maps up to date whose keys changed.
    fn rehash(&mut self, heap: &mut Heap, tables: &[(u64, u64)]) -> Result<(), String> {
        for &(header, key) in tables {
            let Some(ty) = self.types.any_by_key(key) else {
                continue;
            };
            let layout = self.layout(ty);
            let mut announce = |at: u64, len: u64| heap.log(at, len as usize);
            if !map::rehash(layout, &self.types, header, &mut announce)? {
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
pub(super) fn redefined(heap: &Heap, desc: &TypeDesc) -> String {
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
