//! Why a request is refused.

use uuid::Uuid;

/// Why a request is refused, in the words of Gnocchi: its clients tell errors apart by them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Error {
    #[error("Archive policy {0} does not exist")]
    NoSuchArchivePolicy(String),
    #[error("Archive policy {0} already exists")]
    ArchivePolicyAlreadyExists(String),
    #[error("Archive policy {0} is still in use")]
    ArchivePolicyInUse(String),
    #[error("Archive policy {0} does not support change: {1}")]
    UnsupportedArchivePolicyChange(String, String),
    #[error("Archive policy rule {0} does not exist")]
    NoSuchArchivePolicyRule(String),
    #[error("Archive policy rule {0} already exists")]
    ArchivePolicyRuleAlreadyExists(String),
    #[error("Archive policy rule {0} does not support change: {1}")]
    UnsupportedArchivePolicyRuleChange(String, String),
    #[error("No Archive policy rule found for metric {0}")]
    NoArchivePolicyRuleMatch(String),
    #[error("Resource type {0} does not exist")]
    NoSuchResourceType(String),
    #[error("Resource type {0} already exists")]
    ResourceTypeAlreadyExists(String),
    #[error("Resource type {0} is still in use")]
    ResourceTypeInUse(String),
    #[error("Resource {0} does not exist")]
    NoSuchResource(String),
    #[error("Resource {0} already exists")]
    ResourceAlreadyExists(String),
    #[error("Resource type {resource_type} has no {attribute} attribute")]
    NoSuchAttribute { resource_type: String, attribute: String },
    #[error("Value {value} for attribute {attribute} on resource type {resource_type} is invalid")]
    InvalidAttributeValue { resource_type: String, attribute: String, value: String },
    #[error("the resource has another revision by now")]
    RevisionChanged,
    #[error("Metric {0} does not exist")]
    NoSuchMetric(String),
    #[error("Named metric {0} already exists")]
    NamedMetricAlreadyExists(String),
    #[error("Unknown metrics: {}", .0.join(", "))]
    UnknownMetrics(Vec<String>),
    #[error("Unknown resources")]
    UnknownResources(Vec<UnknownResource>),
    /// The metric's policy does not keep this aggregate. Granularities are in seconds.
    #[error(
        "Aggregation method '{method}' at granularity '{granularity:?}' for metric {metric} does not exist"
    )]
    NoSuchAggregation { metric: String, method: String, granularity: f64 },
    /// The metric's policy does not know this granularity.
    #[error(
        "Aggregation method '{method}' at granularity '{granularity:?}' for metric {metric} does not exist"
    )]
    NoSuchGranularity { metric: String, method: String, granularity: f64 },
    #[error("Metrics cannot be aggregated: {reason}")]
    CannotBeAggregated { reason: String, detail: Vec<Unaggregated> },
    #[error("Invalid value: `{value}' for field `{field}'")]
    InvalidFilterValue { field: String, value: String },
    #[error("{0}")]
    InvalidFilter(String),
    #[error("Invalid pagination: `{0}'")]
    InvalidPagination(String),
    /// The request cannot be carried out as it is; the text says why.
    #[error("{0}")]
    Invalid(String),
    /// The user may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// Nobody answers, or not in time: the same request may succeed later.
    #[error("{message}")]
    Unavailable {
        message: String,
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The disk, the peer's answer or we ourselves are at fault: trying again does not help.
    #[error("{message}")]
    Internal {
        message: String,
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

/// A series that cannot be aggregated with the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Unaggregated {
    /// The metric's id, or the pattern on names that found it.
    pub metric: String,
    /// The aggregate.
    pub aggregation: String,
    /// The granularity that is missing, in seconds, where one is.
    pub granularity: Option<f64>,
}

/// A resource that measures came for and that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownResource {
    /// Its id.
    pub resource_id: Uuid,
    /// Its id as it was spelled.
    pub original_resource_id: String,
}
