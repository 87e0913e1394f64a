//! The Gregorian calendar, and times as text in Go's layouts.

use crate::text;

pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from 1970-01-01 to a date whose month may be out of range (H. Hinnant's algorithm).
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let months = year * 12 + month - 1;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y - era * 400;
    let doy = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468 + day - 1
}

/// Year, month, day and day of the year of a day counted from 1970.
pub fn civil(day: i64) -> (i64, i64, i64, i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z - era * 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (
        year,
        month,
        doy - (153 * mp + 2) / 5 + 1,
        day - days(year, 1, 1) + 1,
    )
}

/// 0 is Sunday.
pub fn weekday(day: i64) -> i64 {
    (day + 4).rem_euclid(7)
}

pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// An element of a layout.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Elem {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    YearDay,
    UnderYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    /// `Z` for UTC?, minutes?, seconds?, colons?
    Offset {
        z: bool,
        minutes: bool,
        seconds: bool,
        colon: bool,
    },
    /// Digits after `.` or `,`; trailing zeros dropped?
    Fraction {
        digits: usize,
        trim: bool,
        mark: u8,
    },
}

const FIXED: &[(&str, Elem)] = &[
    ("January", Elem::LongMonth),
    ("Monday", Elem::LongWeekday),
    ("MST", Elem::ZoneName),
    ("002", Elem::YearDay),
    ("01", Elem::ZeroMonth),
    ("02", Elem::ZeroDay),
    ("03", Elem::ZeroHour12),
    ("04", Elem::ZeroMinute),
    ("05", Elem::ZeroSecond),
    ("06", Elem::Year),
    ("15", Elem::Hour),
    ("2006", Elem::LongYear),
    ("__2", Elem::UnderYearDay),
    ("_2", Elem::UnderDay),
    ("PM", Elem::UpperPm),
    ("pm", Elem::LowerPm),
    ("1", Elem::NumMonth),
    ("2", Elem::Day),
    ("3", Elem::Hour12),
    ("4", Elem::Minute),
    ("5", Elem::Second),
];

const OFFSETS: &[(&str, bool, bool, bool)] = &[
    ("07:00:00", true, true, true),
    ("070000", true, true, false),
    ("07:00", true, false, true),
    ("0700", true, false, false),
    ("07", false, false, false),
];

/// The element at the start of `s` and its length.
fn elem_at(s: &str) -> Option<(Elem, usize)> {
    let bytes = s.as_bytes();
    match bytes[0] {
        b'-' | b'Z' => {
            for &(text, minutes, seconds, colon) in OFFSETS {
                if s[1..].starts_with(text) {
                    return Some((
                        Elem::Offset {
                            z: bytes[0] == b'Z',
                            minutes,
                            seconds,
                            colon,
                        },
                        text.len() + 1,
                    ));
                }
            }
            return None;
        }
        mark @ (b'.' | b',') => {
            let digit = *bytes.get(1)?;
            if digit != b'0' && digit != b'9' {
                return None;
            }
            let digits = bytes[1..].iter().take_while(|&&c| c == digit).count();
            let ends = !bytes.get(1 + digits).is_some_and(u8::is_ascii_digit);
            return ends.then_some((
                Elem::Fraction {
                    digits,
                    trim: digit == b'9',
                    mark,
                },
                1 + digits,
            ));
        }
        // "Jan" and "Mon" only where no lower-case letter follows.
        b'J' | b'M' if s.starts_with("Jan") || s.starts_with("Mon") => {
            for long in ["January", "Monday"] {
                if s.starts_with(long) {
                    let elem = if long == "January" {
                        Elem::LongMonth
                    } else {
                        Elem::LongWeekday
                    };
                    return Some((elem, long.len()));
                }
            }
            if bytes.get(3).is_some_and(u8::is_ascii_lowercase) {
                return None;
            }
            let elem = if bytes[0] == b'J' {
                Elem::Month
            } else {
                Elem::Weekday
            };
            return Some((elem, 3));
        }
        _ => {}
    }
    // "_2006" is an underscore and a year.
    if s.starts_with("_2006") {
        return None;
    }
    FIXED
        .iter()
        .find(|f| s.starts_with(f.0))
        .map(|f| (f.1, f.0.len()))
}

