//! The publishers of the real Ceilometer.
//!
//! `cargo xtask servers` makes their environment below `target/peers`.

use crate::gnocchi::script;
use crate::server::{Missing, run};

/// Sends two samples, `cpu` and `memory.usage`, with the publisher of each connection string, signed with the secret: those
/// of the first are of the instance whose id ends with 1, those of the second of that with 2. See
/// `python/ceilometer_publishers.py`.
pub fn publish(secret: &str, urls: &[&str]) -> Result<(), Missing> {
    let mut command = script("gnocchiclient", "ceilometer_publishers.py")?;
    command.arg(secret).args(urls);
    run(command);
    Ok(())
}
