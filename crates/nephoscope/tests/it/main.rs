//! The binary as its users run it.

mod commands;
mod daemon;
mod files;
mod http;
mod program;
mod serve;
mod show;
