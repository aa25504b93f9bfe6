//! Where commands go: to the one server there is, or to the nodes of a cluster.

use std::sync::Arc;

use nephoscope_telemetry::{Error, Result};
use redis::{Pipeline, RedisError};

use super::cluster::Cluster;
use super::config::{Server, Settings};
use super::node::{Answer, Node};

/// All that holds the traces of a driver.
#[derive(Debug)]
pub(super) enum Connection {
    /// A server with all keys.
    One(Arc<Node>),
    /// Servers with a part of the keys each.
    Cluster(Cluster),
}

impl Connection {
    /// Connects, so that a wrong address or login is told at once.
    pub(super) async fn open(settings: Settings) -> Result<Self> {
        match settings.server {
            Server::One(address) => Ok(Self::One(Arc::new(Node::open(address, settings.login).await?))),
            Server::Cluster(seeds) => Ok(Self::Cluster(Cluster::open(seeds, settings.login).await?)),
        }
    }

    /// Sends commands and returns the answer to each. The first argument of each is its only key.
    pub(super) async fn run(&self, operation: &'static str, commands: &Pipeline) -> Result<Vec<Answer>> {
        match self {
            Self::One(node) => node.run(operation, commands).await,
            Self::Cluster(cluster) => cluster.run(operation, commands).await,
        }
    }

    /// The servers that hold every key once among them.
    pub(super) async fn nodes(&self, operation: &'static str) -> Result<Vec<Arc<Node>>> {
        match self {
            Self::One(node) => Ok(vec![node.clone()]),
            Self::Cluster(cluster) => cluster.nodes(operation).await,
        }
    }

    /// The error of an operation that one of its commands had this answer to.
    pub(super) fn refusal(&self, operation: &'static str, answer: &RedisError) -> Error {
        match self {
            Self::One(node) => node.refusal(operation, answer),
            Self::Cluster(cluster) => cluster.refusal(operation, answer),
        }
    }
}
