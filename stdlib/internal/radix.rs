//! Natives of packages internal/radix and encoding/hex.

use vm::native::NativeDef;

pub const NATIVES: &[NativeDef] = natives! {
    "internal/radix.Encode" "func([]uint8, string, int32) []uint8" => |c| {
        let (src, alphabet, pad) = (c.bytes(), c.str(), c.int());
        let out = encode(c.bytes_of(src), c.get(alphabet), u8::try_from(pad).ok());
        c.ret_bytes(&out);
    };
    "internal/radix.Decode" "func([]uint8, string, int32, bool) ([]uint8, int)" => |c| {
        let (src, alphabet, pad, strict) = (c.bytes(), c.str(), c.int(), c.bool());
        let pad = u8::try_from(pad).ok();
        let (out, bad) = if alphabet.len() == 64 {
            decode64(c.bytes_of(src), c.get(alphabet), pad, strict)
        } else {
            decode32(c.bytes_of(src), c.get(alphabet), pad)
        };
        c.ret_bytes(&out);
        c.ret_int(bad.map_or(-1, |at| at as i64));
    };
    "encoding/hex.encode" "func([]uint8, []uint8)" => |c| {
        let (dst, src) = (c.bytes(), c.bytes());
        let src = c.bytes_of(src).to_vec();
        for (pair, b) in c.bytes_mut(dst).chunks_exact_mut(2).zip(src) {
            pair.copy_from_slice(&[b >> 4, b & 15].map(|d| b"0123456789abcdef"[d as usize]));
        }
    };
    "encoding/hex.decode" "func([]uint8, []uint8) (int, int)" => |c| {
        let (dst, src) = (c.bytes(), c.bytes());
        let src = c.bytes_of(src).to_vec();
        let digit = |at: usize| char::from(src[at]).to_digit(16).ok_or(at);
        let mut out = Vec::with_capacity(src.len() / 2);
        let mut bad = None;
        for at in (0..src.len()).step_by(2) {
            match (digit(at), (at + 1 < src.len()).then(|| digit(at + 1))) {
                (Ok(high), Some(Ok(low))) => out.push((high << 4 | low) as u8),
                (Err(at), _) | (_, Some(Err(at))) => {
                    bad = Some(at);
                    break;
                }
                _ => {}
            }
        }
        c.bytes_mut(dst)[..out.len()].copy_from_slice(&out);
        c.ret_int(out.len() as i64);
        c.ret_int(bad.map_or(-1, |at| at as i64));
    };
};

fn encode(src: &[u8], alphabet: &[u8], pad: Option<u8>) -> Vec<u8> {
    let bits = alphabet.len().trailing_zeros() as usize;
    // The least common number of bits of digits and bytes.
    let (group, digits) = if bits == 6 { (3, 4) } else { (5, 8) };
    let mut out = Vec::with_capacity(src.len().div_ceil(group) * digits);
    for part in src.chunks(group) {
        let word = part.iter().fold(0_u64, |w, b| w << 8 | u64::from(*b)) << (8 * (group - part.len()));
        let used = (part.len() * 8).div_ceil(bits);
        for i in 0..digits {
            if i < used {
                let digit = word >> (bits * (digits - 1 - i)) & ((1 << bits) - 1);
                out.push(alphabet[digit as usize]);
            } else if let Some(pad) = pad {
                out.push(pad);
            }
        }
    }
    out
}

/// Values of the digits; 255 for other bytes.
fn values(alphabet: &[u8]) -> [u8; 256] {
    let mut values = [255; 256];
    for (i, digit) in alphabet.iter().enumerate() {
        values[*digit as usize] = i as u8;
    }
    values
}

fn is_line_end(b: u8) -> bool {
    b == b'\n' || b == b'\r'
}

/// What was decoded before an error, and where that is.
type Decoded = (Vec<u8>, Option<usize>);

fn decode64(src: &[u8], alphabet: &[u8], pad: Option<u8>, strict: bool) -> Decoded {
    let values = values(alphabet);
    let mut out = Vec::with_capacity(src.len() / 4 * 3 + 3);
    let mut at = 0;
    let skip = |mut at: usize| {
        while at < src.len() && is_line_end(src[at]) {
            at += 1;
        }
        at
    };
    loop {
        let (mut word, mut count, mut error, mut end) = (0_u32, 0, None, false);
        while count < 4 {
            at = skip(at);
            let Some(&b) = src.get(at) else {
                match count {
                    0 => return (out, None),
                    _ if count == 1 || pad.is_some() => return (out, Some(at - count)),
                    _ => {}
                }
                end = true;
                break;
            };
            at += 1;
            let value = values[b as usize];
            if value != 255 {
                word = word << 6 | u32::from(value);
                count += 1;
                continue;
            }
            if Some(b) != pad || count < 2 {
                return (out, Some(at - 1));
            }
            if count == 2 {
                // A second one is due.
                at = skip(at);
                if at == src.len() {
                    return (out, Some(at));
                }
                if Some(src[at]) != pad {
                    return (out, Some(at - 1));
                }
                at += 1;
            }
            at = skip(at);
            error = (at < src.len()).then_some(at);
            end = true;
            break;
        }
        word <<= 6 * (4 - count);
        let bytes = word.to_be_bytes();
        if strict && count < 4 && bytes[count..].iter().any(|b| *b != 0) {
            return (out, Some(at - (4 - count)));
        }
        out.extend(&bytes[1..count]);
        if end {
            return (out, error);
        }
    }
}

fn decode32(src: &[u8], alphabet: &[u8], pad: Option<u8>) -> Decoded {
    let values = values(alphabet);
    let src: Vec<u8> = src.iter().copied().filter(|b| !is_line_end(*b)).collect();
    let mut out = Vec::with_capacity(src.len() / 8 * 5 + 5);
    let mut at = 0;
    while at < src.len() {
        let (mut word, mut count, mut end) = (0_u64, 0, false);
        while count < 8 {
            let Some(&b) = src.get(at) else {
                if pad.is_some() {
                    return (out, Some(at - count));
                }
                end = true;
                break;
            };
            at += 1;
            let rest = src.len() - at;
            if Some(b) == pad && count >= 2 && rest < 8 {
                if rest + count < 7 {
                    return (out, Some(src.len()));
                }
                for (k, b) in src[at..].iter().take(7 - count).enumerate() {
                    if Some(*b) != pad {
                        return (out, Some(at + k - 1));
                    }
                }
                if matches!(count, 3 | 6) {
                    return (out, Some(at - 1));
                }
                end = true;
                break;
            }
            let value = values[b as usize];
            if value == 255 {
                return (out, Some(at - 1));
            }
            word = word << 5 | u64::from(value);
            count += 1;
        }
        word <<= 5 * (8 - count) + 24;
        if !matches!(count, 1 | 3 | 6) {
            out.extend(&word.to_be_bytes()[..count * 5 / 8]);
        }
        if end {
            break;
        }
    }
    (out, None)
}
