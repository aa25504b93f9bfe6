//! Who the master is, by the word of sentinels.

use std::fmt;

use nephoscope_telemetry::{Error, ErrorKind, Result};
use redis::{ConnectionAddr, Pipeline, RedisError, Value, cmd, from_redis_value};

use super::config::Login;
use super::failure::{failure, too_slow};
use super::node::{answer, dial};

/// The sentinels of a service.
pub(super) struct Sentinels {
    pub(super) addresses: Vec<ConnectionAddr>,
    /// What they call the master.
    pub(super) service: String,
    /// Their own password, not the master's.
    pub(super) password: Option<String>,
}

/// Asks one sentinel after the other. When none knows, the error is that of one that answered, if any did.
pub(super) async fn master(
    operation: &'static str,
    sentinels: &Sentinels,
    login: &Login,
) -> Result<ConnectionAddr> {
    let mut telling: Option<Error> = None;
    for address in &sentinels.addresses {
        // An address that swallows packets leaves the others their share of the time to connect.
        let share = login.connect_timeout / u32::try_from(sentinels.addresses.len() + 1).unwrap_or(u32::MAX);
        let asked = tokio::time::timeout(share, ask(operation, address, sentinels, login)).await;
        let error = match asked.unwrap_or_else(|_| Err(too_slow(operation, address))) {
            Ok(master) => return Ok(master),
            Err(error) => error,
        };
        tracing::debug!(sentinel = %address, error = &error as &dyn std::error::Error, "names no master");
        let answered = |error: &Error| error.kind() != ErrorKind::Unavailable;
        if telling.as_ref().is_none_or(|earlier| !answered(earlier) && answered(&error)) {
            telling = Some(error);
        }
    }
    Err(telling.expect("the settings name a sentinel"))
}

async fn ask(
    operation: &'static str,
    address: &ConnectionAddr,
    sentinels: &Sentinels,
    login: &Login,
) -> Result<ConnectionAddr> {
    let mut connection = dial(operation, address, login).await?;
    let mut commands = Pipeline::new();
    if let Some(password) = &sentinels.password {
        commands.cmd("AUTH").arg(password);
    }
    commands.add_command(cmd("SENTINEL"));
    commands.arg("GET-MASTER-ADDR-BY-NAME").arg(&sentinels.service);
    let asked = async {
        let mut last = Value::Nil;
        for value in connection.send_packed_commands(&commands, 0, commands.len()).await? {
            last = answer(value)?;
        }
        Ok::<Option<(String, u16)>, RedisError>(from_redis_value(last)?)
    };
    match asked.await {
        Ok(Some((host, port))) => Ok(ConnectionAddr::Tcp(host, port)),
        Ok(None) => Err(unknown(operation, address, sentinels)),
        Err(error) => Err(failure(operation, address, &error)),
    }
}

fn unknown(operation: &'static str, address: &ConnectionAddr, sentinels: &Sentinels) -> Error {
    let service = &sentinels.service;
    let problem =
        format!("the sentinel at {address} knows no master `{service}`; name it by sentinel_service_name");
    Error::new(ErrorKind::Config, operation, problem)
}

/// Whether this answer to `ROLE` is that of a server which follows another.
pub(super) fn is_replica(role: &Value) -> bool {
    let Value::Array(role) = role else { return false };
    matches!(role.first(), Some(Value::BulkString(name)) if name == b"slave")
}

/// The error of a master that is none: the sentinels are about to learn it.
pub(super) fn demoted(operation: &'static str, address: &ConnectionAddr) -> Error {
    let problem = format!("Redis at {address} is a replica, though the sentinels call it the master");
    Error::new(ErrorKind::Unavailable, operation, problem)
}

impl fmt::Display for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the master `{}` of sentinel", self.service)?;
        for (at, address) in self.addresses.iter().enumerate() {
            write!(f, "{} {address}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}
