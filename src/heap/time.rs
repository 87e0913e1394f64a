//! Times and durations of package time, as people write them.
use pheap::{Kind, Result, View};

use super::value::{Place, desc, dynamic, place, string};

/// Seconds from the start of the year 1, from which stdlib/time.pgo counts, to that of 1970.
const UNIX_SECONDS: i64 = 62_135_596_800;
const ZONE_BYTES: u64 = 100;

/// A moment, and the zone that it is to be shown in.
pub struct Moment {
    seconds: i64,
    nanoseconds: i64,
    zone: String,
}

/// What a time.Time says, if that is what is there.
pub fn moment(view: &View, at: Place) -> Result<Option<Moment>> {
    let time = desc(view, at);
    let names = ["sec", "nsec"];
    let is_time = time.name == "time.Time"
        && time.kind == Kind::Struct
        && (time.fields.iter().map(|field| field.name.as_str()))
            .take(2)
            .eq(names);
    if !is_time {
        return Ok(None);
    }
    let word = |field: usize| view.word(at.addr + u64::from(time.fields[field].offset));
    let mut zone = String::new();
    if let Some(field) = time.fields.iter().find(|field| field.name == "zone") {
        let inner = place(view, field.type_key, at.addr + u64::from(field.offset))?;
        if desc(view, inner).kind == Kind::Interface
            && let Some((location, false)) = dynamic(view, inner)?
        {
            let name = desc(view, location).fields.first();
            if let Some(name) = name.filter(|field| field.name == "name") {
                let name = place(view, name.type_key, location.addr + u64::from(name.offset))?;
                zone = String::from_utf8_lossy(&string(view, name, ZONE_BYTES)?.0).into_owned();
            }
        }
    }
    Ok(Some(Moment {
        seconds: word(0)? as i64,
        nanoseconds: word(1)? as i64,
        zone,
    }))
}

impl Moment {
    /// In UTC, as RFC 3339 has it.
    pub fn rfc3339(&self) -> String {
        let (date, rest) = self.parts();
        format!("{date}T{rest}Z")
    }

    /// In UTC, with the zone's name if it has another.
    pub fn text(&self) -> String {
        let (date, rest) = self.parts();
        match self.zone.as_str() {
            "" | "UTC" | "Local" => format!("{date} {rest} UTC"),
            zone => format!("{date} {rest} UTC ({zone})"),
        }
    }

    fn parts(&self) -> (String, String) {
        let seconds = i128::from(self.seconds) - i128::from(UNIX_SECONDS);
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let mut time = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
        if self.nanoseconds != 0 {
            let fraction = format!(".{:09}", self.nanoseconds);
            time += fraction.trim_end_matches('0');
        }
        (format!("{year:04}-{month:02}-{day:02}"), time)
    }
}

/// Year, month and day of a day counted from 1970 on: in eras of 400 years, whose years begin in March.
fn civil(days: i128) -> (i128, i128, i128) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next, month, day)
}

/// As time.Duration's String.
pub fn duration(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let all = nanoseconds.unsigned_abs();
    let fraction = |unit: u64, name: &str| {
        let (whole, part) = (all / unit, all % unit);
        let digits = unit.ilog10() as usize;
        let part = match part {
            0 => String::new(),
            part => format!(".{part:0digits$}")
                .trim_end_matches('0')
                .to_string(),
        };
        (whole, format!("{part}{name}"))
    };
    match all {
        0 => "0s".into(),
        1..1_000 => format!("{sign}{all}ns"),
        1_000..1_000_000 => {
            let (whole, rest) = fraction(1_000, "µs");
            format!("{sign}{whole}{rest}")
        }
        1_000_000..1_000_000_000 => {
            let (whole, rest) = fraction(1_000_000, "ms");
            format!("{sign}{whole}{rest}")
        }
        _ => {
            let (seconds, rest) = fraction(1_000_000_000, "s");
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let seconds = format!("{}{rest}", seconds % 60);
            match (hours, minutes) {
                (0, 0) => format!("{sign}{seconds}"),
                (0, _) => format!("{sign}{minutes}m{seconds}"),
                _ => format!("{sign}{hours}h{minutes}m{seconds}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates() {
        let text = |unix: i64, nanoseconds| {
            let seconds = unix + UNIX_SECONDS;
            let zone = String::new();
            Moment {
                seconds,
                nanoseconds,
                zone,
            }
            .rfc3339()
        };
        assert_eq!(text(0, 0), "1970-01-01T00:00:00Z");
        assert_eq!(
            text(1_700_000_000, 123_456_000),
            "2023-11-14T22:13:20.123456Z"
        );
        assert_eq!(text(951_782_399, 1), "2000-02-28T23:59:59.000000001Z");
        assert_eq!(text(951_782_400, 0), "2000-02-29T00:00:00Z");
        assert_eq!(text(-UNIX_SECONDS, 0), "0001-01-01T00:00:00Z");
        assert_eq!(text(-1, 0), "1969-12-31T23:59:59Z");
        assert_eq!(text(253_402_300_799, 0), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn durations_are_as_go_prints_them() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (1, "1ns"),
            (-1_100, "-1.1µs"),
            (2_200_000, "2.2ms"),
            (3_300_000_000, "3.3s"),
            (90_000_000_000, "1m30s"),
            (7_384_000_000_001, "2h3m4.000000001s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(duration(nanoseconds), text);
        }
    }
}
