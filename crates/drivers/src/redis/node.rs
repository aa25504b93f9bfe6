//! The connection with one server, replaced when it breaks.

use std::fmt;

use nephoscope_telemetry::{Error, Result};
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo, Pipeline,
    RedisConnectionInfo, RedisError, Value, cmd,
};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::config::{Address, Login};
use super::failure::{NO_PERMISSION, ends_connection, failure, too_slow};
use super::sentinel;

const CONNECT: &str = "connect";

/// What the server answered to one command of several.
pub(super) type Answer = std::result::Result<Value, RedisError>;

/// The answer that a value is, which is an error of the server or not.
pub(super) fn answer(value: Value) -> Answer {
    match value {
        Value::ServerError(error) => Err(error.into()),
        value => Ok(value),
    }
}

/// A connection that all operations share, each seeing only its own answers.
///
/// An operation that finds it broken fails, and the next one opens another: to the same address, or to whom the
/// sentinels then call the master.
pub(super) struct Node {
    address: Address,
    login: Login,
    /// Held while a connection is opened, so that operations which need one wait for it in place of opening each
    /// their own; hence a lock that can be held across an await.
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    /// Nothing until it is opened, and after it broke.
    connection: Option<MultiplexedConnection>,
    /// Counts the connections, to tell the one that broke from the one opened since.
    number: u64,
}

impl Node {
    /// Opens the first connection.
    pub(super) async fn open(address: Address, login: Login) -> Result<Self> {
        let node = Self::at(address, login);
        node.check(CONNECT).await?;
        Ok(node)
    }

    /// One that is connected when it is first used.
    pub(super) fn at(address: Address, login: Login) -> Self {
        Self { address, login, current: Mutex::default() }
    }

    /// Connects unless it is connected.
    pub(super) async fn check(&self, operation: &'static str) -> Result<()> {
        self.opened(operation).await.map(drop)
    }

    /// Sends commands together and returns the answer to each.
    pub(super) async fn run(&self, operation: &'static str, commands: &Pipeline) -> Result<Vec<Answer>> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let (mut connection, number) = self.opened(operation).await?;
        match connection.send_packed_commands(commands, 0, commands.len()).await {
            Ok(values) => {
                let answers: Vec<Answer> = values.into_iter().map(answer).collect();
                if answers.iter().any(|answer| answer.as_ref().is_err_and(ends_connection)) {
                    self.forget(number).await;
                }
                Ok(answers)
            }
            Err(error) => Err(self.broken(operation, number, &error).await),
        }
    }

    /// Sends one command and returns its answer.
    pub(super) async fn ask<T: FromRedisValue>(&self, operation: &'static str, command: &Cmd) -> Result<T> {
        let (mut connection, number) = self.opened(operation).await?;
        match command.query_async(&mut connection).await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.broken(operation, number, &error).await),
        }
    }

    /// The error of an operation that one of its commands had this answer to.
    pub(super) fn refusal(&self, operation: &'static str, answer: &RedisError) -> Error {
        failure(operation, &self.address, answer)
    }

    async fn broken(&self, operation: &'static str, number: u64, error: &RedisError) -> Error {
        if ends_connection(error) {
            self.forget(number).await;
        }
        self.refusal(operation, error)
    }

    async fn forget(&self, number: u64) {
        let mut current = self.current.lock().await;
        if current.number == number {
            current.connection = None;
        }
    }

    /// The connection and its number. However many wait for a new one, and however the server fails to answer, this
    /// ends within the time to connect.
    async fn opened(&self, operation: &'static str) -> Result<(MultiplexedConnection, u64)> {
        let opening = async {
            let mut current = self.current.lock().await;
            let connection = match &current.connection {
                Some(connection) => connection.clone(),
                None => {
                    let connection = self.connect(operation).await?;
                    current.number += 1;
                    current.connection.insert(connection).clone()
                }
            };
            Ok((connection, current.number))
        };
        let ended = timeout(self.login.connect_timeout, opening).await;
        ended.unwrap_or_else(|_| Err(too_slow(operation, &self.address)))
    }

    async fn connect(&self, operation: &'static str) -> Result<MultiplexedConnection> {
        let (address, proof) = match &self.address {
            Address::At(address) => (address.clone(), cmd("PING")),
            Address::Sentinels(sentinels) => {
                (sentinel::master(operation, sentinels, &self.login).await?, cmd("ROLE"))
            }
        };
        let mut connection = dial(operation, &address, &self.login).await?;
        let answers = log_in(&mut connection, &self.login, proof).await;
        let proof = answers.map_err(|error| failure(operation, &address, &error))?;
        if sentinel::is_replica(&proof) {
            return Err(sentinel::demoted(operation, &address));
        }
        Ok(connection)
    }
}

/// Opens a connection that nobody has logged in to.
pub(super) async fn dial(
    operation: &'static str,
    address: &ConnectionAddr,
    login: &Login,
) -> Result<MultiplexedConnection> {
    let dialling = async {
        // Who logs in, and to which database, is said afterwards: there every answer of the server is seen.
        let bare = RedisConnectionInfo::default().set_skip_set_lib_name();
        let to = address.clone().into_connection_info()?.set_redis_settings(bare);
        let client = Client::open(to.set_tcp_settings(TcpSettings::default().set_nodelay(true)))?;
        // The caller limits the time to connect.
        let limits = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(Some(login.response_timeout));
        client.get_multiplexed_async_connection_with_config(&limits).await
    };
    dialling.await.map_err(|error| failure(operation, address, &error))
}

/// Says who we are and what we want, and returns the answer to the last command, which proves that it was accepted.
async fn log_in(connection: &mut MultiplexedConnection, login: &Login, proof: Cmd) -> Answer {
    let mut commands = Pipeline::new();
    if let Some(password) = &login.password {
        commands.cmd("AUTH").arg(login.user.as_deref()).arg(password);
    }
    if let Some(name) = &login.client_name {
        commands.cmd("CLIENT").arg("SETNAME").arg(name);
    }
    if login.db != 0 {
        commands.cmd("SELECT").arg(login.db);
    }
    commands.add_command(proof);
    let mut last = Value::Nil;
    for value in connection.send_packed_commands(&commands, 0, commands.len()).await? {
        last = match answer(value) {
            // A user may be allowed what the driver does and not what is asked here.
            Err(error) if error.code() == Some(NO_PERMISSION) => Value::Nil,
            answer => answer?,
        };
    }
    Ok(last)
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({})", self.address)
    }
}
