//! All crashes of a recorded run: behind everything that it did, with every choice of what survives as long as these are
//! few; and some crashes of the recovery from them.
use super::judge::{Failure, Judge, Recovered};
use super::record::{Recording, What};
use super::subset::{Crash, Subset, mix, subsets};
use pheap::disk::Event;
use pheap::disk::crash::{Files, Moment, hash_files};

/// How many crashes are tried, and by which rules.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub states: u64,
    pub seed: u64,
    /// What is printed acknowledges what was committed before, or is being committed.
    pub acks: bool,
}

/// What was tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub crashes: u64,
    /// Those while a heap recovered from another.
    pub in_recovery: u64,
    /// Crashes that lost a commit after which something had been printed, as policies but `sync` may.
    pub lost_after_output: u64,
}

/// A crash that leads to a failure.
#[derive(Clone, Debug)]
pub struct Found {
    pub crash: Crash,
    pub failure: Failure,
}

/// What must hold of the heap after a crash at some point of a recording.
#[derive(Clone, Copy, Debug, Default)]
struct Due {
    /// The last record that was acknowledged.
    needed: u64,
    /// The last record before something was printed.
    told: u64,
    printed: usize,
    notes: usize,
}

/// Crashes while a heap recovers are few at each point: all that is open there was seen before.
const RECOVERY_SUBSETS: u64 = 6;

pub struct Explorer<'a> {
    pub recording: &'a Recording,
    pub judge: &'a mut Judge,
    pub plan: Plan,
    pub tally: Tally,
    /// For each note that is output inside a transaction: the record that it ended with, if that was written.
    outcomes: Vec<u64>,
}

