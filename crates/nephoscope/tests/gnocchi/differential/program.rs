//! Random programs of API calls. What comes next depends on the seed and on what the real Gnocchi answered, so that a program
//! is the same in every run.

use std::collections::{BTreeSet, VecDeque};

use nephoscope_testkit::random::Random;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::spoil::spoiled;
use crate::conversation::{Answer, Request};

/// Who asks, mostly: the one that basic authentication lets do everything.
pub(super) const ADMIN: &str = "basic YWRtaW46";
/// Somebody else.
const SOMEBODY: &str = "basic Zm9vYmFyOg==";
/// What follows a metric where its measures are to be processed before they are read.
pub(super) const REFRESHED: &str = "/measures?refresh=true";
/// Of a hundred bodies, how many are spoiled.
const SPOILED: usize = 7;

/// A call, and how its answer is to be looked at.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) request: Request,
    /// The order of what is in the answer says nothing.
    pub(super) unordered: bool,
    /// Other programs left things that are listed too.
    pub(super) only_own: bool,
}

/// An attribute of a resource type of this program.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) kind: &'static str,
}

/// A resource type of this program.
#[derive(Clone, Debug)]
pub(super) struct Type {
    pub(super) name: String,
    pub(super) attributes: Vec<Attribute>,
}

/// A resource as this program names it.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) resource_type: String,
    pub(super) id: String,
}

/// A program, and what it knows of what is there by now. Some of it may be wrong: that is what errors come of.
pub(super) struct Program {
    pub(super) random: Random,
    /// What the names of everything in it begin with.
    pub(super) prefix: String,
    pub(super) policies: Vec<String>,
    pub(super) rules: Vec<String>,
    pub(super) types: Vec<Type>,
    pub(super) resources: Vec<Resource>,
    /// Ids of metrics, as the real Gnocchi gave them.
    pub(super) metrics: Vec<String>,
    /// Ids of resources that were changed as `generic`, though they have a type.
    pub(super) changed_as_generic: BTreeSet<String>,
    known: BTreeSet<String>,
    /// Calls that follow from others.
    pub(super) next: VecDeque<Step>,
    names: usize,
    /// The latest time of a measure, in seconds since [`EPOCH`](super::measures::EPOCH).
    pub(super) clock: i64,
}

impl Program {
    pub(super) fn new(seed: u64) -> Self {
        let mut program = Self {
            random: Random::new(seed),
            prefix: format!("p{seed}"),
            policies: Vec::new(),
            rules: Vec::new(),
            types: Vec::new(),
            resources: Vec::new(),
            metrics: Vec::new(),
            changed_as_generic: BTreeSet::new(),
            known: BTreeSet::new(),
            next: VecDeque::new(),
            names: 0,
            clock: 0,
        };
        program.begin();
        program
    }

    /// Enough that later calls have something to work with.
    fn begin(&mut self) {
        for _ in 0..3 {
            self.create_policy(false);
        }
        self.create_rule(false);
        for _ in 0..2 {
            self.create_type(false);
        }
        for _ in 0..5 {
            self.create_resource(false);
        }
        for _ in 0..3 {
            self.create_metric(false);
        }
    }

    /// The next call.
    pub(super) fn step(&mut self) -> Step {
        loop {
            if let Some(step) = self.next.pop_front() {
                return step;
            }
            self.plan();
        }
    }

    fn plan(&mut self) {
        match self.random.below(100) {
            0..6 => self.any_policy_call(),
            6..9 => self.any_rule_call(),
            9..15 => self.any_type_call(),
            15..37 => self.any_resource_call(),
            37..45 => self.any_metric_call(),
            45..66 => self.any_measures_call(),
            66..78 => self.read_measures(),
            78..83 => self.search_values(),
            83..88 => self.any_aggregation_call(),
            88..98 => self.aggregates(),
            _ => self.strange_call(),
        }
    }

    /// Takes in what the real Gnocchi answered to a request.
    pub(super) fn learn_of(&mut self, request: &Request, status: u16, answer: &Value) {
        let changes = request.method == "PATCH" && request.target.starts_with("/v1/resource/generic/");
        if let (true, 200, Some(id)) = (changes, status, answer["id"].as_str()) {
            self.changed_as_generic.insert(id.to_owned());
        }
        self.learn(answer);
    }

    fn learn(&mut self, answer: &Value) {
        match answer {
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Object(fields) => {
                let is_metric =
                    fields.contains_key("archive_policy") || fields.contains_key("archive_policy_name");
                if let (true, Some(id)) = (is_metric, fields.get("id").and_then(Value::as_str)) {
                    self.learn_metric(id);
                }
                if let Some(Value::Object(metrics)) = fields.get("metrics") {
                    for id in metrics.values().filter_map(Value::as_str) {
                        self.learn_metric(id);
                    }
                }
                if let Some(resource) = fields.get("resource") {
                    self.learn(resource);
                }
            }
            _ => {}
        }
    }

    fn learn_metric(&mut self, id: &str) {
        if self.known.insert(id.to_owned()) {
            self.metrics.push(id.to_owned());
        }
    }

    /// A name that nothing in this program has yet.
    pub(super) fn fresh(&mut self, what: &str) -> String {
        self.names += 1;
        format!("{}-{what}-{}", self.prefix, self.names)
    }

    pub(super) fn metric(&mut self) -> String {
        if self.metrics.is_empty() || self.random.chance(3) {
            return "5a301761-aaaa-46e2-8900-8b4f6fe6675a".into();
        }
        self.random.one_of(&self.metrics).clone()
    }

    pub(super) fn policy(&mut self) -> String {
        if self.random.chance(3) { "nosuch".into() } else { self.random.one_of(&self.policies).clone() }
    }

