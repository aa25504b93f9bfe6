//! The names of functions.

use std::fmt;
use std::str::FromStr;

use super::{BinaryFunction, CrossAggregation, CrossFunction, UnaryFunction};

/// A text that names no function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}' is no function across series")]
pub struct UnknownFunction(pub String);

/// The first name of each is the one that is written.
const BINARY: [(BinaryFunction, &[&str]); 15] = [
    (BinaryFunction::Equal, &["=", "==", "eq"]),
    (BinaryFunction::NotEqual, &["!=", "≠", "ne"]),
    (BinaryFunction::Less, &["<", "lt"]),
    (BinaryFunction::LessOrEqual, &["<=", "≤", "le"]),
    (BinaryFunction::Greater, &[">", "gt"]),
    (BinaryFunction::GreaterOrEqual, &[">=", "≥", "ge"]),
    (BinaryFunction::Modulo, &["%", "mod"]),
    (BinaryFunction::Add, &["+", "add"]),
    (BinaryFunction::Subtract, &["-", "sub"]),
    (BinaryFunction::Multiply, &["*", "×", "mul"]),
    (BinaryFunction::Divide, &["/", "÷", "div"]),
    (BinaryFunction::Power, &["**", "^", "pow"]),
    (BinaryFunction::ClipMin, &["clip_min"]),
    (BinaryFunction::ClipMax, &["clip_max"]),
    (BinaryFunction::Max, &["max"]),
];

const UNARY: [(UnaryFunction, &[&str]); 9] = [
    (UnaryFunction::Absolute, &["abs", "absolute"]),
    (UnaryFunction::Negative, &["neg", "negative"]),
    (UnaryFunction::Cosine, &["cos"]),
    (UnaryFunction::Sine, &["sin"]),
    (UnaryFunction::Tangent, &["tan"]),
    (UnaryFunction::Floor, &["floor"]),
    (UnaryFunction::Ceiling, &["ceil"]),
    (UnaryFunction::RateOfChange, &["rateofchange"]),
    (UnaryFunction::RateOfChangePerSecond, &["rateofchangesec"]),
];

const ACROSS: [(CrossFunction, &[&str]); 8] = [
    (CrossFunction::Mean, &["mean"]),
    (CrossFunction::Median, &["median"]),
    (CrossFunction::Std, &["std"]),
    (CrossFunction::Min, &["min"]),
    (CrossFunction::Max, &["max"]),
    (CrossFunction::Sum, &["sum"]),
    (CrossFunction::Var, &["var"]),
    (CrossFunction::Count, &["count"]),
];

fn named<T: Copy>(names: &[(T, &[&str])], name: &str) -> Option<T> {
    names.iter().find(|(_, names)| names.contains(&name)).map(|(function, _)| *function)
}

fn name_of<T: PartialEq>(names: &[(T, &'static [&'static str])], function: &T) -> &'static str {
    let names = names.iter().find(|(named, _)| named == function).map(|(_, names)| *names);
    names.and_then(|names| names.first().copied()).expect("each function has a name")
}

impl BinaryFunction {
    pub(crate) fn named(name: &str) -> Option<Self> {
        named(&BINARY, name)
    }

    pub(crate) fn name(self) -> &'static str {
        name_of(&BINARY, &self)
    }
}

impl UnaryFunction {
    pub(super) fn named(name: &str) -> Option<Self> {
        named(&UNARY, name)
    }

    pub(super) fn name(self) -> &'static str {
        name_of(&UNARY, &self)
    }
}

impl fmt::Display for CrossAggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rate {
            f.write_str("rate:")?;
        }
        f.write_str(name_of(&ACROSS, &self.function))
    }
}

impl FromStr for CrossAggregation {
    type Err = UnknownFunction;

    fn from_str(text: &str) -> Result<Self, UnknownFunction> {
        let (rate, name) = match text.strip_prefix("rate:") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let function = named(&ACROSS, name).ok_or_else(|| UnknownFunction(text.into()))?;
        Ok(Self { rate, function })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_a_name_and_no_name_means_two() {
        for (function, names) in BINARY {
            assert!(names.iter().all(|name| BinaryFunction::named(name) == Some(function)), "{function:?}");
        }
        for (function, names) in UNARY {
            assert!(names.iter().all(|name| UnaryFunction::named(name) == Some(function)), "{function:?}");
        }
        for (function, names) in ACROSS {
            for rate in [false, true] {
                let aggregation = CrossAggregation { rate, function };
                assert_eq!(aggregation.to_string().parse(), Ok(aggregation), "{names:?}");
            }
        }
        assert_eq!("last".parse::<CrossAggregation>(), Err(UnknownFunction("last".into())));
    }
}
