//! fmt's formatting of single values: flags, padding, numbers, strings. Knows nothing of the machine.

use crate::num;
use crate::text::{self, Plain};

/// A directive's flags, width and precision; bits as in fmt.pgo.
#[derive(Clone, Copy, Default, Debug)]
pub struct Spec {
    pub minus: bool,
    pub plus: bool,
    pub sharp: bool,
    pub space: bool,
    pub zero: bool,
    /// `+` and `#` of `%v`.
    pub plus_v: bool,
    pub sharp_v: bool,
    pub width: Option<usize>,
    pub prec: Option<usize>,
}

impl Spec {
    pub fn from_bits(bits: i64, width: i64, prec: i64) -> Spec {
        let on = |i: u32| bits >> i & 1 == 1;
        Spec {
            minus: on(0),
            plus: on(1),
            sharp: on(2),
            space: on(3),
            zero: on(4),
            plus_v: on(5),
            sharp_v: on(6),
            width: on(7).then_some(width as usize),
            prec: on(8).then_some(prec as usize),
        }
    }

    pub fn to_bits(self) -> (i64, i64, i64) {
        let flags = [
            self.minus,
            self.plus,
            self.sharp,
            self.space,
            self.zero,
            self.plus_v,
            self.sharp_v,
            self.width.is_some(),
            self.prec.is_some(),
        ];
        let bits = flags
            .iter()
            .enumerate()
            .map(|(i, &on)| i64::from(on) << i)
            .sum();
        (
            bits,
            self.width.unwrap_or(0) as i64,
            self.prec.unwrap_or(0) as i64,
        )
    }
}

/// Text under construction and the directive in force.
#[derive(Default)]
pub struct Writer {
    pub out: Vec<u8>,
    pub spec: Spec,
}

impl Writer {
    pub fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn fill(&mut self, count: usize) {
        let byte = if self.spec.zero && !self.spec.minus {
            b'0'
        } else {
            b' '
        };
        self.out.resize(self.out.len() + count, byte);
    }

    /// Writes `text` padded to the width, which counts runes.
    pub fn pad(&mut self, text: &[u8]) {
        let missing = match self.spec.width {
            Some(width) if width > 0 => width.saturating_sub(text::rune_count(text)),
            _ => 0,
        };
        if !self.spec.minus {
            self.fill(missing);
        }
        self.out.extend_from_slice(text);
        if self.spec.minus {
            self.fill(missing);
        }
    }

    fn pad_with_spaces(&mut self, text: &[u8]) {
        let zero = std::mem::replace(&mut self.spec.zero, false);
        self.pad(text);
        self.spec.zero = zero;
    }

    pub fn bool(&mut self, b: bool) {
        self.pad(if b { b"true" } else { b"false" });
    }

    /// An integer of magnitude `n` in a base; verb tells `O` and the case of digits.
    pub fn integer(&mut self, n: u64, negative: bool, base: u64, verb: char) {
        let s = self.spec;
        // The commonest case first.
        if s.width.is_none() && s.prec.is_none() && base == 10 && !s.plus && !s.space {
            if negative {
                self.out.push(b'-');
            }
            let mut buf = [0u8; 20];
            let mut at = buf.len();
            let mut n = n;
            loop {
                at -= 1;
                buf[at] = b'0' + (n % 10) as u8;
                n /= 10;
                if n == 0 {
                    break;
                }
            }
            self.out.extend_from_slice(&buf[at..]);
            return;
        }
        let mut least = 0;
        if let Some(prec) = s.prec {
            least = prec;
            if prec == 0 && n == 0 {
                self.pad_with_spaces(b"");
                return;
            }
        } else if let (true, false, Some(width)) = (s.zero, s.minus, s.width) {
            least = width.saturating_sub(usize::from(negative || s.plus || s.space));
        }
        let mut digits = num::format_uint(n, base);
        if verb == 'X' {
            digits.make_ascii_uppercase();
        }
        let mut text = Vec::new();
        if negative {
            text.push(b'-');
        } else if s.plus {
            text.push(b'+');
        } else if s.space {
            text.push(b' ');
        }
        let zeros = least.saturating_sub(digits.len());
        if verb == 'O' {
            text.extend(b"0o");
        }
        if s.sharp {
            match base {
                2 => text.extend(b"0b"),
                8 if zeros == 0 && digits[0] != b'0' => text.push(b'0'),
                16 => text.extend([b'0', if verb == 'X' { b'X' } else { b'x' }]),
                _ => {}
            }
        }
        text.resize(text.len() + zeros, b'0');
        text.extend(digits);
        self.pad_with_spaces(&text);
    }