/// Splits a layout at its first element: literal text, the element and its text, the rest.
fn next_elem(layout: &str) -> (&str, Option<(Elem, &str)>, &str) {
    for (at, c) in layout.char_indices() {
        if c.is_ascii()
            && let Some((elem, n)) = elem_at(&layout[at..])
        {
            return (
                &layout[..at],
                Some((elem, &layout[at..at + n])),
                &layout[at + n..],
            );
        }
    }
    (layout, None, "")
}

/// An instant in a zone: seconds since 1970 as local time, nanoseconds, offset and name of the zone.
pub struct Instant<'a> {
    pub local: i64,
    pub nsec: i64,
    pub offset: i64,
    pub zone: &'a str,
}

fn offset_text(offset: i64, minutes: bool, seconds: bool, colon: bool) -> String {
    let n = offset.abs();
    let sep = if colon { ":" } else { "" };
    let mut out = format!("{}{:02}", if offset < 0 { '-' } else { '+' }, n / 3600);
    if minutes {
        out += &format!("{sep}{:02}", n / 60 % 60);
    }
    if seconds {
        out += &format!("{sep}{:02}", n % 60);
    }
    out
}

pub fn format(mut layout: &str, t: &Instant) -> String {
    let day = t.local.div_euclid(86400);
    let second = t.local.rem_euclid(86400);
    let (year, month, dom, yday) = civil(day);
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    let h12 = if h % 12 == 0 { 12 } else { h % 12 };
    let (month_name, day_name) = (MONTHS[month as usize - 1], WEEKDAYS[weekday(day) as usize]);
    let mut out = String::new();
    loop {
        let (literal, elem, rest) = next_elem(layout);
        out += literal;
        let Some((elem, _)) = elem else { return out };
        layout = rest;
        match elem {
            Elem::LongMonth => out += month_name,
            Elem::Month => out += &month_name[..3],
            Elem::NumMonth => out += &month.to_string(),
            Elem::ZeroMonth => out += &format!("{month:02}"),
            Elem::LongWeekday => out += day_name,
            Elem::Weekday => out += &day_name[..3],
            Elem::Day => out += &dom.to_string(),
            Elem::UnderDay => out += &format!("{dom:2}"),
            Elem::ZeroDay => out += &format!("{dom:02}"),
            Elem::YearDay => out += &format!("{yday:03}"),
            Elem::UnderYearDay => out += &format!("{yday:3}"),
            Elem::Hour => out += &format!("{h:02}"),
            Elem::Hour12 => out += &h12.to_string(),
            Elem::ZeroHour12 => out += &format!("{h12:02}"),
            Elem::Minute => out += &m.to_string(),
            Elem::ZeroMinute => out += &format!("{m:02}"),
            Elem::Second => out += &s.to_string(),
            Elem::ZeroSecond => out += &format!("{s:02}"),
            Elem::LongYear if year < 0 => out += &format!("-{:04}", -year),
            Elem::LongYear => out += &format!("{year:04}"),
            Elem::Year => out += &format!("{:02}", year.rem_euclid(100)),
            Elem::UpperPm => out += if h >= 12 { "PM" } else { "AM" },
            Elem::LowerPm => out += if h >= 12 { "pm" } else { "am" },
            Elem::ZoneName if !t.zone.is_empty() => out += t.zone,
            Elem::ZoneName => out += &offset_text(t.offset, true, false, false),
            Elem::Offset { z: true, .. } if t.offset == 0 => out.push('Z'),
            Elem::Offset {
                minutes,
                seconds,
                colon,
                ..
            } => out += &offset_text(t.offset, minutes, seconds, colon),
            Elem::Fraction { digits, trim, mark } => {
                let all = format!("{:09}", t.nsec);
                let mut frac = all[..digits.min(9)].to_string();
                if trim {
                    frac.truncate(frac.trim_end_matches('0').len());
                } else {
                    frac += &"0".repeat(digits.saturating_sub(9));
                }
                if !frac.is_empty() {
                    out.push(mark as char);
                    out += &frac;
                }
            }
        }
    }
}

/// What a parse found; `zone`: (kind 1 UTC, 2 offset, 3 name; offset; name).
#[derive(Default, Debug, PartialEq)]
pub struct Parsed {
    pub local: i64,
    pub nsec: i64,
    pub kind: i64,
    pub offset: i64,
    pub zone: String,
}

/// Why a parse failed: layout element, value element, message.
pub type ParseFailure = (String, String, String);

