//! Lines of statsd, as `gnocchi-statsd` reads them: `name:value|type`, or `name:value|c|@rate`.

use crate::time::parse_number;

/// What a line of statsd says.
#[derive(Clone, Debug, PartialEq)]
pub struct StatsdSample {
    /// The name and the type, `requests|c`, by which the metric is called.
    pub metric: String,
    /// What to do with the value.
    pub kind: StatsdKind,
    /// The value; of a counter, divided by the rate at which it was sampled.
    pub value: f64,
}

/// What to do with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatsdKind {
    /// `g` and `ms`: the last one counts.
    Last,
    /// `c`: they are added up.
    Sum,
}

/// A line of statsd that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatsdError {
    /// There are too few bars, or too many.
    #[error("a line is name:value|type or name:value|type|@rate")]
    Bars,
    /// There is not one colon.
    #[error("there has to be one colon between the name and the value")]
    Colons,
    /// The value, or the rate, is none.
    #[error("the value and the rate have to be numbers")]
    Number,
    /// A rate of nothing, or one where none can be.
    #[error("only counters have a rate, and it is not 0")]
    Rate,
    /// Sets, and what nobody knows.
    #[error("the type has to be g, c or ms")]
    Type,
}

impl StatsdSample {
    /// Reads a line.
    pub fn read(line: &str) -> Result<Self, StatsdError> {
        let mut parts = line.split('|');
        let (Some(named), Some(kind)) = (parts.next(), parts.next()) else { return Err(StatsdError::Bars) };
        let rate = parts.next();
        if parts.next().is_some() {
            return Err(StatsdError::Bars);
        }
        // Whatever its first character is, it stands for the `@`.
        let rate = rate.map(|rate| parse_number(rate.get(first_character(rate)..).unwrap_or_default()));
        let rate = rate.map(|rate| rate.ok_or(StatsdError::Number)).transpose()?;
        let (name, value) = named.split_once(':').ok_or(StatsdError::Colons)?;
        if value.contains(':') {
            return Err(StatsdError::Colons);
        }
        let value = parse_number(value).ok_or(StatsdError::Number)?;
        let (kind_of, value) = match (kind, rate) {
            ("g" | "ms", None) => (StatsdKind::Last, value),
            ("c", None) => (StatsdKind::Sum, value),
            ("c", Some(rate)) if rate != 0.0 => (StatsdKind::Sum, value * (1.0 / rate)),
            ("g" | "ms" | "c", _) => return Err(StatsdError::Rate),
            _ => return Err(StatsdError::Type),
        };
        Ok(Self { metric: format!("{name}|{kind}"), kind: kind_of, value })
    }
}

/// How many bytes the first character has.
fn first_character(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(line: &str) -> Option<(String, StatsdKind, f64)> {
        StatsdSample::read(line).ok().map(|sample| (sample.metric, sample.kind, sample.value))
    }

    /// As the real one does, whose class was run on these.
    #[test]
    fn lines_are_read_as_gnocchi_statsd_reads_them() {
        use StatsdKind::{Last, Sum};
        for (line, metric, kind, value) in [
            ("a:1|g", "a|g", Last, 1.0),
            ("a:-2.5|ms", "a|ms", Last, -2.5),
            ("a: 1_0 |g", "a|g", Last, 10.0),
            ("a:+5|g", "a|g", Last, 5.0),
            ("a:inf|g", "a|g", Last, f64::INFINITY),
            ("a:3|c", "a|c", Sum, 3.0),
            ("a:3|c|@0.1", "a|c", Sum, 30.0),
            ("a:3|c|x0.5", "a|c", Sum, 6.0),
            ("a:1|c|@-2", "a|c", Sum, -0.5),
            (":1|g", "|g", Last, 1.0),
            ("é b:1|g", "é b|g", Last, 1.0),
        ] {
            assert_eq!(read(line), Some((metric.to_owned(), kind, value)), "{line}");
        }
        for (line, error) in [
            ("", StatsdError::Bars),
            ("a:1", StatsdError::Bars),
            ("a:1|c|@1|#tag", StatsdError::Bars),
            ("a|g", StatsdError::Colons),
            ("a:b:1|g", StatsdError::Colons),
            ("a:|g", StatsdError::Number),
            ("a:one|g", StatsdError::Number),
            ("a:1|c|@", StatsdError::Number),
            ("a:1|c|", StatsdError::Number),
            ("a:1|c|#tag", StatsdError::Number),
            ("a:1|c|@0", StatsdError::Rate),
            ("a:1|g|@1", StatsdError::Rate),
            ("a:1|ms|@1", StatsdError::Rate),
            ("a:1|s", StatsdError::Type),
            ("a:1|G", StatsdError::Type),
        ] {
            assert_eq!(StatsdSample::read(line), Err(error), "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(name in "[^|:\n]{0,12}", value in any::<f64>(), rate in proptest::option::of(0.001..1.0)) {
            let rated = rate.map(|rate: f64| format!("|@{rate}")).unwrap_or_default();
            let sample = StatsdSample::read(&format!("{name}:{value}|c{rated}")).unwrap();
            let wanted = rate.map_or(value, |rate| value * (1.0 / rate));
            prop_assert_eq!(sample.metric, format!("{name}|c"));
            prop_assert_eq!(sample.value.to_bits(), wanted.to_bits());
        }

        #[test]
        fn any_line_is_a_sample_or_an_error(line in "([a-zé]|[:|@]|c|g|ms|[0-9.+-]){0,20}") {
            if let Ok(sample) = StatsdSample::read(&line) {
                prop_assert!(sample.metric.contains('|'));
            }
        }
    }
}
