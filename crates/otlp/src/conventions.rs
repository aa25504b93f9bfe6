//! The same things under the names of OSProfiler's `info`, of its OTLP driver, and of OpenTelemetry's semantic conventions.

mod describe;
mod known;

pub(crate) use describe::{attribute, describe};
pub(crate) use known::Known;
