//! Sizes with their units, as settings have them.

/// The units, the largest first.
const UNITS: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// Reads a size such as `10GiB`.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let (unit, factor) = UNITS.into_iter().find(|(unit, _)| text.ends_with(unit))?;
    let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
    number.checked_mul(factor)
}

/// Writes a size so that it is read again.
pub(crate) fn show(bytes: u64) -> String {
    let whole = UNITS.into_iter().find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor));
    let (unit, factor) = whole.unwrap_or(("B", 1));
    format!("{}{unit}", bytes / factor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("10GiB", Some(10 << 30)),
            ("1 KiB", Some(1024)),
            ("0B", Some(0)),
            ("1TiB", Some(1 << 40)),
            ("10", None),
            ("10GB", None),
            ("-1B", None),
            ("1.5GiB", None),
            ("99999999999TiB", None),
        ] {
            assert_eq!(parse(text), bytes, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read(number: u64, shift in 0u32..50) {
            let bytes = (number >> shift) << (shift / 10 * 10).min(number.leading_zeros());
            prop_assert_eq!(parse(&show(bytes)), Some(bytes));
        }
    }
}
