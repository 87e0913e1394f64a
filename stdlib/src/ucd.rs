//! Properties of code points, from `unicode/tables.txt`: categories, case, folding, and the ranges of every named table.
//! The file is written by `tools/unicode_tables.go`; what is made of it here is made when first needed.

use std::collections::HashMap;
use std::sync::LazyLock;

const TEXT: &str = include_str!("../unicode/tables.txt");

/// What stands in the file behind the kind and the name.
static TABLES: LazyLock<HashMap<(&str, &str), &str>> = LazyLock::new(|| {
    let entry = |line: &'static str| {
        let (kind, rest) = line.split_once(' ')?;
        let (name, data) = rest.split_once(' ')?;
        Some(((kind, name), data))
    };
    TEXT.lines().filter_map(entry).collect()
});

/// Lowest and highest member, and the distance of the members.
pub type Range = (u32, u32, u32);

/// The ranges of a table: of a category, script, property, foldcategory or foldscript. None if there is none such.
pub fn ranges(kind: &str, name: &str) -> Option<Vec<Range>> {
    let data = TABLES.get(&(kind, name))?;
    let number = |text: &str| u32::from_str_radix(text, 36).expect("a number of base 36");
    let mut last = 0;
    let range = |word: &str| {
        let (gap, span) = word.split_once('-').unwrap_or((word, "0"));
        let (len, stride) = span.split_once('/').unwrap_or((span, "1"));
        let lo = last + number(gap);
        last = lo + number(len);
        (lo, last, number(stride))
    };
    Some(data.split(' ').map(range).collect())
}

/// Names of all tables of a kind.
pub fn names(kind: &str) -> impl Iterator<Item = &'static str> {
    let of_kind = TABLES.keys().filter(move |key| key.0 == kind);
    of_kind.map(|key| key.1)
}

/// A name as names are compared in regular expressions: in lower case, without separators.
pub fn loose(name: &str) -> String {
    let separator = |c: &char| matches!(c, '_' | '-' | ' ');
    name.chars()
        .filter(|c| !separator(c))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// Kind and name of the category or script with a loose name.
pub fn category_or_script(name: &str) -> Option<(&'static str, &'static str)> {
    static NAMES: LazyLock<HashMap<String, (&str, &str)>> = LazyLock::new(|| {
        let mut out = HashMap::new();
        // Later ones go before earlier ones.
        out.extend(
            category_aliases()
                .iter()
                .map(|a| (loose(a.0), ("category", a.1))),
        );
        for kind in ["script", "category"] {
            let of_kind = TABLES.keys().filter(|key| key.0 == kind);
            out.extend(of_kind.map(|&(kind, name)| (loose(name), (kind, name))));
        }
        out
    });
    NAMES.get(name).copied()
}

/// Long names of categories and the short ones.
pub fn category_aliases() -> Vec<(&'static str, &'static str)> {
    let alias = |line: &'static str| line.strip_prefix("alias ")?.split_once(' ');
    TEXT.lines().filter_map(alias).collect()
}

/// The general categories; a set of them has a bit for each, in this order.
const CATEGORIES: [&str; 29] = [
    "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi",
    "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co",
];
pub const UPPER: u32 = 1;
pub const LOWER: u32 = 1 << 1;
pub const TITLE: u32 = 1 << 2;
pub const LETTER: u32 = 0b1_1111;
pub const MARK: u32 = 0b111 << 5;
pub const DIGIT: u32 = 1 << 8;
pub const NUMBER: u32 = 0b111 << 8;
pub const PUNCT: u32 = 0b111_1111 << 11;
pub const SYMBOL: u32 = 0b1111 << 18;
pub const SPACE_SEPARATOR: u32 = 1 << 22;
pub const CONTROL: u32 = 1 << 25;
/// What unicode.IsPrint takes, besides the space.
pub const PRINT: u32 = LETTER | MARK | NUMBER | PUNCT | SYMBOL;

/// One more than the index of each code point's category, 0 for what is not assigned.
static CATEGORY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut out = vec![0; 0x11_0000];
    for (i, name) in CATEGORIES.iter().enumerate() {
        for (lo, hi, stride) in ranges("category", name).unwrap_or_default() {
            for r in (lo..=hi).step_by(stride as usize) {
                out[r as usize] = i as u8 + 1;
            }
        }
    }
    out
});

