//! A reader of JSON, piece by piece: what is read has never to be in memory as a whole.
use std::io::BufRead;

use super::exchange::{Failure, Result, unbase64};

/// What `math.NaN()` gives; other NaNs are written with their bits.
pub const NAN: u64 = 0x7ff8_0000_0000_0001;
pub const NAN_32: u32 = 0x7fc0_0000;

/// A value without parts.
#[derive(Debug, PartialEq)]
pub enum Scalar {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
}

pub struct Parser<R> {
    input: R,
    line: u64,
    bytes: u64,
    depth: u32,
}

/// Values in values.
const DEPTH: u32 = 100_000;

impl<R: BufRead> Parser<R> {
    pub fn new(input: R) -> Parser<R> {
        Parser {
            input,
            line: 1,
            bytes: 0,
            depth: 0,
        }
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn fail<T>(&self, what: impl Into<String>) -> Result<T> {
        Err(Failure::Text(self.line, what.into()))
    }

    fn here(&mut self) -> Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    fn next(&mut self) -> Result<u8> {
        match self.here()? {
            Some(byte) => {
                self.line += u64::from(byte == b'\n');
                self.bytes += 1;
                self.input.consume(1);
                Ok(byte)
            }
            None => self.fail("the JSON ends too early"),
        }
    }

    /// The first byte of what comes next; none at the end.
    pub fn peek(&mut self) -> Result<Option<u8>> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.here()? {
            self.next()?;
        }
        self.here()
    }

    pub fn expect(&mut self, byte: u8) -> Result<()> {
        match self.peek()? {
            Some(found) if found == byte => self.next().map(|_| ()),
            Some(found) => {
                let (found, byte) = (char::from(found), char::from(byte));
                self.fail(format!("expected {byte} but found {found}"))
            }
            None => self.fail("the JSON ends too early"),
        }
    }

    /// Reads a list: calls `item` at each of its values, which it must read.
    pub fn list(&mut self, mut item: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.enter(b'[')?;
        let mut first = true;
        while self.more(b']', &mut first)? {
            item(self)?;
        }
        Ok(())
    }

    /// Reads an object: calls `member` with each name, at its value, which it must read.
    pub fn members(&mut self, mut member: impl FnMut(&mut Self, &str) -> Result<()>) -> Result<()> {
        self.enter(b'{')?;
        let (mut first, mut name) = (true, String::new());
        while self.more(b'}', &mut first)? {
            name.clear();
            self.text(&mut name)?;
            self.expect(b':')?;
            member(self, &name)?;
        }
        Ok(())
    }

    fn enter(&mut self, open: u8) -> Result<()> {
        self.expect(open)?;
        self.depth += 1;
        match self.depth > DEPTH {
            true => self.fail("the JSON is nested too deeply"),
            false => Ok(()),
        }
    }

    fn more(&mut self, close: u8, first: &mut bool) -> Result<bool> {
        if self.peek()? == Some(close) {
            self.next()?;
            self.depth -= 1;
            return Ok(false);
        }
        if !std::mem::replace(first, false) {
            self.expect(b',')?;
        }
        Ok(true)
    }

