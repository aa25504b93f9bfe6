//! Times, counts and shares as people read them.

use std::fmt;

/// A duration, or a time since the start of the trace, in microseconds.
///
/// Shown in the unit that fits it and cut off, not rounded, as all times of a report are: `870 µs`, `1.50 ms`,
/// `2.34 s`, `1 min 05 s`, `3 h 20 min`.
#[derive(Clone, Copy)]
pub(super) struct Micros(pub(super) i64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (us, seconds) = (self.0.unsigned_abs(), self.0.unsigned_abs() / 1_000_000);
        let text = match us {
            0..1_000 => format!("{sign}{us} µs"),
            1_000..1_000_000 => format!("{sign}{}.{:02} ms", us / 1_000, us % 1_000 / 10),
            1_000_000..60_000_000 => format!("{sign}{seconds}.{:02} s", us % 1_000_000 / 10_000),
            60_000_000..3_600_000_000 => format!("{sign}{} min {:02} s", seconds / 60, seconds % 60),
            _ => format!("{sign}{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
        };
        f.pad(&text)
    }
}

/// A count with its thousands set apart: `10,000`.
#[derive(Clone, Copy)]
pub(super) struct Count(pub(super) u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

/// A count of things: `1 error`, `2 errors`.
pub(super) fn counted(count: u64, thing: &str) -> String {
    format!("{} {thing}{}", Count(count), if count == 1 { "" } else { "s" })
}

/// How much of a whole, in percent: `41.7 %`.
pub(super) fn share(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "-".into();
    }
    let thousandths = i128::from(part) * 1_000 / i128::from(whole);
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_shown_in_the_unit_that_fits_and_never_rounded_up() {
        for (us, shown) in [
            (0, "0 µs"),
            (870, "870 µs"),
            (999, "999 µs"),
            (1_500, "1.50 ms"),
            (999_999, "999.99 ms"),
            (2_345_678, "2.34 s"),
            (59_999_999, "59.99 s"),
            (65_000_000, "1 min 05 s"),
            (12_000_000_000, "3 h 20 min"),
            (-1_000_000, "-1.00 s"),
            (i64::MIN, "-2562047788 h 00 min"),
        ] {
            assert_eq!(Micros(us).to_string(), shown);
        }
    }

    #[test]
    fn counts_and_shares_are_shown_as_people_write_them() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(|count| Count(count).to_string()),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!([counted(1, "error"), counted(1_000, "error")], ["1 error", "1,000 errors"]);
        assert_eq!([share(1, 3), share(i64::MAX, i64::MAX), share(1, 0)], ["33.3 %", "100.0 %", "-"]);
    }
}
