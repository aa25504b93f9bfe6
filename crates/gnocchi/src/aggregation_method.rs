//! How many measures of a period become one value.

use std::fmt;
use std::str::FromStr;

/// One of the 216 aggregation methods: a [`Function`] over the measures of a period, or over their differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AggregationMethod {
    /// Over the differences of neighbouring measures, each at the time of the later one: `rate:mean`.
    pub rate: bool,
    /// What is made of them.
    pub function: Function,
}

/// What is made of the values of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// Their arithmetic mean.
    Mean,
    /// Their sum.
    Sum,
    /// The latest.
    Last,
    /// The greatest.
    Max,
    /// The least.
    Min,
    /// Their standard deviation, of the sample (n−1); a single value has none.
    Std,
    /// The middle one, or the mean of the middle two.
    Median,
    /// The earliest.
    First,
    /// How many there are.
    Count,
    /// The percentile from 1 to 99, interpolated between the closest ranks.
    Percentile(u8),
}

/// A text that names no aggregation method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no aggregation method")]
pub struct UnknownMethod(pub String);

const NAMES: [(&str, Function); 9] = [
    ("mean", Function::Mean),
    ("sum", Function::Sum),
    ("last", Function::Last),
    ("max", Function::Max),
    ("min", Function::Min),
    ("std", Function::Std),
    ("median", Function::Median),
    ("first", Function::First),
    ("count", Function::Count),
];

impl AggregationMethod {
    /// The mean, which reads give when nothing else is asked for.
    pub const MEAN: Self = Self { rate: false, function: Function::Mean };

    /// All there are.
    pub fn all() -> impl Iterator<Item = Self> {
        let named = NAMES.iter().map(|(_, function)| *function);
        let functions = named.chain((1..=99).map(Function::Percentile));
        functions.flat_map(|function| [false, true].map(|rate| Self { rate, function }))
    }
}

impl fmt::Display for AggregationMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rate {
            f.write_str("rate:")?;
        }
        match self.function {
            Function::Percentile(percent) => write!(f, "{percent}pct"),
            function => {
                let named = NAMES.iter().find(|(_, named)| *named == function);
                f.write_str(named.map_or("", |(name, _)| name))
            }
        }
    }
}

impl FromStr for AggregationMethod {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        let (rate, name) = match text.strip_prefix("rate:") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let named = NAMES.iter().find(|(known, _)| *known == name).map(|(_, function)| *function);
        let function = named.or_else(|| percentile(name)).ok_or_else(|| UnknownMethod(text.into()))?;
        Ok(Self { rate, function })
    }
}

fn percentile(name: &str) -> Option<Function> {
    let digits = name.strip_suffix("pct")?;
    // No sign, no leading zero: Gnocchi has them by name.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.starts_with('0') {
        return None;
    }
    digits.parse().ok().filter(|percent| (1..=99).contains(percent)).map(Function::Percentile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_216_and_each_is_found_by_its_name() {
        let all: Vec<_> = AggregationMethod::all().collect();
        assert_eq!(all.len(), 216);
        for method in all {
            assert_eq!(method.to_string().parse(), Ok(method));
        }
    }

    #[test]
    fn what_gnocchi_does_not_name_is_refused() {
        for text in ["", "rate:", "pct", "0pct", "01pct", "100pct", "+5pct", "rate:rate:mean", "Mean", "nan"]
        {
            assert_eq!(text.parse::<AggregationMethod>(), Err(UnknownMethod(text.into())));
        }
    }
}