fn digits(value: &str, least: usize, most: usize) -> Option<(i64, &str)> {
    let n = value
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if n < least {
        return None;
    }
    Some((value[..n].parse().ok()?, &value[n..]))
}

fn named<'v>(value: &'v str, names: &[&str], short: bool) -> Option<(i64, &'v str)> {
    names.iter().enumerate().find_map(|(i, name)| {
        let name = if short { &name[..3] } else { name };
        let head = value.get(..name.len())?;
        head.eq_ignore_ascii_case(name)
            .then(|| (i as i64, &value[name.len()..]))
    })
}

fn fraction(value: &str, digits: usize) -> Option<(i64, &str)> {
    let text = value.get(1..1 + digits)?;
    if !text.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let nine = format!("{:0<9}", &text[..digits.min(9)]);
    Some((nine.parse().ok()?, &value[1 + digits..]))
}

fn zone_name(value: &str) -> Option<usize> {
    let upper = value
        .bytes()
        .take(6)
        .take_while(u8::is_ascii_uppercase)
        .count();
    if value.starts_with("ChST") || value.starts_with("MeST") {
        return Some(4);
    }
    if value.starts_with("GMT") {
        let sign = value.as_bytes().get(3).copied();
        if matches!(sign, Some(b'+' | b'-')) {
            let n = value[4..].bytes().take_while(u8::is_ascii_digit).count();
            if value[4..4 + n].parse::<u64>().is_ok_and(|hour| hour <= 23) {
                return Some(4 + n);
            }
        }
        return Some(3);
    }
    if matches!(value.as_bytes().first(), Some(b'+' | b'-')) {
        let n = value[1..].bytes().take_while(u8::is_ascii_digit).count();
        let is_hour = value[1..=n].parse::<u64>().is_ok_and(|hour| hour <= 23);
        return is_hour.then_some(n + 1);
    }
    match upper {
        3 => Some(3),
        4 if value.as_bytes()[3] == b'T' || value.starts_with("WITA") => Some(4),
        5 if value.as_bytes()[4] == b'T' => Some(5),
        _ => None,
    }
}

/// An offset at the start of `value`: sign, hours, minutes, seconds.
fn offset_value(
    value: &str,
    minutes: bool,
    seconds: bool,
    colon: bool,
) -> Option<([i64; 4], &str)> {
    let sign = match value.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, mut rest) = digits(&value[1..], 2, 2)?;
    let mut parts = [sign, hours, 0, 0];
    for (wanted, at) in [(minutes, 2), (seconds, 3)] {
        if wanted {
            if colon {
                rest = rest.strip_prefix(':')?;
            }
            (parts[at], rest) = digits(rest, 2, 2)?;
        }
    }
    Some((parts, rest))
}

