//! The binary as its users run it.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test is a failed test")]

mod abuse;
mod commands;
mod crash;
mod daemon;
mod doctor;
mod documents;
mod files;
mod http;
mod import;
mod otlp;
mod policy;
mod program;
mod sample;
mod samples;
mod serve;
mod show;
mod store;
mod systemd;
