//! Tests of constant arithmetic, literals and rounding.
use super::*;
use crate::syntax::ast::LiteralKind::{self, *};

fn lit(kind: LiteralKind, text: &str) -> Value {
    Value::parse_literal(kind, text).expect("in range")
}

fn int(n: i64) -> Value {
    Value::int(n)
}

#[test]
fn integer_literals() {
    for (text, want) in [
        ("0", 0),
        ("1_000", 1000),
        ("0x_Ff", 255),
        ("0b101", 5),
        ("0o17", 15),
        ("017", 15),
        ("00", 0),
    ] {
        assert_eq!(lit(Int, text), int(want), "{text}");
    }
}

#[test]
fn float_literals() {
    for (text, want) in [
        ("1.5", 1.5),
        (".25", 0.25),
        ("1e3", 1000.0),
        ("1_0.5E-1", 1.05),
        ("0x1p-2", 0.25),
        ("0x1.8p1", 3.0),
        ("0.1", 0.1),
        ("5e-324", 5e-324),
        ("1.7976931348623157e308", f64::MAX),
        ("2.2250738585072011e-308", 2.225073858507201e-308),
        ("072.40", 72.4),
        ("1e-400000000", 0.0),
    ] {
        let v = lit(Float, text).represent(Basic::Float64).expect("fits");
        assert_eq!(v.to_tir(Basic::Float64), tir::Const::Float(want), "{text}");
    }
    assert_eq!(
        lit(Float, "1e309").represent(Basic::Float64),
        Err(ReprError::Overflow)
    );
    assert_eq!(
        Value::parse_literal(Float, "1e100000000"),
        Err(ConstError::Overflow)
    );
    assert_eq!(lit(Float, "1e100000").to_string(), "1e+100000");
}

#[test]
fn float32_rounds_to_even_and_to_subnormals() {
    for x in [
        0.1f64,
        16777217.0,
        16777219.0,
        1e-45,
        7e-46,
        7.1e-46,
        1.1754942e-38,
        3.4028235e38,
        -2.5,
    ] {
        let v = Value::Rat(RBig::try_from(x).expect("finite"));
        let got = v.represent(Basic::Float32).expect("fits");
        let want = tir::Const::Float(f64::from(x as f32));
        assert_eq!(got.to_tir(Basic::Float32), want, "{x}");
    }
    let huge = Value::Rat(RBig::try_from(3.5e38f64).expect("finite"));
    assert_eq!(huge.represent(Basic::Float32), Err(ReprError::Overflow));
}

#[test]
fn runes_and_strings() {
    for (text, want) in [
        ("'a'", 97),
        ("'\\n'", 10),
        ("'\\''", 39),
        ("'\\x41'", 65),
        ("'\\101'", 65),
        ("'\\u00e9'", 0xe9),
        ("'\\U0001F600'", 0x1f600),
        ("'é'", 0xe9),
    ] {
        assert_eq!(lit(Rune, text), int(want), "{text}");
    }
    let bytes = |text| lit(String, text).as_str().expect("string").to_vec();
    assert_eq!(bytes(r#""a\xff\u00e9\n\"""#), b"a\xff\xc3\xa9\n\"");
    assert_eq!(bytes("`a\\n\r\nb`"), b"a\\n\nb");
}

#[test]
fn imaginary_literals() {
    let im = |text| lit(Imaginary, text).imag().expect("number");
    assert_eq!(im("2i").as_i64(), Some(2));
    assert_eq!(im("010i").as_i64(), Some(10));
    assert_eq!(im("0x10i").as_i64(), Some(16));
    assert_eq!(im("1.5e1i").as_i64(), Some(15));
}

#[test]
fn arithmetic() {
    use BinaryOp::*;
    let op = |op, a, b, int_div| Value::binary(op, &a, &b, int_div).expect("defined");
    assert_eq!(op(Divide, int(-7), int(2), true), int(-3));
    assert_eq!(op(Remainder, int(-7), int(2), true), int(-1));
    assert_eq!(op(Divide, int(7), int(2), false).to_string(), "3.5");
    assert_eq!(op(AndNot, int(7), int(2), true), int(5));
    assert_eq!(op(And, int(-1), int(6), true), int(6));
    assert_eq!(op(Add, int(1), lit(Float, "0.5"), false).to_string(), "1.5");
    let c = op(Multiply, lit(Imaginary, "2i"), lit(Imaginary, "3i"), false);
    assert_eq!(c.as_i64(), Some(-6));
    assert_eq!(
        Value::binary(Divide, &int(1), &int(0), true),
        Err(ConstError::DivisionByZero)
    );
    assert_eq!(Value::shift(ShiftRight, &int(-5), 1), Ok(int(-3)));
    let big = Value::shift(ShiftLeft, &int(1), 512).expect("computed");
    assert!(big.is_oversized());
    assert!(
        !Value::shift(ShiftLeft, &int(1), 511)
            .expect("computed")
            .is_oversized()
    );
    assert_eq!(
        Value::shift(ShiftLeft, &int(1), 1 << 30),
        Err(ConstError::Overflow)
    );
    assert!(Value::compare(Less, &int(1), &lit(Float, "1.5")));
    assert!(Value::compare(Equal, &lit(Imaginary, "0i"), &int(0)));
    assert!(Value::compare(
        Less,
        &Value::string("a"),
        &Value::string("b")
    ));
}

#[test]
fn complement_and_ranges() {
    let com = |n, ty| Value::unary(UnaryOp::Complement, &int(n), ty);
    assert_eq!(com(1, Some(Basic::Uint8)), int(254));
    assert_eq!(com(1, Some(Basic::Int8)), int(-2));
    assert_eq!(com(1, None), int(-2));
    assert_eq!(int(-128).represent(Basic::Int8), Ok(int(-128)));
    assert_eq!(int(128).represent(Basic::Int8), Err(ReprError::Overflow));
    assert_eq!(int(-1).represent(Basic::Uint), Err(ReprError::Overflow));
    assert_eq!(
        lit(Float, "1.5").represent(Basic::Int),
        Err(ReprError::Truncated)
    );
    assert_eq!(lit(Float, "2.0").represent(Basic::Int), Ok(int(2)));
    assert_eq!(
        Value::string("x").represent(Basic::Int),
        Err(ReprError::NotRepresentable)
    );
    let max = lit(Int, "0xffffffffffffffff");
    assert_eq!(
        max.represent(Basic::Uint64)
            .map(|v| v.to_tir(Basic::Uint64)),
        Ok(tir::Const::Int(-1))
    );
}

#[test]
fn shown_as_go_does() {
    for (text, want) in [
        ("1e6", "1e+06"),
        ("100000.0", "100000"),
        ("3.14159265", "3.14159"),
        ("1234567.5", "1.23457e+06"),
        ("0.00001", "1e-05"),
        ("1e400", "1e+400"),
        ("1e-400", "1e-400"),
        ("0.0", "0"),
    ] {
        assert_eq!(lit(Float, text).to_string(), want, "{text}");
    }
    assert_eq!(lit(Imaginary, "2.5i").to_string(), "(0 + 2.5i)");
    assert_eq!(Value::string(b"a\"\n\xff").to_string(), r#""a\"\n\xff""#);
    let long = Value::string("x".repeat(100)).to_string();
    assert_eq!(long.len(), 72);
    assert!(long.ends_with("x..."));
}
