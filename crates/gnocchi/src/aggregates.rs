//! A question across metrics, and its answer.

use indexmap::IndexMap;
use uuid::Uuid;

use crate::{Filter, Metric, Operation, Point, Resource, Timespan, Timestamp};

/// A calculation across metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct AggregatesQuery {
    /// What is calculated.
    pub operation: Operation,
    /// Of which metrics.
    pub subject: Subject,
    /// From the period that this lies in.
    pub start: Option<Timestamp>,
    /// Before this.
    pub stop: Option<Timestamp>,
    /// One granularity; all that the metrics have in common, where none is given.
    pub granularity: Option<Timespan>,
    /// What becomes of periods that some series have no value of.
    pub fill: Fill,
    /// With the metrics or resources that it was calculated from.
    pub details: bool,
}

/// Which metrics a calculation is of.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// Those that the operation names by id.
    Metrics,
    /// Those with such names of the resources that are found.
    Resources {
        /// Of this type.
        resource_type: String,
        /// That it takes; all, where there is none.
        filter: Option<Filter>,
        /// Apart for each combination of the values of these attributes.
        groupby: Vec<String>,
        /// Apart for each revision, scaled to the part of a period that the revision covers.
        use_history: bool,
    },
}

/// What becomes of periods that some series have no value of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// They are left out, if at least so many per cent of the periods are in all series.
    Overlap(Overlap),
    /// They get this value.
    Number(f64),
    /// They get no value, and the period stays.
    Null,
    /// Those without a value in any series are left out.
    DropNa,
    /// They get the value before.
    Forward,
    /// They get the value behind.
    Backward,
    /// As `Forward`, and what is before the first value gets that behind.
    FullForward,
    /// As `Backward`, and what is behind the last value gets that before.
    FullBackward,
}

/// How many per cent of the periods have to be in all series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overlap(pub f64);

/// What a calculation gave.
#[derive(Clone, Debug, PartialEq)]
pub enum AggregatesAnswer {
    /// For all metrics.
    Whole(Group),
    /// For each combination of the attributes' values.
    Grouped(Vec<(IndexMap<String, crate::AttributeValue>, Group)>),
}

/// What a calculation gave for a group of metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The series.
    pub measures: Vec<(SeriesOf, Vec<Point>)>,
    /// What it was calculated from, where that was asked for.
    pub references: Option<Vec<Reference>>,
}

/// What a series of an answer is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SeriesOf {
    /// All metrics together.
    Aggregated,
    /// A metric, and its aggregate.
    Metric(Uuid, String),
    /// A metric of a resource by its name, and its aggregate.
    Resource(Uuid, String, String),
}

/// What an answer was calculated from.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference {
    /// A metric.
    Metric(Box<Metric>),
    /// A resource.
    Resource(Box<Resource>),
}
