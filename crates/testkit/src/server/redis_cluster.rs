//! A Redis Cluster.

use std::time::{Duration, Instant};

use super::{Missing, PASSWORD_ENCODED, RedisOptions, RedisServer, Server};

/// Three private Redis nodes with a third of the keys each, and a replica of the first.
///
/// As a [`Server`] it is all of them together.
#[derive(Debug)]
pub struct RedisCluster {
    masters: Vec<RedisServer>,
    replica: RedisServer,
    options: RedisOptions,
}

const SLOTS: u16 = 16384;
/// Forming or mending a cluster takes some seconds; what takes longer hangs.
const TIMEOUT: Duration = Duration::from_secs(60);

impl RedisCluster {
    /// Starts the four, like this, and makes a cluster of them.
    pub fn start_with(options: RedisOptions) -> Result<Self, Missing> {
        let options = RedisOptions { cluster: true, ..options };
        let first = RedisServer::start_with(options)?;
        let start = || RedisServer::start_as(options, Some(&first));
        let (second, third, replica) = (start()?, start()?, start()?);
        let cluster = Self { masters: vec![first, second, third], replica, options };
        for (number, node) in (0..).zip(&cluster.masters) {
            let [first, last] = [number, number + 1].map(|third| third * (SLOTS / 3 + 1));
            let last = last.min(SLOTS) - 1;
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
            node.command(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]);
        }
        for node in cluster.masters[1..].iter().chain([&cluster.replica]) {
            cluster.masters[0].meet(node);
        }
        let id = cluster.masters[0].command(&["CLUSTER", "MYID"]);
        wait_until("the replica follows", || cluster.replica.command(&["CLUSTER", "REPLICATE", &id]) == "OK");
        cluster.wait();
        Ok(cluster)
    }

    /// The connection string: the addresses of two of the nodes.
    pub fn url(&self) -> String {
        let login = if self.options.password { format!(":{PASSWORD_ENCODED}@") } else { String::new() };
        let [one, other] = [1, 2].map(|number| self.masters[number].port());
        let nodes = format!("{login}127.0.0.1:{one},127.0.0.1:{other}");
        match self.masters[0].ca_file() {
            Some(file) => format!("rediss-cluster://{nodes}?ssl_ca_certs={}", file.display()),
            None => format!("redis-cluster://{nodes}"),
        }
    }

    /// The nodes that take writes.
    pub fn masters(&self) -> &[RedisServer] {
        &self.masters
    }

    /// Forgets all keys.
    pub fn flush(&self) {
        for node in &self.masters {
            node.command(&["FLUSHALL"]);
        }
    }

    /// Kills the first master and waits until the replica has its place.
    pub fn fail_over(&mut self) {
        self.masters[0].kill();
        wait_until("the replica is promoted", || self.replica.command(&["ROLE"]).starts_with("master"));
        std::mem::swap(&mut self.masters[0], &mut self.replica);
        wait_until("the cluster is whole again", || self.masters.iter().all(is_ok));
    }

    /// Begins to give the slot of a key, which is the second node's, to the third: until it is
    /// [given](Self::give_slot), keys that are not there yet are the third's.
    pub fn offer_slot(&self, key: &str) {
        let slot = self.masters[1].command(&["CLUSTER", "KEYSLOT", key]);
        let [from, to] = [1, 2].map(|number| self.masters[number].command(&["CLUSTER", "MYID"]));
        assert_eq!(self.masters[2].command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from]), "OK");
        assert_eq!(self.masters[1].command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to]), "OK");
    }

    /// Ends what [`offer_slot`](Self::offer_slot) began.
    pub fn give_slot(&self, key: &str) {
        let slot = self.masters[1].command(&["CLUSTER", "KEYSLOT", key]);
        let to = self.masters[2].command(&["CLUSTER", "MYID"]);
        for node in [2, 1, 0] {
            assert_eq!(self.masters[node].command(&["CLUSTER", "SETSLOT", &slot, "NODE", &to]), "OK");
        }
    }

    fn wait(&self) {
        let nodes = || self.masters.iter().chain([&self.replica]);
        wait_until("the cluster is whole", || nodes().all(is_ok));
        wait_until("the replica is one", || self.replica.command(&["ROLE"]).contains("connected"));
    }
}

fn is_ok(node: &RedisServer) -> bool {
    let info = node.command(&["CLUSTER", "INFO"]);
    info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:4")
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !holds() {
        assert!(Instant::now() < deadline, "it never comes that {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Server for RedisCluster {
    fn kill(&mut self) {
        for node in self.masters.iter_mut().chain([&mut self.replica]) {
            node.kill();
        }
    }

    fn restart(&mut self) {
        for node in self.masters.iter_mut().chain([&mut self.replica]) {
            node.restart();
        }
        self.wait();
    }

    fn log(&self) -> String {
        let nodes = self.masters.iter().chain([&self.replica]);
        nodes.map(Server::log).collect::<Vec<_>>().join("\n")
    }
}