    pub(super) fn resource_type(&mut self) -> Type {
        match self.random.below(20) {
            0 => Type { name: "nosuch".into(), attributes: Vec::new() },
            1..3 => Type { name: "generic".into(), attributes: Vec::new() },
            _ => self.random.one_of(&self.types).clone(),
        }
    }

    pub(super) fn resource(&mut self) -> Resource {
        let mut resource = self.random.one_of(&self.resources).clone();
        match self.random.below(20) {
            0 => resource.id = "nobody".into(),
            1 => resource.resource_type = self.resource_type().name,
            2..5 => resource.resource_type = "generic".into(),
            _ => {}
        }
        resource
    }

    pub(super) fn then(&mut self, method: &'static str, target: impl Into<String>) {
        self.push(method, target.into(), None, false, false);
    }

    /// Reads a metric when everything that it was sent is processed.
    pub(super) fn then_refresh(&mut self, metric: &str) {
        self.then("GET", format!("{metric}{REFRESHED}"));
        let Some(step) = self.next.back_mut() else { return };
        step.request.headers.retain(|(name, _)| *name != "Authorization");
        step.request.headers.push(("Authorization", ADMIN.to_owned()));
    }

    pub(super) fn then_list(&mut self, target: impl Into<String>, only_own: bool) {
        self.push("GET", target.into(), None, true, only_own);
    }

    pub(super) fn then_send(
        &mut self,
        method: &'static str,
        target: impl Into<String>,
        body: Value,
        spoil: bool,
    ) {
        let body = if spoil && self.random.chance(SPOILED) { spoiled(&mut self.random, body) } else { body };
        self.push(method, target.into(), Some(body), false, false);
    }

    fn push(
        &mut self,
        method: &'static str,
        target: String,
        body: Option<Value>,
        unordered: bool,
        only_own: bool,
    ) {
        let who = if self.random.chance(4) { SOMEBODY } else { ADMIN };
        let mut headers = vec![("Authorization", who.to_owned()), ("Accept", "application/json".to_owned())];
        if body.is_some() {
            headers.push(("Content-Type", content_type(method, &target).to_owned()));
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.next.push_back(Step { request: Request { method, target, headers, body }, unordered, only_own });
    }

    /// A call that no client makes on purpose. At its root Gnocchi answers any method, and below what has nothing below it as the
    /// library does that finds its way along paths: there the methods here are no others.
    fn strange_call(&mut self) {
        let metric = self.metric();
        let resource = self.resource();
        let of = self.resource_type().name;
        let named = format!(
            "/v1/resource/{}/{}/metric/{}",
            resource.resource_type,
            encoded(&resource.id),
            encoded(&self.metric_name())
        );
        let others = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let (method, target) = match self.random.below(18) {
            0 => ("GET", "/v1/nothing".into()),
            1 => ("GET", format!("/v1/metric/{metric}/nothing")),
            2 => ("GET", "/v1/metric/no-uuid".into()),
            3 => ("GET", format!("/v1/metric/{}", metric.to_uppercase())),
            4 => ("GET", "/v1/search/nothing".into()),
            5 => ("GET", "/v1".into()),
            6 => ("GET", "/".into()),
            7 => ("GET", "/v1/".into()),
            8 => (*self.random.one_of(&others), "/v1/capabilities".into()),
            9 => ("GET", "/v1/capabilities".into()),
            10 => (*self.random.one_of(&others[..3]), format!("/v1/metric/{metric}")),
            11 => (*self.random.one_of(&others[..3]), named),
            12 => ("GET", format!("{named}/nothing")),
            13 => ("PUT", format!("/v1/resource/{of}")),
            14 => (*self.random.one_of(&["GET", "PUT"]), format!("/v1/search/resource/{of}")),
            15 => ("PUT", format!("/v1/archive_policy_rule/{}", self.random.one_of(&self.rules))),
            16 => (*self.random.one_of(&others[1..]), "/v1/aggregates".into()),
            _ => (*self.random.one_of(&others[1..]), "/v1/archive_policy".into()),
        };
        self.push(method, target, None, false, false);
        let Some(step) = self.next.back_mut() else { return };
        match self.random.below(6) {
            0 => step.request.headers.retain(|(name, _)| *name != "Authorization"),
            1 => step.request.headers.retain(|(name, _)| *name != "Accept"),
            2 => step.request.headers.push(("Content-Type", "text/plain".into())),
            3 => step.request.body = "{]".into(),
            _ => {}
        }
    }
}

fn content_type(method: &str, target: &str) -> &'static str {
    if method == "PATCH" && target.starts_with("/v1/resource_type/") {
        "application/json-patch+json"
    } else {
        "application/json"
    }
}

/// What has to be encoded everywhere (RFC 3986, section 2.3), so that ids stay readable.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Part of a query string, or of a path.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A query string.
pub(super) fn query(arguments: &[(&str, String)]) -> String {
    let parts: Vec<_> = arguments.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
}

/// What of an answer belongs to the program of this prefix.
pub(super) fn own(answer: Value, prefix: &str) -> Value {
    let begins = |name: &str| name.starts_with(&format!("{prefix}-"));
    match answer {
        Value::Array(items) => {
            let named = |item: &Value| item["name"].as_str().is_some_and(begins);
            items.into_iter().filter(named).collect()
        }
        Value::Object(fields) => {
            fields.into_iter().filter(|(name, _)| begins(name)).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

/// The headers that clients act on.
pub(super) const HEADERS: [&str; 5] = ["content-type", "location", "link", "etag", "allow"];

/// Whether an answer has a body to be compared.
pub(super) fn has_json(answer: &Answer) -> bool {
    answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json"))
}
