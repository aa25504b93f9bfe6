//! Doubles as Python spells them.

use std::fmt::Write;

/// Appends a number as Python's `repr` and `json` write it: the shortest digits that read back as it, with an exponent
/// below 0.0001 and from 1e16.
pub(super) fn write_float(float: f64, out: &mut String) {
    if float.is_nan() {
        out.push_str("NaN");
        return;
    }
    if float.is_infinite() {
        out.push_str(if float > 0.0 { "Infinity" } else { "-Infinity" });
        return;
    }
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').expect("that form has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    if float != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(out, "{digits}e{sign}{:02}", exponent.abs()).expect("a String takes all");
        return;
    }
    let plain = format!("{float}");
    out.push_str(&plain);
    if !plain.contains('.') {
        out.push_str(".0");
    }
}
