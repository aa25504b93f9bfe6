//! Carrying out an operation on series that stand beside one another.

use nephoscope_gnocchi::{
    BinaryFunction, CrossAggregation, CrossFunction, Error, Operation, Resolution, Result, Unaggregated,
    UnaryFunction,
};

use super::across::{across_rows, over};
use super::aligned::{Aligned, too_many};
use super::resampled::resample;

/// Values that a rolling function may look at, a second of work.
const MAX_ROLLED_VALUES: usize = 1 << 30;

/// Nanoseconds of a second.
const SECOND: f64 = 1e9;

/// What operations are carried out on.
#[derive(Debug)]
pub(super) struct Subject {
    /// The series.
    pub(super) aligned: Aligned,
    /// Which series each of their rows is, as operations name it: metric and aggregate.
    pub(super) names: Vec<(String, String)>,
    /// Their periods.
    pub(super) resolution: Resolution,
}

/// What an operation gives.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// The series.
    pub(super) aligned: Aligned,
    /// Their periods.
    pub(super) resolution: Resolution,
    /// Whether the rows are no longer the series of one metric each.
    pub(super) is_aggregated: bool,
    /// Whether the values say yes or no. Of two such, numpy's sum is `or`.
    is_truth: bool,
}

/// An operand.
enum Value {
    Number(f64),
    Series(Outcome),
}

impl Subject {
    /// Carries out an operation.
    pub(super) fn evaluate(&self, operation: &Operation) -> Result<Outcome> {
        self.series(operation)
    }

    /// The series that an operation gives, which must not be a number.
    fn series(&self, operation: &Operation) -> Result<Outcome> {
        match self.value(operation)? {
            Value::Series(outcome) => Ok(outcome),
            Value::Number(_) => {
                Err(Error::Invalid("a number stands where an operation needs series of metrics".into()))
            }
        }
    }

    fn value(&self, operation: &Operation) -> Result<Value> {
        Ok(match operation {
            Operation::Number(number) => Value::Number(*number),
            Operation::Metrics(metrics) => Value::Series(self.named(metrics)),
            Operation::Binary(function, one, other) => self.binary(*function, one, other)?,
            Operation::Unary(function, of) => match self.value(of)? {
                Value::Number(number) => Value::Number(unary_of_number(*function, number)?),
                Value::Series(outcome) => Value::Series(unary(*function, outcome)),
            },
            Operation::Clip(of, least, most) => self.clip(of, least, most.as_deref())?,
            Operation::Aggregate(aggregation, of) => {
                Value::Series(aggregate(*aggregation, &self.series(of)?))
            }
            Operation::Rolling(aggregation, window, of) => {
                Value::Series(self.rolling(*aggregation, *window, self.series(of)?)?)
            }
            Operation::Resample(method, resolution, of) => {
                let of = self.series(of)?;
                let resampled = of.aligned.rows.iter();
                let resampled = resampled.map(|row| resample(&of.aligned.times, row, *method, *resolution));
                let resampled: Vec<_> = resampled.collect::<Result<_>>()?;
                // Which periods there are depends on the times alone, and those are the same in all.
                let times = resampled.first().map(|series| series.times.clone()).unwrap_or_default();
                let rows = resampled.into_iter().map(|series| series.values).collect();
                let aligned = Aligned { times, rows };
                Value::Series(Outcome { aligned, resolution: *resolution, is_truth: false, ..of })
            }
        })
    }

    /// The series with these names, in the order in which they stand.
    fn named(&self, metrics: &[(String, String)]) -> Outcome {
        let rows = self.names.iter().zip(&self.aligned.rows);
        let rows: Vec<_> = match metrics {
            // So that a thousand names are not looked for in a thousand.
            metrics if metrics.len() > 8 => {
                let metrics: std::collections::HashSet<_> = metrics.iter().collect();
                rows.filter(|(name, _)| metrics.contains(name)).map(|(_, row)| row.clone()).collect()
            }
            metrics => rows.filter(|(name, _)| metrics.contains(name)).map(|(_, row)| row.clone()).collect(),
        };
        let aligned = Aligned { times: self.aligned.times.clone(), rows };
        Outcome { aligned, resolution: self.resolution, is_aggregated: false, is_truth: false }
    }

    fn refuse(&self, reason: String) -> Error {
        let detail = self.names.iter().map(|(metric, aggregation)| Unaggregated {
            metric: metric.clone(),
            aggregation: aggregation.clone(),
            granularity: None,
        });
        Error::CannotBeAggregated { reason, detail: detail.collect() }
    }

