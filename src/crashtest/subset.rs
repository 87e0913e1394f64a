//! Which of the units that were on their way to the disk survive a crash, and how a crash is named on the command line.
use std::fmt;

/// A choice among units that are numbered in the order in which they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subset {
    All,
    None,
    /// Bit by bit, for up to 64.
    Mask(u64),
    First(usize),
    Without(usize),
    Only(usize),
    /// About `density` ninths of them.
    Random {
        seed: u32,
        density: u8,
    },
    /// All but these.
    Lost(Vec<usize>),
}

impl Subset {
    pub fn holds(&self, unit: usize) -> bool {
        match self {
            Subset::All => true,
            Subset::None => false,
            Subset::Mask(mask) => unit < 64 && mask >> unit & 1 == 1,
            Subset::First(n) => unit < *n,
            Subset::Without(n) => unit != *n,
            Subset::Only(n) => unit == *n,
            Subset::Random { seed, density } => {
                let x = mix(u64::from(*seed) << 32 | unit as u64);
                (x >> 32) % 9 < u64::from(*density)
            }
            Subset::Lost(lost) => !lost.contains(&unit),
        }
    }
}

/// Scrambles a number.
pub fn mix(mut x: u64) -> u64 {
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

/// Calls `visit` with choices among `units`, each once: all there are if that is no more than `budget`, else the
/// regular ones and random ones. Stops when `visit` says false.
pub fn subsets(units: usize, budget: u64, seed: u64, visit: &mut dyn FnMut(Subset) -> bool) {
    if !visit(Subset::All) || units == 0 || !visit(Subset::None) {
        return;
    }
    if units < 40 && (1u64 << units) <= budget {
        let _ = (1..(1u64 << units) - 1).all(|mask| visit(Subset::Mask(mask)));
        return;
    }
    let mut left = budget.saturating_sub(2);
    // Half of what is left for tears in order and single losses, spread evenly.
    let regular = (left / 2).min(3 * units as u64);
    for i in 0..regular {
        let at = (i / 3) as usize * units / (regular.div_ceil(3)).max(1) as usize;
        let subset = match i % 3 {
            0 => Subset::First(at + 1),
            1 => Subset::Without(at),
            _ => Subset::Only(at),
        };
        if !visit(subset) {
            return;
        }
        left -= 1;
    }
    for i in 0..left {
        let x = mix(seed ^ mix(i));
        let subset = Subset::Random {
            seed: x as u32,
            density: 1 + (x >> 32) as u8 % 8,
        };
        if !visit(subset) {
            return;
        }
    }
}

/// A crash: after how many events, and what survives; then, perhaps, another one while the heap recovers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    pub cut: usize,
    pub subset: Subset,
    pub again: Option<(usize, Subset)>,
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.cut, self.subset)?;
        match &self.again {
            Some((cut, subset)) => write!(f, "/{cut}-{subset}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Subset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subset::All => f.write_str("all"),
            Subset::None => f.write_str("none"),
            Subset::Mask(mask) => write!(f, "mask{mask:x}"),
            Subset::First(n) => write!(f, "first{n}"),
            Subset::Without(n) => write!(f, "without{n}"),
            Subset::Only(n) => write!(f, "only{n}"),
            Subset::Random { seed, density } => write!(f, "random{seed}x{density}"),
            Subset::Lost(lost) => {
                let lost: Vec<String> = lost.iter().map(usize::to_string).collect();
                write!(f, "lost{}", lost.join("."))
            }
        }
    }
}

impl std::str::FromStr for Crash {
    type Err = String;

    fn from_str(text: &str) -> Result<Crash, String> {
        let one = |text: &str| {
            let (cut, subset) = text.split_once('-')?;
            Some((cut.parse().ok()?, parse_subset(subset)?))
        };
        let parse = || {
            let (first, again) = match text.split_once('/') {
                Some((first, again)) => (first, Some(one(again)?)),
                None => (text, None),
            };
            let (cut, subset) = one(first)?;
            Some(Crash { cut, subset, again })
        };
        parse().ok_or_else(|| format!("{text} names no crash; a failing run prints one"))
    }
}

fn parse_subset(text: &str) -> Option<Subset> {
    let number = |rest: &str| rest.parse::<usize>().ok();
    Some(match text {
        "all" => Subset::All,
        "none" => Subset::None,
        _ => {
            if let Some(rest) = text.strip_prefix("mask") {
                Subset::Mask(u64::from_str_radix(rest, 16).ok()?)
            } else if let Some(rest) = text.strip_prefix("first") {
                Subset::First(number(rest)?)
            } else if let Some(rest) = text.strip_prefix("without") {
                Subset::Without(number(rest)?)
            } else if let Some(rest) = text.strip_prefix("only") {
                Subset::Only(number(rest)?)
            } else if let Some(rest) = text.strip_prefix("random") {
                let (seed, density) = rest.split_once('x')?;
                Subset::Random {
                    seed: seed.parse().ok()?,
                    density: density.parse().ok()?,
                }
            } else {
                let lost = text.strip_prefix("lost")?.split('.').map(number);
                Subset::Lost(lost.collect::<Option<_>>()?)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn crashes_are_named_and_read_back() {
        let subsets = [
            Subset::All,
            Subset::None,
            Subset::Mask(0xf3),
            Subset::First(3),
            Subset::Without(0),
            Subset::Only(70),
            Subset::Random {
                seed: 77,
                density: 4,
            },
            Subset::Lost(vec![1, 5]),
        ];
        for subset in subsets {
            for again in [None, Some((4, Subset::None))] {
                let crash = Crash {
                    cut: 12,
                    subset: subset.clone(),
                    again,
                };
                assert_eq!(crash.to_string().parse(), Ok(crash));
            }
        }
        for bad in ["", "12", "x-all", "1-most", "1-all/", "1-lost"] {
            assert!(bad.parse::<Crash>().is_err(), "{bad}");
        }
    }

    #[test]
    fn few_units_give_every_subset_and_many_no_more_than_the_budget() {
        let chosen = |units: usize, budget| {
            let mut all = Vec::new();
            subsets(units, budget, 1, &mut |subset| {
                all.push(
                    (0..units)
                        .map(|unit| subset.holds(unit))
                        .collect::<Vec<_>>(),
                );
                true
            });
            all
        };
        for units in 0..6 {
            let all = chosen(units, 64);
            let distinct: HashSet<_> = all.iter().cloned().collect();
            assert_eq!((all.len(), distinct.len()), (1 << units, 1 << units));
        }
        assert_eq!(chosen(1000, 100).len(), 100);
        assert_eq!(chosen(7, 2).len(), 2);
    }
}