/// time.Parse without the choice of a location.
pub fn parse(layout: &str, value: &str) -> Result<Parsed, ParseFailure> {
    let (mut l, mut v) = (layout, value);
    let (mut year, mut month, mut day, mut yday) = (0, 0, 0, 0);
    let (mut hour, mut minute, mut second, mut nsec) = (0, 0, 0, 0);
    let (mut pm_set, mut pm) = (false, false);
    let mut out = Parsed::default();
    let (mut is_utc, mut offset) = (false, None);
    let quoted = |s: &str| {
        String::from_utf8_lossy(&text::quote(s.as_bytes(), text::Plain::Print)).into_owned()
    };
    loop {
        let (literal, elem, rest) = next_elem(l);
        let elem_text = elem.map_or("", |e| e.1);
        // Spaces of the layout match any run of spaces.
        let mut lit = literal;
        while !lit.is_empty() {
            if let Some(after) = lit.strip_prefix(' ') {
                if !v.is_empty() && !v.starts_with(' ') {
                    return Err((literal.into(), v.into(), String::new()));
                }
                lit = after.trim_start_matches(' ');
                v = v.trim_start_matches(' ');
                continue;
            }
            let c = lit.chars().next().unwrap_or(' ');
            match v.strip_prefix(c) {
                Some(after) => v = after,
                None => return Err((literal.into(), v.into(), String::new())),
            }
            lit = &lit[c.len_utf8()..];
        }
        let Some((elem, _)) = elem else {
            if !v.is_empty() {
                return Err((
                    String::new(),
                    v.into(),
                    format!(": extra text: {}", quoted(v)),
                ));
            }
            break;
        };
        l = rest;
        let hold = v;
        let mut range = String::new();
        let step: Option<&str> = (|| {
            let (n, after) = match elem {
                Elem::LongMonth | Elem::Month => {
                    let (i, after) = named(v, &MONTHS, elem == Elem::Month)?;
                    (i + 1, after)
                }
                Elem::LongWeekday | Elem::Weekday => named(v, &WEEKDAYS, elem == Elem::Weekday)?,
                Elem::NumMonth | Elem::Hour12 | Elem::Minute | Elem::Second | Elem::Hour => {
                    digits(v, 1, 2)?
                }
                Elem::Day => digits(v, 1, 2)?,
                Elem::UnderDay => digits(v.strip_prefix(' ').unwrap_or(v), 1, 2)?,
                Elem::ZeroMonth
                | Elem::ZeroDay
                | Elem::ZeroHour12
                | Elem::ZeroMinute
                | Elem::ZeroSecond
                | Elem::Year => digits(v, 2, 2)?,
                Elem::YearDay => digits(v, 3, 3)?,
                Elem::UnderYearDay => digits(v.trim_start_matches(' '), 1, 3)?,
                Elem::LongYear => digits(v, 4, 4)?,
                Elem::UpperPm | Elem::LowerPm => {
                    let (a, b) = if elem == Elem::UpperPm {
                        ("AM", "PM")
                    } else {
                        ("am", "pm")
                    };
                    if let Some(after) = v.strip_prefix(b) {
                        (1, after)
                    } else {
                        (0, v.strip_prefix(a)?)
                    }
                }
                Elem::ZoneName => {
                    if let Some(after) = v.strip_prefix("UTC") {
                        is_utc = true;
                        (0, after)
                    } else {
                        let n = zone_name(v)?;
                        out.zone = v[..n].into();
                        (0, &v[n..])
                    }
                }
                Elem::Offset { z: true, .. } if v.starts_with('Z') => {
                    is_utc = true;
                    (0, &v[1..])
                }
                Elem::Offset {
                    minutes,
                    seconds,
                    colon,
                    ..
                } => {
                    let ([sign, h, m, s], after) = offset_value(v, minutes, seconds, colon)?;
                    for (n, most, what) in [(h, 24, "hour"), (m, 60, "minute"), (s, 60, "second")] {
                        if n > most {
                            range = format!("time zone offset {what}");
                        }
                    }
                    offset = Some(sign * (h * 3600 + m * 60 + s));
                    (0, after)
                }
                Elem::Fraction {
                    digits,
                    trim: false,
                    ..
                } => {
                    if !v.starts_with(['.', ',']) {
                        return None;
                    }
                    if v.get(1..1 + digits)
                        .is_some_and(|n| n.parse::<i64>().is_ok_and(|n| n < 0))
                    {
                        range = "fractional second".into();
                        return None;
                    }
                    fraction(v, digits)?
                }
                Elem::Fraction { .. } => {
                    let n = v
                        .get(1..)
                        .map_or(0, |d| d.bytes().take_while(u8::is_ascii_digit).count());
                    if !v.starts_with(['.', ',']) || n == 0 {
                        (0, v)
                    } else {
                        fraction(v, n)?
                    }
                }
            };
            match elem {
                Elem::LongMonth | Elem::Month | Elem::NumMonth | Elem::ZeroMonth => {
                    month = n;
                    if !(1..=12).contains(&n) {
                        range = "month".into();
                    }
                }
                Elem::Day | Elem::UnderDay | Elem::ZeroDay => day = n,
                Elem::YearDay | Elem::UnderYearDay => yday = n,
                Elem::LongYear => year = n,
                Elem::Year => year = if n >= 69 { n + 1900 } else { n + 2000 },
                Elem::Hour => {
                    hour = n;
                    if n >= 24 {
                        range = "hour".into();
                    }
                }
                Elem::Hour12 | Elem::ZeroHour12 => {
                    hour = n;
                    if n > 12 {
                        range = "hour".into();
                    }
                }
                Elem::Minute | Elem::ZeroMinute => {
                    minute = n;
                    if n >= 60 {
                        range = "minute".into();
                    }
                }
                Elem::Second | Elem::ZeroSecond => {
                    second = n;
                    if n >= 60 {
                        range = "second".into();
                    }
                }
                Elem::UpperPm | Elem::LowerPm => (pm_set, pm) = (true, n == 1),
                Elem::Fraction { .. } => nsec = n,
                Elem::LongWeekday | Elem::Weekday | Elem::ZoneName | Elem::Offset { .. } => {}
            }
            Some(after)
        })();
        if !range.is_empty() {
            return Err((
                elem_text.into(),
                hold.into(),
                format!(": {range} out of range"),
            ));
        }
        let Some(after) = step else {
            return Err((elem_text.into(), hold.into(), String::new()));
        };
        v = after;
        // A fraction after the seconds is accepted though the layout has none.
        if matches!(elem, Elem::Second | Elem::ZeroSecond)
            && v.starts_with(['.', ','])
            && v[1..].starts_with(|c: char| c.is_ascii_digit())
            && !matches!(next_elem(l), ("", Some((Elem::Fraction { .. }, _)), _))
        {
            let n = v[1..].bytes().take_while(u8::is_ascii_digit).count();
            if let Some((ns, after)) = fraction(v, n) {
                nsec = ns;
                v = after;
            }
        }
    }
    if pm_set {
        hour = if pm && hour < 12 {
            hour + 12
        } else if !pm && hour == 12 {
            0
        } else {
            hour
        };
    }
    let out_of_range = || Err((String::new(), value.into(), ": day out of range".into()));
    if yday > 0 {
        if yday > 365 + i64::from(is_leap(year)) {
            return Err((
                String::new(),
                value.into(),
                ": day-of-year out of range".into(),
            ));
        }
        let (_, m, d, _) = civil(days(year, 1, 1) + yday - 1);
        for (is_other, what) in [
            (month > 0 && month != m, "month"),
            (day > 0 && day != d, "day"),
        ] {
            if is_other {
                let message = format!(": day-of-year does not match {what}");
                return Err((String::new(), value.into(), message));
            }
        }
        (month, day) = (m, d);
    } else {
        month = month.max(1);
        let has_day = layout.contains('2') && day == 0 && uses_day(layout);
        day = if has_day { 0 } else { day.max(1) };
    }
    if day < 1 || day > days(year, month + 1, 1) - days(year, month, 1) {
        return out_of_range();
    }
    out.local = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    out.nsec = nsec;
    out.kind = match offset {
        _ if is_utc => 1,
        Some(_) => 2,
        None if !out.zone.is_empty() => 3,
        None => 0,
    };
    out.offset = offset.unwrap_or_else(|| {
        let hours = out
            .zone
            .strip_prefix("GMT")
            .and_then(|hours| hours.parse::<i64>().ok());
        hours.unwrap_or(0) * 3600
    });
    Ok(out)
}