    /// Hexadecimal with or without `0x`.
    pub fn hex(&mut self, n: u64, prefix: bool) {
        let sharp = std::mem::replace(&mut self.spec.sharp, prefix);
        self.integer(n, false, 16, 'v');
        self.spec.sharp = sharp;
    }

    /// `%U`.
    pub fn unicode(&mut self, n: u64) {
        let least = self.spec.prec.unwrap_or(4).max(4);
        let mut text = format!("U+{n:0least$X}").into_bytes();
        if self.spec.sharp && n <= 0x10FFFF && text::is_print(n as u32) {
            text.extend(b" '");
            text::push_rune(&mut text, n as u32);
            text.push(b'\'');
        }
        self.pad_with_spaces(&text);
    }

    fn rune_of(n: u64) -> u32 {
        if n > 0x10FFFF {
            text::RUNE_ERROR
        } else {
            n as u32
        }
    }

    pub fn char(&mut self, n: u64) {
        let mut text = Vec::new();
        text::push_rune(&mut text, Writer::rune_of(n));
        self.pad(&text);
    }

    pub fn quoted_char(&mut self, n: u64) {
        let plain = if self.spec.plus {
            Plain::Ascii
        } else {
            Plain::Print
        };
        let text = text::quote_rune(Writer::rune_of(n).into(), plain);
        self.pad(&text);
    }

