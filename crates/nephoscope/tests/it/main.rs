//! The binary as its users run it.

mod commands;
mod daemon;
mod documents;
mod files;
mod http;
mod program;
mod serve;
mod show;
