//! Calculations over the series of several metrics.

mod arithmetic;
mod name;
mod read;
mod text;
mod write;

#[cfg(test)]
mod tests;

use crate::{AggregationMethod, Resolution};

pub use name::UnknownFunction;
pub use read::OperationError;

/// How deep operations may lie in one another: Gnocchi gives up near that, too, and nobody writes more than ten.
pub const MAX_OPERATION_DEPTH: usize = 100;

/// What is calculated.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Series of metrics: each a metric's id or, with a search for resources, a shell pattern on the names of their
    /// metrics; and which aggregate, as it was written: whether a metric has it is for whoever looks it up.
    Metrics(Vec<(String, String)>),
    /// A number.
    Number(f64),
    /// Of two operands, period by period.
    Binary(BinaryFunction, Box<Self>, Box<Self>),
    /// Of one operand, period by period or of neighbouring periods.
    Unary(UnaryFunction, Box<Self>),
    /// Values held between two bounds.
    Clip(Box<Self>, Box<Self>, Option<Box<Self>>),
    /// All series made one.
    Aggregate(CrossAggregation, Box<Self>),
    /// Of so many neighbouring periods each.
    Rolling(CrossAggregation, usize, Box<Self>),
    /// Each series aggregated again to another resolution.
    Resample(AggregationMethod, Resolution, Box<Self>),
}

impl Operation {
    /// The series that it names, each once, in the order in which they stand.
    pub fn references(&self) -> Vec<&(String, String)> {
        let mut references = Vec::new();
        self.collect_references(&mut references);
        let mut seen = std::collections::HashSet::new();
        references.retain(|reference| seen.insert(*reference));
        references
    }

    fn collect_references<'a>(&'a self, references: &mut Vec<&'a (String, String)>) {
        match self {
            Self::Metrics(metrics) => references.extend(metrics),
            Self::Number(_) => {}
            Self::Binary(_, one, other) => [one, other].iter().for_each(|x| x.collect_references(references)),
            Self::Clip(of, least, most) => {
                [of, least].into_iter().chain(most).for_each(|x| x.collect_references(references));
            }
            Self::Unary(_, of)
            | Self::Aggregate(_, of)
            | Self::Rolling(_, _, of)
            | Self::Resample(_, _, of) => of.collect_references(references),
        }
    }
}

/// What is made of the values of several series or periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrossAggregation {
    /// Over the differences of neighbouring periods.
    pub rate: bool,
    /// What is made of them: not all functions are there for all operations.
    pub function: CrossFunction,
}

/// A function that ignores what is not a number; its deviations are those of the population.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrossFunction {
    /// Arithmetic mean.
    Mean,
    /// The middle one, or the mean of the middle two.
    Median,
    /// Standard deviation.
    Std,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The sum.
    Sum,
    /// The variance.
    Var,
    /// How many there are.
    Count,
}

/// A function of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum BinaryFunction {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Modulo,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    ClipMin,
    ClipMax,
    Max,
}

/// A function of one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum UnaryFunction {
    Absolute,
    Negative,
    Cosine,
    Sine,
    Tangent,
    Floor,
    Ceiling,
    RateOfChange,
    RateOfChangePerSecond,
}
