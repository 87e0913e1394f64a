//! Durations as text: time.Duration's String and time.ParseDuration.

/// Time.Duration's String.
pub fn duration(d: i64) -> String {
    let n = d.unsigned_abs();
    let sign = if d < 0 { "-" } else { "" };
    let decimal = |n: u64, unit: u64| {
        let frac = format!("{:0width$}", n % unit, width = unit.ilog10() as usize);
        let frac = frac.trim_end_matches('0');
        let point = if frac.is_empty() || unit == 1 {
            ""
        } else {
            "."
        };
        format!("{}{point}{}", n / unit, if unit == 1 { "" } else { frac })
    };
    match n {
        0 => "0s".into(),
        1..1_000 => format!("{sign}{n}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", decimal(n, 1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", decimal(n, 1_000_000)),
        _ => {
            let seconds = decimal(n % 60_000_000_000, 1_000_000_000);
            let minutes = n / 60_000_000_000;
            match minutes {
                0 => format!("{sign}{seconds}s"),
                1..60 => format!("{sign}{minutes}m{seconds}s"),
                _ => format!("{sign}{}h{}m{seconds}s", minutes / 60, minutes % 60),
            }
        }
    }
}

/// time.ParseDuration: the nanoseconds, or 1 malformed, 2 no unit, 3 unknown unit.
pub fn parse_duration(s: &str) -> Result<i64, (i64, String)> {
    let bad = || Err((1, String::new()));
    let (negative, mut rest) = match s.as_bytes().first() {
        Some(b'-') => (true, &s[1..]),
        Some(b'+') => (false, &s[1..]),
        _ => (false, s),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return bad();
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (whole, after) = rest.split_at(digits);
        let (frac, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at(
                after
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(after.len()),
            ),
            None => ("", after),
        };
        if whole.is_empty() && frac.is_empty() || whole.len() > 20 {
            return bad();
        }
        let end = after
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let scale: u128 = match unit {
            "" => return Err((2, String::new())),
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err((3, unit.into())),
        };
        let whole: u128 = if whole.is_empty() {
            0
        } else {
            whole.parse().unwrap_or(u128::MAX >> 64)
        };
        let mut part = whole * scale;
        part += fraction(frac, scale);
        total += part;
        if total > 1 << 63 {
            return bad();
        }
        rest = next;
    }
    if negative {
        return Ok((total as i128).wrapping_neg() as i64);
    }
    i64::try_from(total).or_else(|_| bad())
}

/// What digits after the point are of a unit: those that do not fit into 63 bits are dropped, the product is a float64's.
fn fraction(digits: &str, unit: u128) -> u128 {
    let (mut n, mut scale) = (0u64, 1.0);
    for digit in digits.bytes() {
        if n > (i64::MAX / 10) as u64 {
            break;
        }
        let next = n * 10 + u64::from(digit - b'0');
        if next > 1 << 63 {
            break;
        }
        n = next;
        scale *= 10.0;
    }
    (n as f64 * (unit as f64 / scale)) as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration(1_500_000_000), "1.5s");
        assert_eq!(duration(-3_661_000_000_001), "-1h1m1.000000001s");
        assert_eq!(duration(1_100), "1.1µs");
        assert_eq!(duration(60_000_000_000), "1m0s");
        assert_eq!(parse_duration("1h15m30.918s"), Ok(4_530_918_000_000));
        assert_eq!(parse_duration("-.5s"), Ok(-500_000_000));
        assert_eq!(parse_duration("3"), Err((2, String::new())));
    }
}
