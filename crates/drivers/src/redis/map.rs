//! Which node of a cluster has which keys.

use std::sync::Arc;

use redis::{ConnectionAddr, Value};

use super::config::{Address, Login};
use super::node::Node;
use super::slot::SLOTS;

/// The nodes that have keys, and what each has.
pub(super) struct Map {
    nodes: Vec<Arc<Node>>,
    /// Where each of the nodes is.
    addresses: Vec<ConnectionAddr>,
    /// For each slot the position of its node.
    slots: Vec<Option<usize>>,
}

impl Map {
    /// From the answer to `CLUSTER SLOTS`: an array for each range, of its first slot, its last slot, and the nodes
    /// that have it, of which the first takes writes; a node is an array that begins with its name and its port.
    /// Nothing when it is of another form.
    pub(super) fn read(from: &ConnectionAddr, slots: &Value, login: &Login) -> Option<Self> {
        let Value::Array(ranges) = slots else { return None };
        let slots = vec![None; usize::from(SLOTS)];
        let mut map = Self { nodes: Vec::new(), addresses: Vec::new(), slots };
        for range in ranges {
            let Value::Array(range) = range else { return None };
            let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = range.as_slice() else {
                return None;
            };
            let number = map.add(address(from, master)?, login);
            let range = usize::try_from(*first).ok()?..=usize::try_from(*last).ok()?;
            map.slots.get_mut(range)?.fill(Some(number));
        }
        Some(map)
    }

    /// The position of the node at this address, which is a new one unless it is known.
    fn add(&mut self, address: ConnectionAddr, login: &Login) -> usize {
        let known = self.addresses.iter().position(|known| *known == address);
        known.unwrap_or_else(|| {
            self.nodes.push(Arc::new(Node::at(Address::At(address.clone()), login.clone())));
            self.addresses.push(address);
            self.nodes.len() - 1
        })
    }

    /// All nodes.
    pub(super) fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// Where they are.
    pub(super) fn addresses(&self) -> &[ConnectionAddr] {
        &self.addresses
    }

    /// The position of the node that has a slot; nothing while none has.
    pub(super) fn node(&self, slot: u16) -> Option<usize> {
        self.slots[usize::from(slot)]
    }

    /// The node at `host:port`, which may have no slot yet; nothing when that is no address.
    pub(super) fn node_at(&self, place: &str, login: &Login) -> Option<Arc<Node>> {
        let (host, port) = place.rsplit_once(':')?;
        let address = moved(self.addresses.first()?, host, port.parse().ok()?);
        let known = self.addresses.iter().position(|known| *known == address);
        Some(match known {
            Some(number) => self.nodes[number].clone(),
            None => Arc::new(Node::at(Address::At(address), login.clone())),
        })
    }
}

/// The address of a node. One that does not know its own name is where it was asked.
fn address(from: &ConnectionAddr, node: &[Value]) -> Option<ConnectionAddr> {
    let [name, Value::Int(port), ..] = node else { return None };
    let name = match name {
        Value::BulkString(name) => std::str::from_utf8(name).ok()?,
        Value::SimpleString(name) => name,
        Value::Nil => "",
        _ => return None,
    };
    Some(moved(from, name, u16::try_from(*port).ok()?))
}

/// The same at another place, spoken to in the same way.
fn moved(from: &ConnectionAddr, name: &str, to_port: u16) -> ConnectionAddr {
    let mut address = from.clone();
    if let ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } = &mut address {
        if !name.is_empty() {
            *host = name.trim_matches(['[', ']']).into();
        }
        *port = to_port;
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of an answer in which spaces stand for the ends of lines.
    fn read(answer: &str) -> Option<Map> {
        let value = redis::parse_redis_value(answer.replace(' ', "\r\n").as_bytes()).unwrap();
        Map::read(&ConnectionAddr::Tcp("seed".into(), 7000), &value, &Login::default())
    }

    #[test]
    fn ranges_of_slots_lead_to_the_first_node_of_each() {
        let two = "*2 *4 :0 :99 *3 $1 a :7001 $2 id *3 $1 b :7002 $2 id *3 :100 :16383 *3 $0  :7003 $2 id ";
        let map = read(two).unwrap();
        let nodes = [0, 99, 100, 16383].map(|slot| map.node(slot));
        assert_eq!(nodes, [Some(0), Some(0), Some(1), Some(1)]);
        let shown: Vec<String> = map.addresses().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a:7001", "seed:7003"]);
    }

    #[test]
    fn a_slot_that_nobody_has_has_no_node() {
        let map = read("*1 *3 :1 :2 *2 $1 a :7001 ").unwrap();
        assert_eq!([0, 1, 3].map(|slot| map.node(slot)), [None, Some(0), None]);
    }

    #[test]
    fn a_map_of_another_form_is_refused() {
        for ranges in [":0 :1", ":0 :99999 *2 $1 a :7001", ":-1 :2 *2 $1 a :7001", ":1 :2 *1 $1 a"] {
            let answer = format!("*1 *{} {ranges} ", ranges.matches(':').count().min(3));
            assert!(read(&answer).is_none(), "{answer}");
        }
        assert!(read(":1 ").is_none());
    }

    #[test]
    fn a_redirection_leads_to_a_known_node_or_a_new_one() {
        let map = read("*1 *3 :0 :16383 *2 $1 a :7001 ").unwrap();
        assert!(Arc::ptr_eq(&map.node_at("a:7001", &Login::default()).unwrap(), &map.nodes()[0]));
        assert!(map.node_at("b:7009", &Login::default()).is_some());
        assert!(map.node_at("b", &Login::default()).is_none());
    }
}