/// Is the category of `r` in the set?
pub fn in_category(set: u32, r: u32) -> bool {
    match CATEGORY.get(r as usize) {
        None | Some(0) => false,
        Some(i) => set >> (i - 1) & 1 != 0,
    }
}

/// Code points from the first to the second, and what makes them upper, lower and title case; a delta above all code
/// points says that upper and lower case stand by turns.
pub type CaseRange = (u32, u32, [i32; 3]);

static CASES: LazyLock<Vec<CaseRange>> = LazyLock::new(|| {
    let case = |line: &str| {
        let numbers: Vec<i32> = line
            .strip_prefix("case ")?
            .split(' ')
            .map(|word| word.parse().expect("a number"))
            .collect();
        Some((
            numbers[0] as u32,
            numbers[1] as u32,
            [numbers[2], numbers[3], numbers[4]],
        ))
    };
    TEXT.lines().filter_map(case).collect()
});

pub fn case_ranges() -> &'static [CaseRange] {
    &CASES
}

/// The simple mapping to upper (0), lower (1) or title case (2).
pub fn to_case(case: usize, r: u32) -> u32 {
    let at = CASES.partition_point(|range| range.1 < r);
    let Some((lo, _, delta)) = CASES.get(at).filter(|range| range.0 <= r) else {
        return r;
    };
    match delta[case] {
        // Even distances are capitals.
        by_turns if by_turns > 0x10_FFFF => lo + ((r - lo) & !1 | (case as u32 & 1)),
        by => r.wrapping_add_signed(by),
    }
}

/// unicode.SimpleFold: the next larger code point of the orbit, or its smallest.
pub fn simple_fold(r: u32) -> u32 {
    static STEPS: LazyLock<HashMap<u32, u32>> = LazyLock::new(|| {
        let step = |line: &str| {
            let (from, to) = line.strip_prefix("fold ")?.split_once(' ')?;
            Some((from.parse().ok()?, to.parse().ok()?))
        };
        TEXT.lines().filter_map(step).collect()
    });
    if let Some(&to) = STEPS.get(&r) {
        return to;
    }
    match to_case(1, r) {
        lower if lower != r => lower,
        _ => to_case(0, r),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories() {
        assert!(in_category(LETTER, 'é' as u32) && in_category(UPPER, 'Ä' as u32));
        assert!(in_category(CONTROL, 0) && !in_category(PRINT, 0x378));
        assert!(in_category(SPACE_SEPARATOR, 0x3000) && in_category(SYMBOL, '€' as u32));
        assert!(!in_category(u32::MAX, 0x11_0000));
        assert_eq!(
            ranges("script", "Thai"),
            Some(vec![(0xE01, 0xE3A, 1), (0xE40, 0xE5B, 1)])
        );
        assert_eq!(category_or_script("letter"), Some(("category", "L")));
        assert_eq!(
            category_or_script("olditalic"),
            Some(("script", "Old_Italic"))
        );
    }

    #[test]
    fn case() {
        let upper = |c: char| char::from_u32(to_case(0, c as u32)).unwrap();
        assert_eq!((upper('ÿ'), upper('ß'), upper('ǆ')), ('Ÿ', 'ß', 'Ǆ'));
        assert_eq!(to_case(2, 'Ǆ' as u32), 'ǅ' as u32);
        assert_eq!(simple_fold('k' as u32), 0x212A);
        assert_eq!(simple_fold(0x212A), 'K' as u32);
    }
}
