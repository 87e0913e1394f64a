//! Natives of package unicode.

use vm::native::NativeDef;

use crate::{text, ucd};

/// The classes of unicode.pgo, in its order; white space is no set of categories.
const CLASSES: [u32; 13] = [
    ucd::UPPER,
    ucd::LOWER,
    ucd::TITLE,
    ucd::LETTER,
    ucd::DIGIT,
    ucd::NUMBER,
    ucd::PUNCT,
    ucd::SYMBOL,
    ucd::MARK,
    ucd::CONTROL,
    0,
    ucd::PRINT | ucd::SPACE_SEPARATOR,
    ucd::PRINT,
];

pub const NATIVES: &[NativeDef] = natives! {
    "unicode.is" "func(int, int32) bool" => |c| {
        let (class, r) = (c.int(), c.int());
        let (class, r) = (CLASSES[class as usize], r as u32);
        c.ret_bool(match class {
            0 => text::is_space(r),
            ucd::PRINT => text::is_print(r),
            set => ucd::in_category(set, r),
        });
    };
    "unicode.toUpper" "func(int32) int32" => |c| { let r = c.int(); c.ret_int(text::to_upper(r as u32) as i32 as i64); };
    "unicode.toLower" "func(int32) int32" => |c| { let r = c.int(); c.ret_int(text::to_lower(r as u32) as i32 as i64); };
    "unicode.toTitle" "func(int32) int32" => |c| { let r = c.int(); c.ret_int(text::to_title(r as u32) as i32 as i64); };
    "unicode.SimpleFold" "func(int32) int32" => |c| { let r = c.int(); c.ret_int(ucd::simple_fold(r as u32) as i32 as i64); };
    "unicode.ranges" "func(string, string) []int" => |c| {
        let (kind, name) = (c.str(), c.str());
        let (kind, name) = (String::from_utf8_lossy(c.get(kind)), String::from_utf8_lossy(c.get(name)));
        let ranges = ucd::ranges(&kind, &name).unwrap_or_default();
        let numbers: Vec<i64> = ranges.iter().flat_map(|&(lo, hi, stride)| [lo, hi, stride].map(i64::from)).collect();
        c.ret_ints(&numbers);
    };
    "unicode.tableNames" "func(string) []string" => |c| {
        let kind = c.str();
        let names: Vec<_> = ucd::names(&String::from_utf8_lossy(c.get(kind)))
            .map(|name| c.new_str(name.as_bytes()))
            .collect();
        c.ret_strs(&names);
    };
    "unicode.caseRanges" "func() []int" => |c| {
        let numbers: Vec<i64> = ucd::case_ranges().iter()
            .flat_map(|&(lo, hi, [a, b, d])| [i64::from(lo), i64::from(hi), a.into(), b.into(), d.into()])
            .collect();
        c.ret_ints(&numbers);
    };
    "unicode.categoryAliases" "func() []string" => |c| {
        let names: Vec<_> = ucd::category_aliases().iter()
            .flat_map(|a| [a.0, a.1])
            .map(|name| c.new_str(name.as_bytes()))
            .collect();
        c.ret_strs(&names);
    };
};