    fn text(&mut self, to: &mut String) -> Result<()> {
        self.expect(b'"')?;
        let mut bytes = std::mem::take(to).into_bytes();
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => {
                    let c = self.escape()?;
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                byte if byte < b' ' => return self.fail("a control character in a string"),
                byte => bytes.push(byte),
            }
        }
        match String::from_utf8(bytes) {
            Ok(text) => *to = text,
            Err(_) => return self.fail("a string that is not UTF-8"),
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<char> {
        Ok(match self.next()? {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            byte @ (b'"' | b'\\' | b'/') => byte.into(),
            b'u' => {
                let high = self.hex4()?;
                let code = match high {
                    0xd800..0xdc00 if self.next()? == b'\\' && self.next()? == b'u' => {
                        let low = self.hex4()?;
                        match low {
                            0xdc00..0xe000 => 0x10000 + ((high - 0xd800) << 10) + low - 0xdc00,
                            _ => high,
                        }
                    }
                    code => code,
                };
                match char::from_u32(code) {
                    Some(c) => c,
                    None => return self.fail("half of a surrogate pair in a string"),
                }
            }
            _ => return self.fail("an unknown escape in a string"),
        })
    }

    fn hex4(&mut self) -> Result<u32> {
        let mut code = 0;
        for _ in 0..4 {
            match char::from(self.next()?).to_digit(16) {
                Some(digit) => code = code << 4 | digit,
                None => return self.fail("an escape in a string that is not hexadecimal"),
            }
        }
        Ok(code)
    }

    /// Reads a value and forgets it.
    pub fn skip(&mut self) -> Result<()> {
        match self.peek()? {
            Some(b'[') => self.list(Self::skip),
            Some(b'{') => self.members(|input, _| input.skip()),
            _ => self.scalar().map(|_| ()),
        }
    }

    pub fn scalar(&mut self) -> Result<Scalar> {
        let first = self.peek()?;
        if first == Some(b'"') {
            let mut text = String::new();
            self.text(&mut text)?;
            return Ok(Scalar::Text(text));
        }
        let mut word = String::new();
        while let Some(byte @ (b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.')) =
            self.here()?
        {
            word.push(byte.into());
            self.next()?;
        }
        match word.as_str() {
            "null" => Ok(Scalar::Null),
            "true" => Ok(Scalar::Bool(true)),
            "false" => Ok(Scalar::Bool(false)),
            _ if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                Ok(Scalar::Number(word))
            }
            _ => match first {
                Some(found) => self.fail(format!("unexpected {}{word}", char::from(found))),
                None => self.fail("the JSON ends too early"),
            },
        }
    }

    pub fn string(&mut self) -> Result<String> {
        match self.scalar()? {
            Scalar::Text(text) => Ok(text),
            _ => self.fail("expected a string"),
        }
    }

    /// A number, or one in a string: decimal, or hexadecimal with 0x.
    pub fn unsigned(&mut self) -> Result<u64> {
        let (Scalar::Number(text) | Scalar::Text(text)) = self.scalar()? else {
            return self.fail("expected a number");
        };
        let parsed = match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => text.parse(),
        };
        match parsed {
            Ok(number) => Ok(number),
            Err(_) => self.fail(format!("{text} is not a number from 0 to 2^64-1")),
        }
    }

    pub fn small(&mut self) -> Result<u32> {
        Ok(self.unsigned_bits(32)? as u32)
    }

    pub fn unsigned_bits(&mut self, bits: u32) -> Result<u64> {
        let value = self.unsigned()?;
        match bits < 64 && value >> bits != 0 {
            true => self.fail(format!("{value} does not fit in {bits} bits")),
            false => Ok(value),
        }
    }

    pub fn signed_bits(&mut self, bits: u32) -> Result<u64> {
        let (Scalar::Number(text) | Scalar::Text(text)) = self.scalar()? else {
            return self.fail("expected a number");
        };
        match text.parse::<i64>() {
            Ok(value) if value << (64 - bits) >> (64 - bits) == value => Ok(value as u64),
            _ => self.fail(format!("{text} is not a number of {bits} bits")),
        }
    }

    pub fn double(&mut self) -> Result<u64> {
        let found = match self.scalar()? {
            Scalar::Number(text) => text.parse::<f64>().ok().map(f64::to_bits),
            Scalar::Text(text) => special(&text).map(|(value, bits)| match value.is_nan() {
                true => bits.unwrap_or(NAN),
                false => value.to_bits(),
            }),
            _ => None,
        };
        match found {
            Some(bits) => Ok(bits),
            None => self.fail("expected a number"),
        }
    }

    pub fn single(&mut self) -> Result<u32> {
        let found = match self.scalar()? {
            Scalar::Number(text) => text.parse::<f32>().ok().map(f32::to_bits),
            Scalar::Text(text) => special(&text).and_then(|(value, bits)| match value.is_nan() {
                true => bits.map_or(Some(NAN_32), |bits| u32::try_from(bits).ok()),
                false => Some((value as f32).to_bits()),
            }),
            _ => None,
        };
        match found {
            Some(bits) => Ok(bits),
            None => self.fail("expected a number"),
        }
    }

    pub fn binary(&mut self) -> Result<Vec<u8>> {
        let text = self.string()?;
        match unbase64(&text) {
            Some(bytes) => Ok(bytes),
            None => self.fail("expected base64"),
        }
    }
}

/// The bits of a floating-point number that JSON cannot say.
fn special(text: &str) -> Option<(f64, Option<u64>)> {
    match text {
        "NaN" => Some((f64::NAN, None)),
        "+Inf" => Some((f64::INFINITY, None)),
        "-Inf" => Some((f64::NEG_INFINITY, None)),
        _ => {
            let digits = text.strip_prefix("NaN:")?;
            let bits = u64::from_str_radix(digits, 16).ok()?;
            Some((f64::NAN, Some(bits)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> std::result::Result<Scalar, String> {
        let parsed = Parser::new(json.as_bytes()).scalar();
        parsed.map_err(|failure| match failure {
            Failure::Text(_, what) => what,
            _ => "another failure".into(),
        })
    }

    #[test]
    fn strings_have_all_escapes_of_json() {
        let all = r#""\" \\ \/ \b\f\n\r\t é ☃ 😀 😀""#;
        let want = "\" \\ / \u{8}\u{c}\n\r\t é ☃ 😀 😀";
        assert_eq!(text(all), Ok(Scalar::Text(want.into())));
        for bad in [
            r#""\ud83d""#,
            r#""\ud83d\n""#,
            r#""\x""#,
            r#""\u12"#,
            "\"\n\"",
            "\"",
        ] {
            assert!(text(bad).is_err(), "{bad}");
        }
    }
}
