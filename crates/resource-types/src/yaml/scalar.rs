//! What a text means in YAML 1.1.

use std::borrow::Cow;

use granit_parser::{ScalarStyle, Tag};

use super::YamlValue;

/// What a scalar is. Plain ones without a tag are told by their looks.
pub(super) fn read(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Result<YamlValue, String> {
    let Some(tag) = tag else {
        return Ok(match style {
            ScalarStyle::Plain if matches!(&*text, "<<" | "=") => {
                return Err(format!("`{text}` means something of its own here; put it in quotes"));
            }
            ScalarStyle::Plain => plain(text),
            _ => YamlValue::Text(text.into_owned()),
        });
    };
    let name = tag.to_string();
    match name.as_str() {
        "!!str" | "!" | "tag:yaml.org,2002:str" => Ok(YamlValue::Text(text.into_owned())),
        _ => Err(format!("there is no use for the tag `{name}`")),
    }
}

fn plain(text: Cow<'_, str>) -> YamlValue {
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => YamlValue::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => YamlValue::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => YamlValue::Bool(false),
        number => {
            if let Some(integer) = integer(number) {
                return YamlValue::Integer(integer);
            }
            if let Some(float) = float(number) {
                return YamlValue::Float(float);
            }
            let text = text.into_owned();
            if is_time(&text) { YamlValue::Time(text) } else { YamlValue::Text(text) }
        }
    }
}

fn signed(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// Decimal, `0b` binary, `0` octal, `0x` hexadecimal, or with colons to the base of sixty. Underscores go anywhere but to
/// the front. One that is too long for 128 bits stays a text.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = signed(text);
    let all = |digits: &str, valid: fn(&u8) -> bool| {
        !digits.is_empty() && digits.bytes().all(|byte| byte == b'_' || valid(&byte))
    };
    let radix = |digits: &str, radix| i128::from_str_radix(&digits.replace('_', ""), radix).ok();
    let value = if let Some(binary) = digits.strip_prefix("0b") {
        all(binary, |byte| matches!(byte, b'0' | b'1')).then(|| radix(binary, 2))?
    } else if let Some(hexadecimal) = digits.strip_prefix("0x") {
        all(hexadecimal, u8::is_ascii_hexdigit).then(|| radix(hexadecimal, 16))?
    } else if digits == "0" {
        Some(0)
    } else if let Some(octal) = digits.strip_prefix('0') {
        all(octal, |byte| matches!(byte, b'0'..=b'7')).then(|| radix(octal, 8))?
    } else if digits.starts_with(|first: char| first.is_ascii_digit()) {
        let (first, rest) = digits.split_once(':').unwrap_or((digits, ""));
        let mut value = all(first, u8::is_ascii_digit).then(|| radix(first, 10))?;
        for part in rest.split(':').filter(|_| digits.contains(':')) {
            value = value?.checked_mul(60)?.checked_add(sixtieth(part)?);
        }
        value
    } else {
        None
    };
    value.map(|value| if negative { -value } else { value })
}

/// Below sixty, with one digit or two.
fn sixtieth(text: &str) -> Option<i128> {
    let digits = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|value| digits && *value < 60)
}

/// With a point, and an exponent only with its sign: `1e5` is a text in YAML 1.1.
fn float(text: &str) -> Option<f64> {
    let (negative, rest) = signed(text);
    match rest {
        ".inf" | ".Inf" | ".INF" => return Some(if negative { f64::NEG_INFINITY } else { f64::INFINITY }),
        ".nan" | ".NaN" | ".NAN" if rest == text => return Some(f64::NAN),
        _ => {}
    }
    let (whole, fraction) = rest.split_once('.')?;
    let digits = |part: &str| part.bytes().all(|byte| byte == b'_' || byte.is_ascii_digit());
    let begins = |part: &str| part.starts_with(|first: char| first.is_ascii_digit());
    if let Some((first, rest)) = whole.split_once(':') {
        let mut value =
            (begins(first) && digits(first)).then(|| first.replace('_', "").parse::<f64>().ok())??;
        for part in rest.split(':') {
            value = value * 60.0 + f64::from(i32::try_from(sixtieth(part)?).ok()?);
        }
        let fraction =
            digits(fraction).then(|| format!("0.{}0", fraction.replace('_', "")).parse::<f64>().ok())??;
        return Some(if negative { -(value + fraction) } else { value + fraction });
    }
    let (fraction, exponent) = match fraction.find(['e', 'E']) {
        Some(at) => (&fraction[..at], &fraction[at + 1..]),
        None => (fraction, "+0"),
    };
    let exponent_digits = exponent.strip_prefix(['+', '-'])?;
    let sound = match whole {
        // A sign belongs to a number that has digits before its point.
        "" => rest == text && begins(fraction),
        whole => begins(whole),
    };
    let sound = sound
        && digits(whole)
        && digits(fraction)
        && !exponent_digits.is_empty()
        && exponent_digits.bytes().all(|byte| byte.is_ascii_digit());
    let value: f64 =
        sound.then(|| format!("0{whole}.{fraction}0e{exponent}").replace('_', "").parse().ok()).flatten()?;
    Some(if negative { -value } else { value })
}

/// A date, or a date and a time of day.
fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let Some(date) = shape.get(..10) else { return shape_of_day(&shape) };
    date == "0000-00-00"
        && (shape.len() == 10 || shape[10..].starts_with(['T', 't', ' ', '\t']) && shape[10..].contains(':'))
        || shape_of_day(&shape)
}

/// As a date with single digits, which needs a time of day behind it.
fn shape_of_day(shape: &str) -> bool {
    let short = ["0000-0-0", "0000-00-0", "0000-0-00"];
    short.iter().any(|date| {
        shape
            .strip_prefix(date)
            .is_some_and(|rest| rest.starts_with(['T', 't', ' ', '\t']) && rest.contains(':'))
    })
}
