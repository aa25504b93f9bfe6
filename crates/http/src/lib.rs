//! HTTP towards backends: one client with bounds, and failures that say what the caller can do.
//!
//! [`Http`] is one backend, at one address or several; it makes a [`Request`], which gives an [`Answer`]. Whatever is
//! wrong with the peer (nobody there, a wrong certificate, a web page instead of JSON, half an answer, an endless one)
//! becomes an [`Error`](nephoscope_telemetry::Error) that names the place and holds no secret.
//!
//! Nothing is tried again here, and nothing but what the connection string says is obeyed: no proxy of the
//! environment, no redirection.

mod answer;
mod client;
mod failure;
mod headers;
mod request;
mod tls;

pub use answer::{Answer, Incoming, MAX_ANSWER, Refusal};
pub use client::{Http, Meaning, OPTIONS, basic_auth, connect_timeout, timeout};
pub use headers::headers;
pub use request::{Request, path, segment};
pub use reqwest::{Method, StatusCode, header};

#[cfg(test)]
mod tests;