fn uses_day(mut layout: &str) -> bool {
    loop {
        let (_, elem, rest) = next_elem(layout);
        match elem {
            Some((Elem::Day | Elem::UnderDay | Elem::ZeroDay, _)) => return true,
            Some(_) => layout = rest,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 3, 1), 11_017);
        assert_eq!(civil(11_016), (2000, 2, 29, 60));
        assert_eq!(days(1999, 14, 1), days(2000, 2, 1));
        assert_eq!(weekday(0), 4);
    }

    #[test]
    fn layouts() {
        let t = Instant {
            local: 1_136_239_445,
            nsec: 123_000_000,
            offset: -25_200,
            zone: "MST",
        };
        assert_eq!(
            format("Mon Jan _2 15:04:05 MST 2006", &t),
            "Mon Jan  2 22:04:05 MST 2006"
        );
        assert_eq!(
            format("2006-01-02T15:04:05.999Z07:00", &t),
            "2006-01-02T22:04:05.123-07:00"
        );
        assert_eq!(format("3:04PM 06/1/2 .000", &t), "10:04PM 06/1/2 .123");
        let p = parse("2006-01-02 15:04:05", "2024-02-29 12:30:01.5").unwrap();
        assert_eq!(
            (p.local, p.nsec),
            (days(2024, 2, 29) * 86400 + 45_001, 500_000_000)
        );
        assert_eq!(
            parse("2006-01-02", "2023-02-29").unwrap_err().2,
            ": day out of range"
        );
        assert_eq!(
            parse("2006-01-02", "x").unwrap_err(),
            ("2006".into(), "x".into(), String::new())
        );
    }
}
