//! The words of Gnocchi, and its API as a trait.
//!
//! A [`Metric`] is a series of [`Measure`]s, kept as aggregates as its [`ArchivePolicy`] says; a [`Resource`] holds
//! metrics by name and has the attributes of its [`ResourceType`]. [`Gnocchi`] is the whole API as one user sees it:
//! the embedded store and a remote Gnocchi are two implementations of it, held to one suite.
//!
//! The words do no I/O and read no clock. Source of all behaviour: Gnocchi 4.7.1, as it runs.

mod aggregates;
mod aggregation_method;
mod api;
mod archive_policy;
mod batch;
mod error;
mod filter;
mod glob;
mod like;
mod measure;
mod method_choice;
mod metric;
mod operation;
mod page;
mod resource;
mod resource_type;
mod schema;
mod statsd;
mod time;
mod value_query;

pub use aggregates::{AggregatesAnswer, AggregatesQuery, Fill, Group, Overlap, Reference, SeriesOf, Subject};
pub use aggregation_method::{AggregationMethod, Function, UnknownMethod};
pub use api::{BoxFuture, Gnocchi, Result};
pub use archive_policy::{ArchivePolicy, ArchivePolicyRule, Definition, DefinitionError};
pub use batch::{BatchError, NotJson, read_measures, read_metric_measures, read_resource_measures};
pub use error::{Error, Unaggregated, UnknownResource};
pub use filter::{Comparison, Filter, FilterError, Unexpected, Value};
pub use glob::Glob;
pub use like::like_matches;
pub use measure::{Measure, MetricMeasures, Point, Range, Resolution, ResourceMeasures};
pub use method_choice::MethodChoice;
pub use metric::{Metric, MetricChoice, MetricStatus, NamedMetric, NewMetric};
pub use operation::{
    BinaryFunction, CrossAggregation, CrossFunction, MAX_OPERATION_DEPTH, Operation, OperationError,
    UnaryFunction, UnknownFunction,
};
pub use page::{Direction, Nulls, Page, Sort};
pub use resource::{
    Creator, InvalidResourceId, NewResource, Resource, ResourceChange, ResourceSelection, Revision,
    parse_uuid, resource_uuid,
};
pub use resource_type::{Attribute, AttributeKind, AttributeValue, ResourceType, TypeChange, TypeState};
pub use schema::{PathItem, SchemaError, SchemaResult, class_of, each};
pub use statsd::{StatsdError, StatsdKind, StatsdSample};
pub use time::{Timespan, TimespanError, Timestamp, TimestampError, Timestamps};
pub use value_query::{ValueQuery, ValueQueryError};