impl<'a> Explorer<'a> {
    pub fn new(recording: &'a Recording, judge: &'a mut Judge, plan: Plan) -> Explorer<'a> {
        let mut outcomes = vec![0; recording.notes.len()];
        let mut next = 0;
        for (i, note) in recording.notes.iter().enumerate().rev() {
            match note.what {
                What::Committed { lsn, .. } => next = lsn,
                What::RolledBack => next = 0,
                _ => {}
            }
            outcomes[i] = next;
        }
        Explorer {
            recording,
            judge,
            plan,
            tally: Tally::default(),
            outcomes,
        }
    }

    /// What holds behind one more event.
    fn after(&self, due: &mut Due, event: &Event, committed: &mut u64) {
        let Event::Mark(index) = event else { return };
        due.notes = *index as usize + 1;
        match self.recording.notes[*index as usize].what {
            What::Committed { lsn, durable_lsn } => {
                *committed = lsn;
                due.needed = due.needed.max(durable_lsn);
            }
            What::Printed { len, in_txn } => {
                due.printed = len;
                let told = match in_txn {
                    true => self.outcomes[*index as usize],
                    false => *committed,
                };
                due.told = due.told.max(told);
            }
            _ => {}
        }
    }

    /// Whether a crash behind an event is worth a look: something has changed.
    fn is_cut(&self, event: &Event) -> bool {
        match event {
            Event::Mark(index) => match self.recording.notes[*index as usize].what {
                What::Committed { .. } => true,
                What::Printed { .. } => self.plan.acks || self.judge.depends_on_printed(),
                _ => false,
            },
            Event::SyncNames => false,
            _ => true,
        }
    }

    /// Tries all crashes, first things first, up to the first that fails.
    pub fn explore(&mut self, progress: &mut dyn FnMut(u64)) -> Result<(), Found> {
        let recording = self.recording;
        let mut cuts = recording.events.iter().filter(|e| self.is_cut(e)).count() as u64 + 1;
        let mut left = self.plan.states.max(cuts);
        let (mut moment, mut due, mut committed) =
            (Moment::new(recording.start.clone()), Due::default(), 0);
        self.try_cut(0, &moment, due, left / cuts, progress)?;
        for (i, event) in recording.events.iter().enumerate() {
            moment.advance(event);
            self.after(&mut due, event, &mut committed);
            if !self.is_cut(event) {
                continue;
            }
            let before = self.tally.crashes;
            self.try_cut(i + 1, &moment, due, (left / cuts).max(1), progress)?;
            left = left.saturating_sub(self.tally.crashes - before);
            cuts = (cuts - 1).max(1);
        }
        progress(self.tally.crashes);
        Ok(())
    }

    /// Makes one crash; what fails, if it does.
    pub fn replay(&mut self, crash: &Crash) -> Result<Option<Found>, String> {
        let recording = self.recording;
        let events = recording
            .events
            .get(..crash.cut)
            .ok_or("the script does less than that before it ends")?;
        let (mut moment, mut due, mut committed) =
            (Moment::new(recording.start.clone()), Due::default(), 0);
        for event in events {
            moment.advance(event);
            self.after(&mut due, event, &mut committed);
        }
        self.tally.crashes += 1;
        let failure = match (self.try_one(&moment, due, &crash.subset), &crash.again) {
            (Ok(first), Some(_)) => {
                let files = files_after(recording, crash).ok_or("recovery does less than that")?;
                let hash = hash_files(&files);
                match self.judge.recover(hash, &mut || files.clone()) {
                    Ok(again) if again.heap == first.heap => None,
                    Ok(_) => Some(Failure::Recovery),
                    Err(failure) => Some(failure),
                }
            }
            (Ok(_), None) => None,
            (Err(failure), _) => Some(failure),
        };
        Ok(failure.map(|failure| Found {
            crash: crash.clone(),
            failure,
        }))
    }

    fn try_cut(
        &mut self,
        cut: usize,
        moment: &Moment,
        due: Due,
        budget: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Found> {
        let seed = mix(self.plan.seed ^ mix(cut as u64));
        let mut found = None;
        subsets(moment.units(), budget, seed, &mut |subset| {
            self.tally.crashes += 1;
            if self.tally.crashes.is_multiple_of(64) {
                progress(self.tally.crashes);
            }
            let disks = self.judge.distinct().0;
            match self.try_one(moment, due, &subset) {
                Err(failure) => found = Some(self.simplest(cut, moment, due, subset, failure)),
                Ok(recovered) => {
                    self.tally.lost_after_output += u64::from(recovered.lsn < due.told);
                    let is_new = self.judge.distinct().0 > disks;
                    if is_new && self.tally.in_recovery * 4 < self.tally.crashes {
                        found = self.try_recovery(cut, moment, &subset, recovered);
                    }
                }
            }
            found.is_none()
        });
        found.map_or(Ok(()), Err)
    }

    /// One crash: what it leaves is recovered, holds what it must, and satisfies the invariant.
    fn try_one(
        &mut self,
        moment: &Moment,
        due: Due,
        subset: &Subset,
    ) -> Result<Recovered, Failure> {
        let hash = moment.hash(&mut |unit| subset.holds(unit));
        let printed = &self.recording.printed[..due.printed];
        let recovered = self.judge.judge(hash, printed, &mut || {
            moment.files(&mut |unit| subset.holds(unit))
        })?;
        let needed = match self.plan.acks {
            true => due.needed.max(due.told),
            false => due.needed,
        };
        if recovered.lsn < needed {
            return Err(Failure::Lost {
                needed,
                found: recovered.lsn,
            });
        }
        Ok(recovered)
    }

    /// Crashes of the recovery from a crash: they change nothing.
    fn try_recovery(
        &mut self,
        cut: usize,
        moment: &Moment,
        subset: &Subset,
        recovered: Recovered,
    ) -> Option<Found> {
        let files = moment.files(&mut |unit| subset.holds(unit));
        let events = Judge::recovery_events(&files);
        let mut moment = Moment::new(files);
        for (i, event) in events.iter().enumerate() {
            moment.advance(event);
            let seed = mix(self.plan.seed ^ mix((cut ^ i << 32) as u64));
            let mut found = None;
            subsets(moment.units(), RECOVERY_SUBSETS, seed, &mut |inner| {
                self.tally.crashes += 1;
                self.tally.in_recovery += 1;
                let hash = moment.hash(&mut |unit| inner.holds(unit));
                let files = &mut || moment.files(&mut |unit| inner.holds(unit));
                let failure = match self.judge.recover(hash, files) {
                    Ok(again) if again.heap == recovered.heap => return true,
                    Ok(_) => Failure::Recovery,
                    Err(failure) => failure,
                };
                found = Some(Found {
                    crash: Crash {
                        cut,
                        subset: subset.clone(),
                        again: Some((i + 1, inner)),
                    },
                    failure,
                });
                false
            });
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Of the crashes at one moment that fail in the same way, one that loses little.
    fn simplest(
        &mut self,
        cut: usize,
        moment: &Moment,
        due: Due,
        subset: Subset,
        failure: Failure,
    ) -> Found {
        let mut best = Found {
            crash: Crash {
                cut,
                subset,
                again: None,
            },
            failure,
        };
        let same =
            |a: &Failure, b: &Failure| std::mem::discriminant(a) == std::mem::discriminant(b);
        let units = moment.units();
        let mut lost: Vec<usize> = (0..units)
            .filter(|&u| !best.crash.subset.holds(u))
            .collect();
        if matches!(best.crash.subset, Subset::All | Subset::None) || lost.len() > 200 {
            return best;
        }
        for unit in lost.clone() {
            let less: Vec<usize> = lost.iter().copied().filter(|&u| u != unit).collect();
            let subset = Subset::Lost(less.clone());
            if let Err(failure) = self.try_one(moment, due, &subset)
                && same(&failure, &best.failure)
            {
                best.crash.subset = subset;
                best.failure = failure;
                lost = less;
            }
        }
        best
    }
}

/// The disk after a crash: of the recorded run, and perhaps of the recovery from that.
pub fn files_after(recording: &Recording, crash: &Crash) -> Option<Files> {
    let moment_at = |start: Files, events: &[Event], cut: usize| {
        let mut moment = Moment::new(start);
        events
            .get(..cut)?
            .iter()
            .for_each(|event| moment.advance(event));
        Some(moment)
    };
    let moment = moment_at(recording.start.clone(), &recording.events, crash.cut)?;
    let files = moment.files(&mut |unit| crash.subset.holds(unit));
    let Some((cut, subset)) = &crash.again else {
        return Some(files);
    };
    let events = Judge::recovery_events(&files);
    let moment = moment_at(files, &events, *cut)?;
    Some(moment.files(&mut |unit| subset.holds(unit)))
}
