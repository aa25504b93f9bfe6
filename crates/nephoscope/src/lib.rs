//! The binary's insides: commands, configuration, wiring.

pub mod show;
