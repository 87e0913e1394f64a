//! Time zones from the system's database (TZif files, RFC 8536) and from the footer's POSIX rule.

use std::cell::RefCell;

use crate::calendar;

/// One zone: transitions (from when, which kind), kinds (offset, name), the rule after the last transition.
pub struct Zone {
    transitions: Vec<(i64, usize)>,
    kinds: Vec<(i64, String)>,
    rule: Option<Rule>,
}

/// A POSIX TZ rule: standard time and, if there is one, summer time with its start and end.
struct Rule {
    standard: (i64, String),
    summer: Option<((i64, String), Change, Change)>,
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
    let name = at.name()?;
    let standard = (-at.clock()?, name);
    let Some(name) = at.name() else {
        return Some(Rule {
            standard,
            summer: None,
        });
    };
    let offset = if at.0.first().is_some_and(|&c| c != b',') {
        -at.clock()?
    } else {
        standard.0 + 3600
    };
    at.eat(b',');
    let start = at.change()?;
    at.eat(b',');
    let end = at.change()?;
    Some(Rule {
        standard,
        summer: Some(((offset, name), start, end)),
    })
}

impl Rule {
    fn lookup(&self, unix: i64) -> &(i64, String) {
        let Some((summer, start, end)) = &self.summer else {
            return &self.standard;
        };
        let (year, ..) = calendar::civil((unix + self.standard.0).div_euclid(86400));
        let start = start.at(year) - self.standard.0;
        let end = end.at(year) - summer.0;
        let inside = if start < end {
            start <= unix && unix < end
        } else {
            unix < end || start <= unix
        };
        if inside { summer } else { &self.standard }
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
            Some((offset, String::from_utf8_lossy(name).into_owned()))
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
    fn lookup(&self, unix: i64) -> (i64, &str) {
        let after = self.transitions.partition_point(|t| t.0 <= unix);
        let kind = match (after, &self.rule) {
            (0, Some(rule)) if self.transitions.is_empty() => rule.lookup(unix),
            (0, _) => &self.kinds[0],
            (n, Some(rule)) if n == self.transitions.len() => rule.lookup(unix),
            (n, _) => &self.kinds[self.transitions[n - 1].1],
        };
        (kind.0, &kind.1)
    }
}

thread_local! {
    /// Loaded zones; the local one is first, under the name "".
    static ZONES: RefCell<Vec<(String, Zone)>> = const { RefCell::new(Vec::new()) };
}

fn utc() -> Zone {
    Zone {
        transitions: Vec::new(),
        kinds: vec![(0, "UTC".into())],
        rule: None,
    }
}

fn load_named(name: &str) -> Option<Zone> {
    if name.starts_with('/') || name.contains("..") {
        return None;
    }
    [
        "/usr/share/zoneinfo/",
        "/usr/lib/zoneinfo/",
        "/usr/share/lib/zoneinfo/",
        "/etc/zoneinfo/",
    ]
    .iter()
    .find_map(|dir| parse(&std::fs::read(format!("{dir}{name}")).ok()?))
}

fn local() -> Zone {
    let zone = match crate::env::get("TZ".as_ref()) {
        None => std::fs::read("/etc/localtime")
            .ok()
            .and_then(|data| parse(&data)),
        Some(tz) => {
            let tz = tz.to_string_lossy().into_owned();
            let tz = tz.strip_prefix(':').unwrap_or(&tz);
            if tz.starts_with('/') {
                std::fs::read(tz).ok().and_then(|data| parse(&data))
            } else {
                load_named(tz)
            }
        }
    };
    zone.unwrap_or_else(utc)
}

fn with<T>(f: impl FnOnce(&mut Vec<(String, Zone)>) -> T) -> T {
    ZONES.with_borrow_mut(|zones| {
        if zones.is_empty() {
            zones.push((String::new(), local()));
        }
        f(zones)
    })
}

/// Numbers of loaded zones start here; 0 is local time, below lie the kinds that time.pgo handles itself.
const FIRST: i64 = 3;

/// Number of a zone by name.
pub fn load(name: &str) -> Option<i64> {
    with(|zones| {
        if let Some(at) = zones.iter().skip(1).position(|z| z.0 == name) {
            return Some(at as i64 + FIRST);
        }
        zones.push((name.into(), load_named(name)?));
        Some(zones.len() as i64 - 2 + FIRST)
    })
}

/// Offset and abbreviation in zone `number` at a Unix time.
pub fn lookup(number: i64, unix: i64) -> (i64, String) {
    with(|zones| {
        let at = if number == 0 {
            0
        } else {
            (number - FIRST + 1) as usize
        };
        let (offset, name) = zones.get(at).map_or((0, "UTC"), |z| z.1.lookup(unix));
        (offset, name.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        let rule = parse_rule(b"CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        // 2024-03-31 01:00 UTC begins summer time.
        assert_eq!(rule.lookup(1_711_846_799).0, 3600);
        assert_eq!(*rule.lookup(1_711_846_800), (7200, "CEST".into()));
        assert_eq!(rule.lookup(1_729_990_800).1, "CET");
    }
}
