//! Which resource a sample belongs to, and what that resource is like.
//!
//! [`jsonpath`] finds values in samples and notifications, as Ceilometer's definition files say where.

pub mod jsonpath;
mod keys;
