//! The series from outside: against what Gnocchi itself gives, and in bad situations.
#![expect(clippy::unwrap_used, reason = "what a test does not expect ends it")]

mod closing;
mod crash;
mod golden;
