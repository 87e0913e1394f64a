//! Natives of package time.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use vm::native::{Ctx, NativeDef, NativeError, Wait};

use crate::calendar::{self, MONTHS, WEEKDAYS};
use crate::duration;
use crate::zones;

/// When the first call of Now was made; monotonic readings count from one nanosecond before.
static START: OnceLock<Instant> = OnceLock::new();

fn text_of(c: &mut Ctx) -> String {
    let s = c.str();
    String::from_utf8_lossy(c.get(s)).into_owned()
}

/// As package time quotes: all but printable ASCII in hexadecimal.
fn quote(s: &[u8]) -> String {
    let mut out = String::from("\"");
    for &b in s {
        match b {
            b'"' | b'\\' => out.extend(['\\', b as char]),
            b' '..=b'~' => out.push(b as char),
            _ => out += &format!("\\x{b:02x}"),
        }
    }
    out + "\""
}

fn name(kind: i64, n: i64) -> String {
    let (names, first, what): (&[&str], _, _) =
        if kind == 0 { (&MONTHS, 1, "Month") } else { (&WEEKDAYS, 0, "Weekday") };
    match usize::try_from(n - first).ok().and_then(|i| names.get(i)) {
        Some(name) => (*name).into(),
        None => format!("%!{what}({})", n as u64),
    }
}

pub const NATIVES: &[NativeDef] = natives! {
    "time.now" "func() (int64, int64, int64)" => |c| {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mono = START.get_or_init(Instant::now).elapsed().as_nanos() as i64 + 1;
        c.ret_int(wall.as_secs() as i64);
        c.ret_int(wall.subsec_nanos().into());
        c.ret_int(mono);
    };
    "time.Sleep" "func(time.Duration)" => |c| {
        let d = c.int();
        if d > 0 {
            return Err(NativeError::Block(Wait::Time(Duration::from_nanos(d as u64))));
        }
    };
    "time.startTimer" "func(func(), chan time.Time, int64, int64) uint64" => |c| {
        let (f, chan) = (c.ptr(), c.ptr());
        let (delay, period) = (c.uint(), c.uint());
        let id = c.start_timer(f, chan, delay, period);
        c.ret_uint(id);
    };
    "time.stopTimer" "func(uint64) bool" => |c| {
        let id = c.uint();
        let pending = c.stop_timer(id);
        c.ret_bool(pending);
    };
    "time.hideBuffer" "func(chan time.Time)" => |c| {
        let chan = c.ptr();
        c.hide_buffer(chan);
    };
    "time.durationString" "func(int64) string" => |c| { let d = c.int(); c.ret_str(duration::duration(d)); };
    "time.parseDuration" "func(string) (int64, int, string)" => |c| {
        let s = text_of(c);
        let (d, status, unit) = match duration::parse_duration(&s) {
            Ok(d) => (d, 0, String::new()),
            Err((status, unit)) => (0, status, unit),
        };
        c.ret_int(d);
        c.ret_int(status);
        c.ret_str(unit);
    };
    "time.quote" "func(string) string" => |c| {
        let s = c.str();
        c.ret_str(quote(c.get(s)));
    };
    "time.name" "func(int, int) string" => |c| {
        let (kind, n) = (c.int(), c.int());
        c.ret_str(name(kind, n));
    };
    "time.zoneExists" "func(int, string) bool" => |c| {
        let (kind, name) = (c.int(), c.str());
        c.ret_bool(zones::exists(kind, c.get(name)));
    };
    "time.localName" "func() string" => |c| { c.ret_str(zones::local_name()); };
    "time.zoneOffset" "func(int, string, int64) int" => |c| {
        let (kind, name, unix) = (c.int(), c.str(), c.int());
        c.ret_int(zones::lookup(kind, c.get(name), unix, |period| period.kind.offset));
    };
    "time.zoneName" "func(int, string, int64) string" => |c| {
        let (kind, name, unix) = (c.int(), c.str(), c.int());
        c.ret_str(zones::lookup(kind, c.get(name), unix, |period| period.kind.name.clone()));
    };
    "time.offsetOf" "func(int, string, string, int64) (int, bool)" => |c| {
        let (kind, source) = (c.int(), c.str());
        let (name, local) = (text_of(c), c.int());
        let offset = zones::offset_of(kind, c.get(source), &name, local);
        c.ret_int(offset.unwrap_or(0));
        c.ret_bool(offset.is_some());
    };
    "time.zonePeriod" "func(int, string, int64) (int64, int64, bool)" => |c| {
        let (kind, name, unix) = (c.int(), c.str(), c.int());
        let (start, end, is_summer) =
            zones::lookup(kind, c.get(name), unix, |period| (period.start, period.end, period.kind.is_summer));
        c.ret_int(start);
        c.ret_int(end);
        c.ret_bool(is_summer);
    };
    "time.days" "func(int, int, int) int64" => |c| {
        let (year, month, day) = (c.int(), c.int(), c.int());
        c.ret_int(calendar::days(year, month, day));
    };
    "time.civil" "func(int64) (int, int, int, int)" => |c| {
        let (year, month, day, yday) = calendar::civil(c.int());
        for n in [year, month, day, yday] {
            c.ret_int(n);
        }
    };
    "time.mod" "func(int64, int64, int64) int64" => |c| {
        let (sec, nsec, d) = (i128::from(c.int()), i128::from(c.int()), i128::from(c.int()));
        c.ret_int((sec * 1_000_000_000 + nsec).rem_euclid(d) as i64);
    };
    "time.format" "func(string, int64, int64, int, string) string" => |c| {
        let (layout, local, nsec, offset) = (text_of(c), c.int(), c.int(), c.int());
        let zone = text_of(c);
        c.ret_str(calendar::format(&layout, &calendar::Instant { local, nsec, offset, zone: &zone }));
    };
    "time.monoString" "func(int64) string" => |c| {
        let n = c.int();
        let sign = if n < 0 { '-' } else { '+' };
        let n = n.unsigned_abs();
        c.ret_str(format!(" m={sign}{}.{:09}", n / 1_000_000_000, n % 1_000_000_000));
    };
    "time.goDate" "func(int, int, string) string" => |c| {
        let (year, day, month) = (c.int(), c.int(), text_of(c));
        c.ret_str(format!("time.Date({year}, time.{month}, {day}, "));
    };
    "time.goClock" "func(int, int64) string" => |c| {
        let (sec, nsec) = (c.int(), c.int());
        c.ret_str(format!("{}, {}, {}, {nsec}, ", sec / 3600, sec / 60 % 60, sec % 60));
    };
    "time.parse" "func(string, string) (int64, int64, int, int, string, bool, string, string, string)" => |c| {
        let (layout, value) = (text_of(c), text_of(c));
        let result = calendar::parse(&layout, &value);
        let ok = result.is_ok();
        let (found, failure) = match result {
            Ok(found) => (found, Default::default()),
            Err(failure) => (Default::default(), failure),
        };
        c.ret_int(found.local);
        c.ret_int(found.nsec);
        c.ret_int(found.offset);
        c.ret_int(found.kind);
        c.ret_str(found.zone);
        c.ret_bool(ok);
        c.ret_str(failure.0);
        c.ret_str(failure.1);
        c.ret_str(failure.2);
    };
};
