//! Compiled expressions, kept by their text, and searches as Go makes them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use regex_automata::nfa::thompson::{self, NFA};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Input, meta};

use super::longest::Pike;
use super::parse::{self, Code, Error};
use super::{LONGEST, POSIX};

/// Compiled expressions that are kept; when there are as many, all are dropped.
const KEPT_MAX: usize = 512;
const NFA_BYTES_MAX: usize = 256 << 20;

/// An expression ready to search.
pub struct Compiled {
    pub names: Vec<String>,
    pub prefix: String,
    /// The prefix is the whole expression.
    pub complete: bool,
    regex: meta::Regex,
    cache: RefCell<meta::Cache>,
    longest: Option<RefCell<Pike>>,
}

type Kept = HashMap<(i64, Vec<u8>), Rc<Compiled>>;
type Last = Option<(i64, Vec<u8>, Rc<Compiled>)>;

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
    static LAST: RefCell<Last> = const { RefCell::new(None) };
}

/// The compiled form of an expression.
pub fn compiled(expr: &[u8], mode: i64) -> Result<Rc<Compiled>, Error> {
    let last = LAST.with_borrow(|last| match last {
        Some((m, e, found)) if *m == mode && e == expr => Some(found.clone()),
        _ => None,
    });
    if let Some(found) = last {
        return Ok(found);
    }
    let key = (mode, expr.to_vec());
    let found = KEPT.with_borrow_mut(|kept| {
        if let Some(found) = kept.get(&key) {
            return Ok(found.clone());
        }
        let made = Rc::new(Compiled::new(expr, mode)?);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, made.clone());
        Ok(made)
    })?;
    LAST.set(Some((mode, expr.to_vec(), found.clone())));
    Ok(found)
}

/// Start and end of each group, -1 for those that took no part.
type Slots = Vec<i64>;

impl Compiled {
    fn new(expr: &[u8], mode: i64) -> Result<Compiled, Error> {
        let parsed = parse::parse(expr, mode & POSIX != 0)?;
        let hir = parsed.node.hir();
        let too_large = || Error(Code::Large, expr.to_vec());
        let config = meta::Config::new()
            .nfa_size_limit(Some(NFA_BYTES_MAX))
            .onepass_size_limit(Some(1 << 20));
        let built = meta::Regex::builder()
            .configure(config)
            .build_from_hir(&hir);
        let regex = built.map_err(|_| too_large())?;
        let longest = if mode & LONGEST != 0 {
            let config = thompson::Config::new().nfa_size_limit(Some(NFA_BYTES_MAX));
            let nfa: NFA = thompson::Compiler::new()
                .configure(config)
                .build_from_hir(&hir)
                .map_err(|_| too_large())?;
            Some(RefCell::new(Pike::new(nfa)))
        } else {
            None
        };
        let (prefix, complete) = parsed.node.literal_prefix();
        let cache = RefCell::new(regex.create_cache());
        Ok(Compiled {
            names: parsed.names,
            prefix,
            complete,
            regex,
            cache,
            longest,
        })
    }

    fn is_match_str(&self, text: &str) -> bool {
        let input = Input::new(text).earliest(true);
        self.regex
            .search_half_with(&mut self.cache.borrow_mut(), &input)
            .is_some()
    }

    /// The first match that starts at `pos` or later, as the slots of the whole and of as many groups as asked for.
    fn find_str(&self, text: &str, pos: usize, slots: &mut [Option<NonMaxUsize>]) -> bool {
        slots.fill(None);
        if let Some(pike) = &self.longest {
            return pike.borrow_mut().search(text, pos, slots);
        }
        let input = Input::new(text).span(pos..text.len());
        let cache = &mut self.cache.borrow_mut();
        if slots.len() > 2 {
            return self.regex.search_slots_with(cache, &input, slots).is_some();
        }
        match self.regex.search_with(cache, &input) {
            Some(found) => {
                slots[0] = NonMaxUsize::new(found.start());
                slots[1] = NonMaxUsize::new(found.end());
                true
            }
            None => false,
        }
    }