    fn binary(&self, function: BinaryFunction, one: &Operation, other: &Operation) -> Result<Value> {
        let outcome = match (self.value(one)?, self.value(other)?) {
            (Value::Number(one), Value::Number(other)) => {
                return Ok(Value::Number(function.apply(one, other)));
            }
            (Value::Series(series), Value::Number(number)) => {
                map(series, |value| function.apply(value, number))
            }
            (Value::Number(number), Value::Series(series)) => {
                map(series, |value| function.apply(number, value))
            }
            (Value::Series(left), Value::Series(right)) => {
                if left.aligned.times != right.aligned.times || left.resolution != right.resolution {
                    let (one, other) = (one.to_json(), other.to_json());
                    return Err(self.refuse(format!(
                        "Can't compute timeseries with different granularity {one} <> {other}"
                    )));
                }
                let are_truths = left.is_truth && right.is_truth;
                let apply = |one: f64, other: f64| match function {
                    BinaryFunction::Add if are_truths => one.max(other),
                    _ => function.apply(one, other),
                };
                let rows = self.pairs(&left.aligned.rows, &right.aligned.rows, apply)?;
                let is_truth = are_truths
                    && matches!(
                        function,
                        BinaryFunction::Add | BinaryFunction::Multiply | BinaryFunction::Max
                    );
                let aligned = Aligned { rows, ..left.aligned };
                Outcome { aligned, is_aggregated: true, is_truth, ..left }
            }
        };
        let is_truth = outcome.is_truth || is_comparison(function);
        Ok(Value::Series(Outcome { is_truth, ..outcome }))
    }

    /// What a function makes of the rows of two operands, one by one; a single row goes with every other.
    fn pairs(
        &self,
        left: &[Vec<f64>],
        right: &[Vec<f64>],
        function: impl Fn(f64, f64) -> f64,
    ) -> Result<Vec<Vec<f64>>> {
        let rows = match (left.len(), right.len()) {
            (one, other) if one == other => one,
            (1, other) => other,
            (one, 1) => one,
            (one, other) => {
                return Err(self.refuse(format!("Can't compute {one} timeseries with {other}")));
            }
        };
        let row = |rows: &'_ [Vec<f64>], at: usize| -> Vec<f64> {
            rows.get(if rows.len() == 1 { 0 } else { at }).cloned().unwrap_or_default()
        };
        let pair = |at: usize| {
            let (mut left, right) = (row(left, at), row(right, at));
            if left.len() != right.len() {
                return Err(self.refuse("Can't compute timeseries with different timestamps".into()));
            }
            left.iter_mut().zip(right).for_each(|(one, other)| *one = function(*one, other));
            Ok(left)
        };
        (0..rows).map(pair).collect()
    }

    /// Bounds, of which any may be series. The times are those of the bounds, where these are series, but of three series
    /// those of the first.
    fn clip(&self, of: &Operation, least: &Operation, most: Option<&Operation>) -> Result<Value> {
        let (of, least) = (self.value(of)?, self.value(least)?);
        let most = most.map(|most| self.value(most)).transpose()?;
        let is_series = |value: &Value| matches!(value, Value::Series(_));
        let all = is_series(&of) && is_series(&least) && most.as_ref().is_some_and(is_series);
        if let (true, Value::Series(one), Value::Series(two), Some(Value::Series(three))) =
            (all, &of, &least, &most)
        {
            let fit = |one: &Outcome, other: &Outcome| {
                one.aligned.times == other.aligned.times && one.resolution == other.resolution
            };
            if !fit(one, two) && !fit(two, three) {
                return Err(self.refuse("Can't compute timeseries with different granularity".into()));
            }
        }
        let order = if all { [Some(&of), None, None] } else { [Some(&least), most.as_ref(), Some(&of)] };
        let frame = order.into_iter().flatten().find_map(|value| match value {
            Value::Series(outcome) => Some((outcome.aligned.times.clone(), outcome.resolution)),
            Value::Number(_) => None,
        });
        let above = self.bound(BinaryFunction::ClipMin, of, least)?;
        let within = match most {
            Some(most) => self.bound(BinaryFunction::ClipMax, above, most)?,
            None => above,
        };
        Ok(match (within, frame) {
            (Value::Series(outcome), Some((times, resolution))) => {
                if outcome.aligned.rows.iter().any(|row| row.len() != times.len()) {
                    return Err(self.refuse("Can't compute timeseries with different timestamps".into()));
                }
                let aligned = Aligned { times, ..outcome.aligned };
                let is_aggregated = outcome.is_aggregated || all;
                Value::Series(Outcome { aligned, resolution, is_aggregated, is_truth: false })
            }
            (value, _) => value,
        })
    }

    fn bound(&self, function: BinaryFunction, of: Value, bound: Value) -> Result<Value> {
        Ok(match (of, bound) {
            (Value::Number(of), Value::Number(bound)) => Value::Number(function.apply(of, bound)),
            (Value::Number(of), Value::Series(bound)) => {
                Value::Series(map(bound, |bound| function.apply(of, bound)))
            }
            (Value::Series(of), Value::Number(bound)) => {
                Value::Series(map(of, |of| function.apply(of, bound)))
            }
            (Value::Series(of), Value::Series(bound)) => {
                let apply = |of, bound| function.apply(of, bound);
                let rows = self.pairs(&of.aligned.rows, &bound.aligned.rows, apply)?;
                let is_aggregated = of.is_aggregated || bound.is_aggregated;
                Value::Series(Outcome { aligned: Aligned { rows, ..of.aligned }, is_aggregated, ..of })
            }
        })
    }

    fn rolling(&self, aggregation: CrossAggregation, window: usize, of: Outcome) -> Result<Outcome> {
        let length = of.aligned.times.len();
        if window > length {
            return Err(
                self.refuse(format!("Rolling window '{window}' is greater than serie length '{length}'"))
            );
        }
        let windows = length - window + 1;
        if windows.saturating_mul(window).saturating_mul(of.aligned.rows.len()) > MAX_ROLLED_VALUES {
            return Err(too_many());
        }
        let mut scratch = Vec::new();
        let mut roll = |row: &Vec<f64>| -> Vec<f64> {
            row.windows(window).map(|values| over(aggregation.function, values, &mut scratch)).collect()
        };
        let rows = of.aligned.rows.iter().map(&mut roll).collect();
        let times = of.aligned.times.into_iter().skip(window - 1).collect();
        Ok(rated(aggregation, Outcome { aligned: Aligned { times, rows }, ..of }))
    }
}

