//! How an archive policy says what is kept of each period.

use std::str::FromStr;

use crate::{AggregationMethod, Function, UnknownMethod};

/// What is kept of each period, where a policy does not say: the defaults of Gnocchi.
const DEFAULT_FUNCTIONS: [Function; 6] =
    [Function::Mean, Function::Min, Function::Max, Function::Sum, Function::Std, Function::Count];

/// What a policy says about a method: `mean`, `+95pct` or `-std`; or of all, `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodChoice {
    /// All of them.
    All,
    /// This one, and no default.
    This(AggregationMethod),
    /// This one beside the others.
    With(AggregationMethod),
    /// Not this one.
    Without(AggregationMethod),
}

impl FromStr for MethodChoice {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        match text.as_bytes().first() {
            Some(b'*') if text == "*" => Ok(Self::All),
            Some(b'-') => text[1..].parse().map(Self::Without),
            Some(b'+') => text[1..].parse().map(Self::With),
            _ => text.parse().map(Self::This),
        }
    }
}

impl MethodChoice {
    /// The methods that are chosen: those named, or all, or where none is named the default ones; with some more, and
    /// without some others.
    pub fn choose(choices: &[Self]) -> Vec<AggregationMethod> {
        let mut methods: Vec<AggregationMethod> = Vec::new();
        let relative = |choice: &Self| matches!(choice, Self::With(_) | Self::Without(_));
        if choices.contains(&Self::All) {
            methods.extend(AggregationMethod::all());
        } else if choices.iter().all(relative) {
            methods.extend(DEFAULT_FUNCTIONS.map(|function| AggregationMethod { rate: false, function }));
        }
        for choice in choices {
            match choice {
                Self::This(method) | Self::With(method) if !methods.contains(method) => methods.push(*method),
                Self::Without(method) => methods.retain(|known| known != method),
                _ => {}
            }
        }
        methods
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(texts: &[&str]) -> String {
        let choices: Vec<_> = texts.iter().map(|text| text.parse().unwrap()).collect();
        MethodChoice::choose(&choices).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn methods_are_chosen_one_by_one_or_beside_the_default_ones() {
        assert_eq!(chosen(&[]), "mean min max sum std count");
        assert_eq!(chosen(&["+95pct", "-std"]), "mean min max sum count 95pct");
        assert_eq!(chosen(&["mean", "rate:mean", "mean"]), "mean rate:mean");
        assert_eq!(chosen(&["last", "+max", "-last"]), "max");
        assert_eq!(chosen(&["*"]).split(' ').count(), 216);
        assert_eq!("-".parse::<MethodChoice>(), Err(UnknownMethod(String::new())));
    }
}
