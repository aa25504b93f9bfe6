//! OpenTelemetry's spans and OSProfiler's trace points, each made of the other; and metrics made of samples.
//!
//! A span is a start and a stop, so it becomes two trace points, and the two points of an operation become a span. What
//! the one form can say and the other cannot travels along, so that nothing is lost on the way there and back:
//!
//! - A span that is made of OSProfiler's notifications carries them word for word in its attributes `osprofiler.start`
//!   and `osprofiler.stop`, beside the names that OpenTelemetry's tools look for. [`points()`] takes them from there.
//! - The points of any other span carry what OSProfiler has no key for in `info.otlp`, as OTLP/JSON. [`spans()`] makes
//!   the same span of them.
//!
//! Source of the form: opentelemetry-proto 1.x and the OTLP specification; of upstream's names for spans and attributes,
//! OSProfiler 4.4, `osprofiler/drivers/otlp.py`.

mod conventions;
mod foreign;
mod groups;
pub mod ids;
pub mod json;
pub mod metrics;
mod notifications;
mod points;
mod spans;

/// The messages of OTLP as Protocol Buffers has them.
pub mod proto {
    pub use opentelemetry_proto::tonic::collector::metrics::v1::*;
    pub use opentelemetry_proto::tonic::collector::trace::v1::*;
    pub use opentelemetry_proto::tonic::common::v1::*;
    pub use opentelemetry_proto::tonic::metrics::v1::*;
    pub use opentelemetry_proto::tonic::resource::v1::*;
    pub use opentelemetry_proto::tonic::trace::v1::*;
}

pub use metrics::{Measured, metrics};
pub use points::points;
pub use spans::spans;