/// All series made one.
fn aggregate(aggregation: CrossAggregation, of: &Outcome) -> Outcome {
    let rows = vec![across_rows(aggregation.function, &of.aligned.rows)];
    let aligned = Aligned { times: of.aligned.times.clone(), rows };
    rated(aggregation, Outcome { aligned, is_aggregated: true, ..*of })
}

/// The differences of neighbours, where the aggregation is of those.
fn rated(aggregation: CrossAggregation, outcome: Outcome) -> Outcome {
    let is_truth =
        outcome.is_truth && matches!(aggregation.function, CrossFunction::Min | CrossFunction::Max);
    let outcome = Outcome { is_truth, ..outcome };
    if aggregation.rate { differences(outcome) } else { outcome }
}

/// Differences of neighbours; of yes and no, whether they differ.
fn differences(mut outcome: Outcome) -> Outcome {
    let difference = |earlier: f64, later: f64| match outcome.is_truth {
        true => (later - earlier).abs(),
        false => later - earlier,
    };
    for row in &mut outcome.aligned.rows {
        *row = row.iter().zip(row.iter().skip(1)).map(|(one, next)| difference(*one, *next)).collect();
    }
    outcome.aligned.times = outcome.aligned.times.into_iter().skip(1).collect();
    outcome
}

fn map(mut outcome: Outcome, function: impl Fn(f64) -> f64) -> Outcome {
    for row in &mut outcome.aligned.rows {
        row.iter_mut().for_each(|value| *value = function(*value));
    }
    Outcome { is_truth: false, ..outcome }
}

fn is_comparison(function: BinaryFunction) -> bool {
    matches!(
        function,
        BinaryFunction::Equal
            | BinaryFunction::NotEqual
            | BinaryFunction::Less
            | BinaryFunction::LessOrEqual
            | BinaryFunction::Greater
            | BinaryFunction::GreaterOrEqual
    )
}

fn unary(function: UnaryFunction, mut outcome: Outcome) -> Outcome {
    match function {
        UnaryFunction::RateOfChange => differences(outcome),
        UnaryFunction::RateOfChangePerSecond => {
            let times = &outcome.aligned.times;
            #[expect(clippy::cast_precision_loss, reason = "as numpy divides lengths of time")]
            let seconds =
                times.iter().zip(times.iter().skip(1)).map(|(one, next)| (next - one) as f64 / SECOND);
            let seconds: Vec<f64> = seconds.collect();
            for row in &mut outcome.aligned.rows {
                let pairs = row.iter().zip(row.iter().skip(1));
                let rates = pairs.zip(&seconds).map(|((one, next), seconds)| (next - one) / seconds);
                // The first has nothing to be a change of.
                let first = row.first().map(|_| f64::NAN);
                *row = first.into_iter().chain(rates).collect();
            }
            Outcome { is_truth: false, ..outcome }
        }
        function => {
            let is_truth = outcome.is_truth && function == UnaryFunction::Absolute;
            Outcome { is_truth, ..map(outcome, |value| of_number(function, value)) }
        }
    }
}

fn unary_of_number(function: UnaryFunction, number: f64) -> Result<f64> {
    match function {
        UnaryFunction::RateOfChange | UnaryFunction::RateOfChangePerSecond => {
            Err(Error::Invalid("a number has no rate of change".into()))
        }
        function => Ok(of_number(function, number)),
    }
}

fn of_number(function: UnaryFunction, value: f64) -> f64 {
    match function {
        UnaryFunction::Absolute => value.abs(),
        UnaryFunction::Negative => -value,
        UnaryFunction::Cosine => value.cos(),
        UnaryFunction::Sine => value.sin(),
        UnaryFunction::Tangent => value.tan(),
        UnaryFunction::Floor => value.floor(),
        UnaryFunction::Ceiling => value.ceil(),
        UnaryFunction::RateOfChange | UnaryFunction::RateOfChangePerSecond => f64::NAN,
    }
}
