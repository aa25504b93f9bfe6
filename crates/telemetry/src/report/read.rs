//! A saved report, read back.

use indexmap::IndexMap;
use smallvec::SmallVec;
use smol_str::SmolStr;

use super::{Node, Payload, Report, Stat};
use crate::json::{self, InvalidJson, Scanner};
use crate::{Id, Json, Timestamp};

const PAYLOAD: &str = "meta.raw_payload.";

/// A text that is no saved report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReport {
    /// It is no JSON.
    #[error("is not JSON: {0}")]
    Json(#[from] InvalidJson),
    /// It is JSON, but something in it is not as in a report.
    #[error("is no report: {0}")]
    Shape(&'static str),
}

/// An object that is being read: the whole report, or a node.
struct Open {
    node: Option<usize>,
    inside_children: bool,
    first: bool,
}

impl Report {
    /// Reads what [`write_json`](Self::write_json) or `osprofiler trace show --json` wrote. Names and times are those
    /// of the file: nothing is computed again.
    pub fn from_json(text: &str) -> Result<Self, InvalidReport> {
        let mut report = Self {
            nodes: Vec::new(),
            roots: Vec::new(),
            base_id: None,
            earliest: None,
            finished_ms: None,
            last_trace_started_ms: None,
            stats: IndexMap::new(),
            points: Vec::new(),
            unreachable: 0,
        };
        let mut scanner = Scanner::new(text);
        scanner.expect(b'{', "expected an object")?;
        let mut open = vec![Open { node: None, inside_children: false, first: true }];
        let mut has_children = false;
        while let Some(object) = open.last_mut() {
            let closing = if object.inside_children { b']' } else { b'}' };
            if scanner.eat(closing) {
                if object.inside_children {
                    object.inside_children = false;
                    object.first = false;
                } else {
                    open.pop();
                }
                continue;
            }
            if !std::mem::replace(&mut object.first, false) {
                scanner.expect(b',', "expected a comma or the end of the object or array")?;
            }
            if object.inside_children {
                scanner.expect(b'{', "expected a node of the tree")?;
                let node = report.add_node(object.node);
                open.push(Open { node: Some(node), inside_children: false, first: true });
                continue;
            }
            let key = scanner.key()?;
            if key == "children" {
                scanner.expect(b'[', "expected the list of children")?;
                object.inside_children = true;
                object.first = true;
                has_children |= object.node.is_none();
            } else {
                let value = scanner.value()?;
                report.take(object.node, &key, value)?;
            }
        }
        scanner.end()?;
        if !has_children {
            return Err(InvalidReport::Shape("it has no `children`"));
        }
        report.base_id = report.nodes.iter().find_map(Node::saved_base_id);
        report.add_micros();
        Ok(report)
    }

    fn add_node(&mut self, parent: Option<usize>) -> usize {
        let at = self.nodes.len();
        let number = u32::try_from(at).expect("a text of that many nodes does not fit into memory");
        match parent {
            Some(parent) => self.nodes[parent].children.push(number),
            None => self.roots.push(number),
        }
        self.nodes.push(Node::unread());
        at
    }

    fn take(&mut self, node: Option<usize>, key: &str, value: &str) -> Result<(), InvalidReport> {
        match (node, key) {
            (None, "info") => {
                for (key, value) in json::entries(value) {
                    match &*key {
                        "finished" => self.finished_ms = value.parse().ok(),
                        "last_trace_started" => self.last_trace_started_ms = value.parse().ok(),
                        _ => {}
                    }
                }
            }
            (None, "stats") => {
                for (name, stat) in json::entries(value) {
                    self.stats.insert(name.into(), read_stat(stat));
                }
            }
            (Some(at), "info") => self.nodes[at].take_info(value)?,
            (Some(at), "trace_id") => self.nodes[at].trace_id = read_id(value),
            (Some(at), "parent_id") => self.nodes[at].parent_id = read_id(value),
            _ => {}
        }
        Ok(())
    }

    /// Finds the microseconds of all nodes in their payloads, where every one of them has its time.
    fn add_micros(&mut self) {
        let times: Vec<_> = self.nodes.iter().map(Node::saved_times).collect();
        let origin = times.iter().flat_map(|&(started, finished)| [started, finished]).flatten().min();
        self.earliest = origin.map(Timestamp::from_micros);
        for (node, (started, finished)) in self.nodes.iter_mut().zip(times) {
            let exact = |time: Option<i64>, ms: i64| match (time, origin) {
                (Some(time), Some(origin)) if (time - origin) / 1000 == ms => time - origin,
                _ => ms.saturating_mul(1000),
            };
            node.started_us = exact(started.or(finished), node.started_ms);
            node.finished_us = exact(finished.or(started), node.finished_ms);
        }
    }
}

impl Node {
    fn unread() -> Self {
        Self {
            trace_id: Id::new(""),
            parent_id: Id::new(""),
            name: SmolStr::default(),
            project: None,
            service: None,
            host: None,
            started_ms: 0,
            finished_ms: 0,
            started_us: 0,
            finished_us: 0,
            exception: None,
            has_start: false,
            payloads: SmallVec::new(),
            children: Vec::new(),
        }
    }

    fn take_info(&mut self, info: &str) -> Result<(), InvalidReport> {
        let text = |value| json::decode(value).map(SmolStr::from);
        for (key, value) in json::entries(info) {
            match &*key {
                "name" => self.name = text(value).ok_or(InvalidReport::Shape("a name is no string"))?,
                "project" => self.project = text(value),
                "service" => self.service = text(value),
                "host" => self.host = text(value),
                "started" => self.started_ms = read_ms(value)?,
                "finished" => self.finished_ms = read_ms(value)?,
                "exception" => self.exception = Some(Json::from_checked(value)),
                key => {
                    if let Some(name) = key.strip_prefix(PAYLOAD) {
                        self.has_start |= !name.ends_with("stop");
                        let saved = (name.into(), Json::from_checked(value));
                        self.payloads.push(Payload::Saved(Box::new(saved)));
                    }
                }
            }
        }
        Ok(())
    }

    fn saved_base_id(&self) -> Option<Id> {
        self.payloads.iter().find_map(|payload| match payload {
            Payload::Saved(saved) => saved.1.get("base_id").map(read_id),
            Payload::Point(_) => None,
        })
    }

    fn saved_times(&self) -> (Option<i64>, Option<i64>) {
        let mut times = (None, None);
        for payload in &self.payloads {
            let Payload::Saved(saved) = payload else { continue };
            let time = saved.1.get_str("timestamp").and_then(|text| Timestamp::parse(&text).ok());
            let slot = if saved.0.ends_with("stop") { &mut times.1 } else { &mut times.0 };
            *slot = time.map(Timestamp::as_micros).or(*slot);
        }
        times
    }
}

fn read_id(value: &str) -> Id {
    json::decode(value).map_or_else(|| Id::new(value), |text| Id::new(&text))
}

fn read_ms(value: &str) -> Result<i64, InvalidReport> {
    value.parse().map_err(|_| InvalidReport::Shape("`started` and `finished` are whole milliseconds"))
}

fn read_stat(stat: &str) -> Stat {
    let mut read = Stat::default();
    for (key, value) in json::entries(stat) {
        match &*key {
            "count" => read.count = value.parse().unwrap_or_default(),
            "duration" => read.duration_ms = value.parse().unwrap_or_default(),
            _ => {}
        }
    }
    read
}
