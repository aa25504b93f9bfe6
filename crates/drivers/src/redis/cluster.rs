//! The nodes of a Redis Cluster, and which of them a command is for.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::try_join_all;
use nephoscope_telemetry::{Error, ErrorKind, Result};
use redis::{Arg, Cmd, ConnectionAddr, Pipeline, RedisError, ServerErrorKind};
use tokio::sync::Mutex;

use super::config::{Address, Login};
use super::failure::failure;
use super::map::Map;
use super::node::{Answer, Node};
use super::slot;

/// How often commands are sent on to where the cluster says their keys are. Each time another slot may be moving;
/// nothing moves five times in a row.
const REDIRECTIONS: usize = 5;

/// A cluster that some of its nodes are known of.
pub(super) struct Cluster {
    seeds: Vec<ConnectionAddr>,
    login: Login,
    /// Held while a map is asked for, so that many operations ask once.
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    /// Nothing until it is asked for, and after it was found to be wrong.
    map: Option<Arc<Map>>,
    /// Where the nodes of the last map were.
    known: Vec<ConnectionAddr>,
}

/// Commands on their way to one node, each with its position among all.
type Batch = (Pipeline, Vec<usize>);

impl Cluster {
    /// Asks for the nodes, and connects with each.
    pub(super) async fn open(seeds: Vec<ConnectionAddr>, login: Login) -> Result<Self> {
        let cluster = Self { seeds, login, current: Mutex::default() };
        let nodes = cluster.nodes("connect").await?;
        try_join_all(nodes.iter().map(|node| node.check("connect"))).await?;
        Ok(cluster)
    }

    /// The nodes that have keys.
    pub(super) async fn nodes(&self, operation: &'static str) -> Result<Vec<Arc<Node>>> {
        Ok(self.map(operation).await?.nodes().to_vec())
    }

    /// Sends each command to the node that has its key. Those for one node go together and in their order.
    pub(super) async fn run(&self, operation: &'static str, commands: &Pipeline) -> Result<Vec<Answer>> {
        let commands: Vec<&Cmd> = commands.cmd_iter().collect();
        let mut answers: Vec<Option<Answer>> = commands.iter().map(|_| None).collect();
        let mut waiting: Vec<usize> = (0..commands.len()).collect();
        for _ in 0..REDIRECTIONS {
            let map = self.map(operation).await?;
            let sent = match self.send(operation, &map, &commands, &waiting).await {
                Ok(sent) => sent,
                Err(error) => {
                    self.forget(&map).await;
                    return Err(error);
                }
            };
            waiting.clear();
            for (position, answer) in sent.into_iter().flatten() {
                match answer {
                    Err(error) if is_moved(&error) => waiting.push(position),
                    answer => answers[position] = Some(answer),
                }
            }
            if waiting.is_empty() {
                let answers = answers.into_iter();
                return Ok(answers.map(|answer| answer.expect("no command is waiting")).collect());
            }
            waiting.sort_unstable();
            self.forget(&map).await;
        }
        Err(self.error(operation, "keeps on moving its keys"))
    }

    async fn send(
        &self,
        operation: &'static str,
        map: &Map,
        commands: &[&Cmd],
        positions: &[usize],
    ) -> Result<Vec<Vec<(usize, Answer)>>> {
        let mut batches: HashMap<usize, Batch> = HashMap::new();
        for &position in positions {
            let slot = slot::of(key(commands[position]));
            let node = map.node(slot);
            let node = node.ok_or_else(|| self.error(operation, format!("has no node for slot {slot}")))?;
            let (batch, of) = batches.entry(node).or_default();
            batch.add_command(commands[position].clone());
            of.push(position);
        }
        let batches = batches.into_iter().map(async |(node, (batch, of))| {
            let answers = map.nodes()[node].run(operation, &batch).await?;
            let mut answered = Vec::with_capacity(of.len());
            for (position, answer) in of.into_iter().zip(answers) {
                answered.push((position, self.follow(operation, map, commands[position], answer).await?));
            }
            Ok(answered)
        });
        try_join_all(batches).await
    }

    /// Asks whom a node names for this once, while a slot is on its way from one to the other.
    async fn follow(
        &self,
        operation: &'static str,
        map: &Map,
        command: &Cmd,
        answer: Answer,
    ) -> Result<Answer> {
        let is_ask = |error: &&RedisError| error.kind() == redis::ErrorKind::Server(ServerErrorKind::Ask);
        let Some((to, _)) = answer.as_ref().err().filter(is_ask).and_then(RedisError::redirect_node) else {
            return Ok(answer);
        };
        let Some(node) = map.node_at(to, &self.login) else { return Ok(answer) };
        let mut asking = Pipeline::new();
        asking.cmd("ASKING").add_command(command.clone());
        let answers = node.run(operation, &asking).await?;
        Ok(answers.into_iter().last().expect("each of the two commands is answered"))
    }

    /// The error of an operation that one of its commands had this answer to.
    pub(super) fn refusal(&self, operation: &'static str, answer: &RedisError) -> Error {
        failure(operation, self, answer)
    }

    fn error(&self, operation: &'static str, problem: impl fmt::Display) -> Error {
        Error::new(ErrorKind::Unavailable, operation, format!("Redis at {self} {problem}"))
    }

    /// The map, asked of the first node that answers: of those last known, then of those in the connection string.
    async fn map(&self, operation: &'static str) -> Result<Arc<Map>> {
        let mut current = self.current.lock().await;
        if let Some(map) = &current.map {
            return Ok(map.clone());
        }
        let mut telling: Option<Error> = None;
        for address in current.known.iter().chain(&self.seeds) {
            match self.ask(operation, address).await {
                Ok(map) => {
                    let map = Arc::new(map);
                    current.known = map.addresses().to_vec();
                    current.map = Some(map.clone());
                    return Ok(map);
                }
                Err(error) if telling.is_none() || error.kind() != ErrorKind::Unavailable => {
                    telling = Some(error);
                }
                Err(_) => {}
            }
        }
        Err(telling.expect("the settings name a node"))
    }

    async fn ask(&self, operation: &'static str, address: &ConnectionAddr) -> Result<Map> {
        let node = Node::at(Address::At(address.clone()), self.login.clone());
        let mut commands = Pipeline::new();
        commands.cmd("CLUSTER").arg("SLOTS");
        match node.run(operation, &commands).await?.pop() {
            Some(Ok(slots)) => Map::read(address, &slots, &self.login).ok_or_else(|| {
                let problem = format!("Redis at {address} describes its cluster in a way we do not know");
                Error::new(ErrorKind::Unsupported, operation, problem)
            }),
            Some(Err(error)) => Err(failure(operation, address, &error)),
            None => Err(self.error(operation, "gives no answer")),
        }
    }

    async fn forget(&self, map: &Arc<Map>) {
        let mut current = self.current.lock().await;
        current.map.take_if(|current| Arc::ptr_eq(current, map));
    }
}

/// The key of a command, which is its first argument.
fn key(command: &Cmd) -> &[u8] {
    match command.args_iter().nth(1) {
        Some(Arg::Simple(key)) => key,
        _ => panic!("every command has a key"),
    }
}

fn is_moved(error: &RedisError) -> bool {
    error.kind() == redis::ErrorKind::Server(ServerErrorKind::Moved)
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the cluster of")?;
        for (at, seed) in self.seeds.iter().enumerate() {
            write!(f, "{} {seed}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cluster({self})")
    }
}