    fn truncate<'s>(&self, s: &'s [u8]) -> &'s [u8] {
        match self.spec.prec {
            Some(prec) => text::runes(s).nth(prec).map_or(s, |(at, _, _)| &s[..at]),
            None => s,
        }
    }

    pub fn str(&mut self, s: &[u8]) {
        if self.spec.width.is_none() && self.spec.prec.is_none() {
            self.out.extend_from_slice(s);
        } else {
            self.pad(self.truncate(s));
        }
    }

    /// `%x` and `%X` of strings and bytes.
    pub fn hex_str(&mut self, s: &[u8], upper: bool) {
        let s = &s[..s.len().min(self.spec.prec.unwrap_or(usize::MAX))];
        let x: &[u8] = if upper { b"0X" } else { b"0x" };
        let mut text = Vec::with_capacity(s.len() * 3 + 2);
        for (i, byte) in s.iter().enumerate() {
            if self.spec.space && i > 0 {
                text.push(b' ');
            }
            if self.spec.sharp && (self.spec.space || i == 0) {
                text.extend(x);
            }
            let digits: &[u8; 16] = if upper {
                b"0123456789ABCDEF"
            } else {
                b"0123456789abcdef"
            };
            text.extend([
                digits[usize::from(byte >> 4)],
                digits[usize::from(byte & 15)],
            ]);
        }
        self.pad(&text);
    }

    pub fn quoted(&mut self, s: &[u8]) {
        let s = self.truncate(s);
        let text = if self.spec.sharp && text::can_backquote(s) {
            [b"`", s, b"`"].concat()
        } else {
            text::quote(
                s,
                if self.spec.plus {
                    Plain::Ascii
                } else {
                    Plain::Print
                },
            )
        };
        self.pad(&text);
    }

    /// A string by verb; false if the verb is not one for strings.
    pub fn string_verb(&mut self, s: &[u8], verb: char) -> bool {
        match verb {
            'v' if self.spec.sharp_v => self.quoted(s),
            'v' | 's' => self.str(s),
            'x' | 'X' => self.hex_str(s, verb == 'X'),
            'q' => self.quoted(s),
            _ => return false,
        }
        true
    }

    /// An integer by verb; false if the verb is not one for integers.
    pub fn integer_verb(&mut self, bits: u64, signed: bool, verb: char) -> bool {
        let negative = signed && (bits as i64) < 0;
        let n = if negative {
            (bits as i64).unsigned_abs()
        } else {
            bits
        };
        match verb {
            'v' if self.spec.sharp_v && !signed => self.hex(bits, true),
            'v' | 'd' => self.integer(n, negative, 10, verb),
            'b' => self.integer(n, negative, 2, verb),
            'o' | 'O' => self.integer(n, negative, 8, verb),
            'x' | 'X' => self.integer(n, negative, 16, verb),
            'c' => self.char(bits),
            'q' => self.quoted_char(bits),
            'U' => self.unicode(bits),
            _ => return false,
        }
        true
    }

    /// A float by verb; false if the verb is not one for floats.
    pub fn float_verb(&mut self, x: f64, bits: i64, verb: char) -> bool {
        match verb {
            'v' => self.float(x, bits, b'g', -1),
            'b' | 'g' | 'G' | 'x' | 'X' => self.float(x, bits, verb as u8, -1),
            'f' | 'e' | 'E' => self.float(x, bits, verb as u8, 6),
            'F' => self.float(x, bits, b'f', 6),
            _ => return false,
        }
        true
    }

    fn float(&mut self, x: f64, bits: i64, verb: u8, prec: i64) {
        let s = self.spec;
        let prec = s.prec.map_or(prec, |p| p as i64);
        let mut text = num::format_float(x, verb, prec, bits);
        if !matches!(text[0], b'+' | b'-') {
            text.insert(0, b'+');
        }
        if s.space && text[0] == b'+' && !s.plus {
            text[0] = b' ';
        }
        if !x.is_finite() {
            if x.is_nan() && !s.space && !s.plus {
                text.remove(0);
            }
            // An unsigned infinity keeps its plus.
            self.pad_with_spaces(&text);
            return;
        }
        if s.sharp && verb != b'b' {
            text = with_point(text, verb, prec);
        }
        if s.plus || text[0] != b'+' {
            match s.width {
                Some(width) if s.zero && !s.minus && width > text.len() => {
                    self.out.push(text[0]);
                    self.fill(width - text.len());
                    self.out.extend_from_slice(&text[1..]);
                }
                _ => self.pad(&text),
            }
            return;
        }
        self.pad(&text[1..]);
    }

    /// A complex number by verb; false if the verb is not one for them.
    pub fn complex_verb(&mut self, (re, im): (f64, f64), bits: i64, verb: char) -> bool {
        if !"vbgGxXfFeE".contains(verb) {
            return false;
        }
        let plus = self.spec.plus;
        self.out.push(b'(');
        self.float_verb(re, bits, verb);
        self.spec.plus = true;
        self.float_verb(im, bits, verb);
        self.raw("i)");
        self.spec.plus = plus;
        true
    }
}

/// What `#` does to floats: always a point, and trailing zeros for %g.
fn with_point(text: Vec<u8>, verb: u8, prec: i64) -> Vec<u8> {
    let mut missing = match verb {
        b'g' | b'G' | b'x' | b'X' if prec < 0 => 6,
        b'g' | b'G' | b'x' | b'X' => prec,
        _ => 0,
    };
    let hex = matches!(verb, b'x' | b'X');
    let ends = |c: &u8| matches!(c, b'p' | b'P') || !hex && matches!(c, b'e' | b'E');
    let end = text.iter().position(ends).unwrap_or(text.len());
    let (mut body, tail) = (text[..end].to_vec(), &text[end..]);
    let (mut point, mut significant) = (false, false);
    for &c in &body[1..] {
        if c == b'.' {
            point = true;
            continue;
        }
        significant |= c != b'0';
        missing -= i64::from(significant);
    }
    if !point {
        if body.len() == 2 && body[1] == b'0' {
            missing -= 1;
        }
        body.push(b'.');
    }
    body.resize(body.len() + missing.max(0) as usize, b'0');
    body.extend_from_slice(tail);
    body
}