    pub fn is_match(&self, text: &[u8]) -> bool {
        let text = Text::new(text);
        self.is_match_str(text.str())
    }

    /// The first match.
    pub fn find(&self, text: &[u8], groups: usize) -> Option<Slots> {
        let text = Text::new(text);
        let mut slots = vec![None; groups * 2];
        let found = self.find_str(text.str(), 0, &mut slots);
        found.then(|| slots.iter().map(|&slot| text.offset(slot)).collect())
    }

    /// The slots of at most `limit` matches, one after another: those that Go's FindAll gives.
    pub fn find_all(&self, text: &[u8], limit: usize, groups: usize) -> Slots {
        let text = Text::new(text);
        let hay = text.str();
        let mut slots = vec![None; groups * 2];
        let mut out = Vec::new();
        let (mut pos, mut count) = (0, 0);
        let mut previous_end = None;
        while count < limit && pos <= hay.len() && self.find_str(hay, pos, &mut slots) {
            let (start, end) = bounds(&slots);
            let mut accept = true;
            if end == pos {
                // No empty match right after a match.
                accept = Some(start) != previous_end;
                pos += char_len(hay, pos);
            } else {
                pos = end;
            }
            previous_end = Some(end);
            if accept {
                out.extend(slots.iter().map(|&slot| text.offset(slot)));
                count += 1;
            }
        }
        out
    }

    /// The slots of the matches that Go's ReplaceAll replaces.
    pub fn replaced(&self, text: &[u8], groups: usize) -> Slots {
        let text = Text::new(text);
        let hay = text.str();
        let mut slots = vec![None; groups * 2];
        let mut out = Vec::new();
        let (mut pos, mut last_end) = (0, 0);
        while pos <= hay.len() && self.find_str(hay, pos, &mut slots) {
            let (start, end) = bounds(&slots);
            if end > last_end || start == 0 {
                out.extend(slots.iter().map(|&slot| text.offset(slot)));
            }
            last_end = end;
            pos = end.max(pos + char_len(hay, pos));
        }
        out
    }
}

fn bounds(slots: &[Option<NonMaxUsize>]) -> (usize, usize) {
    let at = |i: usize| slots[i].map_or(0, |slot: NonMaxUsize| slot.get());
    (at(0), at(1))
}

/// Bytes of the character at `pos`; 1 at the end.
fn char_len(text: &str, pos: usize) -> usize {
    text[pos..].chars().next().map_or(1, char::len_utf8)
}

/// What is searched: as Go reads it, an invalid byte is U+FFFD of width 1.
enum Text<'a> {
    Valid(&'a str),
    /// The text with U+FFFD in place of each invalid byte, and where these bytes were, in both texts.
    Mended(String, Vec<usize>),
}

const REPLACEMENT: &str = "\u{fffd}";

impl<'a> Text<'a> {
    fn new(bytes: &'a [u8]) -> Text<'a> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Text::Valid(text);
        }
        let mut text = String::with_capacity(bytes.len() + 64);
        let mut mended = Vec::new();
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            for _ in chunk.invalid() {
                mended.push(text.len());
                text.push_str(REPLACEMENT);
            }
        }
        Text::Mended(text, mended)
    }

    fn str(&self) -> &str {
        match self {
            Text::Valid(text) => text,
            Text::Mended(text, _) => text,
        }
    }

    /// A slot as an offset in the original bytes.
    fn offset(&self, slot: Option<NonMaxUsize>) -> i64 {
        let Some(slot) = slot else { return -1 };
        let at = slot.get();
        match self {
            Text::Valid(_) => at as i64,
            Text::Mended(_, mended) => {
                let before = mended.partition_point(|&m| m < at);
                (at - before * (REPLACEMENT.len() - 1)) as i64
            }
        }
    }
}
