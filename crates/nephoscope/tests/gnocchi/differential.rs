//! Random programs of API calls, run by the real Gnocchi and by the daemon: each answer is to be the same, but for the ids and
//! times that a server makes up.
//!
//! `NEPHOSCOPE_TEST_PROGRAMS=200` runs so many programs instead of a few, `NEPHOSCOPE_TEST_SEED=7` begins with that one.

mod departures;
mod json;
mod measures;
mod operations;
mod pairs;
mod policies;
mod program;
mod queries;
mod resources;
mod spoil;

use std::collections::BTreeMap;

use nephoscope_testkit::server::{GnocchiOptions, GnocchiServer, Missing};
use nephoscope_testkit::{Trial, trial};
use serde_json::{Map, Value};

use crate::conversation::{Answer, Conversation, Request};
use pairs::Pairs;
use program::{HEADERS, Program, REFRESHED, Step, has_json, own};

/// Programs in an ordinary run: about a minute.
const PROGRAMS: u64 = 6;
/// Of a hundred calls, how many may be excused.
const EXCUSED: usize = 5;
/// Calls of a program.
const STEPS: usize = 150;

/// Settings of a Gnocchi as it comes, but without archive policies.
const PLAIN: &str = r#"
    [http]
    auth = "basic"
    [store]
    default_archive_policies = false
"#;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("differential::random_programs_get_the_answers_of_the_real_one", random_programs)]
}

#[expect(clippy::print_stdout, reason = "who lets many programs run wants to see what was excused, too")]
fn random_programs() -> Result<(), Missing> {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse().expect("it is a number"));
    let first = number("NEPHOSCOPE_TEST_SEED").unwrap_or(1);
    let programs = number("NEPHOSCOPE_TEST_PROGRAMS").unwrap_or(PROGRAMS);
    let real = GnocchiServer::start(&GnocchiOptions::default())?;
    let ours = crate::serve(PLAIN);
    let mut sides = Sides {
        real: Conversation::with(real.port()),
        ours: Conversation::with(ours.port()),
        hosts: [real.port(), ours.port()].map(|port| format!("127.0.0.1:{port}")),
        pairs: Pairs::default(),
    };
    let (mut differences, mut calls, mut excused) = (Vec::new(), 0, BTreeMap::new());
    for seed in first..first + programs {
        let mut program = Program::new(seed);
        for number in 0..STEPS {
            calls += 1;
            match sides.compare(&program.step(), &mut program) {
                Outcome::Same => {}
                Outcome::Excused { name, goes_on } => {
                    *excused.entry(name).or_insert(0_usize) += 1;
                    if !goes_on {
                        break;
                    }
                }
                Outcome::Differs(told) => differences.push(format!("seed {seed}, call {number}: {told}")),
            }
        }
    }
    let differing = differences.len();
    println!("{differing} of {calls} calls differ, and these are excused: {excused:#?}");
    assert!(differences.is_empty(), "{differing} of {calls} calls differ:\n{}", differences.join("\n"));
    let excused: usize = excused.values().sum();
    assert!(excused * 100 <= calls * EXCUSED, "{excused} of {calls} calls are excused");
    Ok(())
}

/// What came of a call.
enum Outcome {
    Same,
    /// It is meant to differ, as the list of [`departures`] says under this name.
    Excused {
        name: &'static str,
        /// Whether both still have the same things.
        goes_on: bool,
    },
    Differs(String),
}

struct Sides {
    real: Conversation,
    ours: Conversation,
    hosts: [String; 2],
    pairs: Pairs,
}

impl Sides {
    fn compare(&mut self, step: &Step, program: &mut Program) -> Outcome {
        let request = &step.request;
        let real = without_host(self.real.ask(request), &self.hosts[0]);
        self.refresh(request, &real);
        let translated = Request {
            target: self.pairs.to_ours(&request.target),
            body: self.pairs.to_ours(&request.body),
            ..request.clone()
        };
        let ours = without_host(self.ours.ask(&translated), &self.hosts[1]);
        let told = |what: String| {
            format!(
                "{} {} {}\n  {what}\n  real {} {}\n  ours {} {}",
                request.method,
                request.target,
                request.body,
                real.status,
                cut(&real.body),
                ours.status,
                cut(&ours.body)
            )
        };
        let Some(what) = self.differ(step, program, &real, &ours) else {
            return match departures::after(request, &real) {
                Some(name) => Outcome::Excused { name, goes_on: false },
                None => Outcome::Same,
            };
        };
        match departures::of(request, &real, &ours, &program.changed_as_generic) {
            Some((name, goes_on)) => Outcome::Excused { name, goes_on },
            None => Outcome::Differs(told(what)),
        }
    }

    /// Lets the real one process what a metric was sent, where it was asked to, but for an aggregate that the metric does not
    /// have: then it does so some time later.
    fn refresh(&mut self, request: &Request, answer: &Answer) {
        let Some(metric) = request.target.strip_suffix(REFRESHED) else { return };
        if answer.status != 404 || !answer.body.contains("Aggregation method does not exist for this metric")
        {
            return;
        }
        let metric = metric.to_owned();
        let shown = self.real.ask(&Request { target: metric.clone(), ..request.clone() });
        let shown = json::parse(&shown.body).unwrap_or_default();
        // One that has none shows nothing of what it was sent.
        let Some(method) = shown["archive_policy"]["aggregation_methods"][0].as_str() else { return };
        let target = format!("{metric}{REFRESHED}&aggregation={}", program::encoded(method));
        self.real.ask(&Request { target, ..request.clone() });
    }

    fn differ(&mut self, step: &Step, program: &mut Program, real: &Answer, ours: &Answer) -> Option<String> {
        if real.status != ours.status {
            return Some("status".into());
        }
        for name in HEADERS {
            if name == "allow" && real.status != 405 {
                continue;
            }
            let (one, other) = (real.header(name).unwrap_or_default(), ours.header(name).unwrap_or_default());
            // A page for people is what each wants it to be.
            let is_page = name == "content-type" && real.status >= 300 && one != "application/json";
            if !is_page && self.pairs.compare_texts(one, other).is_err() {
                return Some(format!("header {name}: {one:?}, ours {other:?}"));
            }
        }
        match (json::parse(&real.body), json::parse(&ours.body)) {
            (Some(one), Some(other)) if has_json(real) => {
                program.learn_of(&step.request, real.status, &one);
                let view = |value: Value, pairs: &Pairs| {
                    let value = if step.only_own { own(value, &program.prefix) } else { value };
                    let value = with_sets_sorted(told(value, pairs), pairs);
                    if step.unordered { sorted(value, pairs) } else { value }
                };
                let (one, other) = (view(one, &self.pairs), view(other, &self.pairs));
                self.pairs.compare(&one, &other).err()
            }
            _ if real.status >= 300 => None,
            _ => self.pairs.compare_texts(&real.body, &ours.body).err().map(|()| "body".into()),
        }
    }
}

fn sorted(value: Value, pairs: &Pairs) -> Value {
    match value {
        Value::Array(mut items) => {
            items.sort_by_cached_key(|item| pairs.sort_key(&item.to_string()));
            items.into()
        }
        other => other,
    }
}

/// What Gnocchi takes from sets of Python, and metrics in the order of their ids, which are random, come in an order that means
/// nothing.
fn with_sets_sorted(value: Value, pairs: &Pairs) -> Value {
    match value {
        Value::Object(fields) => {
            let is_set = |name: &str, fields: &Map<String, Value>| {
                ["aggregation_methods", "references"].contains(&name)
                    || name == "detail" && fields.contains_key("cause")
            };
            let names: Vec<_> = fields.keys().filter(|name| is_set(name, &fields)).cloned().collect();
            let inner = |(name, value): (String, Value)| {
                let value = with_sets_sorted(value, pairs);
                let value = if names.contains(&name) { sorted(value, pairs) } else { value };
                (name, value)
            };
            fields.into_iter().map(inner).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.into_iter().map(|item| with_sets_sorted(item, pairs)).collect(),
        other => other,
    }
}

/// A refusal without the words that depend on the server: what a parser expected where, which of several things was not
/// found, and how Python shows an object or an operation.
fn told(mut answer: Value, pairs: &Pairs) -> Value {
    let Some(description) = answer.get_mut("description") else { return answer };
    if description["cause"] == "Aggregation does not exist" {
        description["detail"] = Value::Null;
    }
    if let Some(Value::String(reason)) = description.get_mut("reason")
        && let Some(at) =
            ["unexpected ", "different granularity "].iter().find_map(|words| reason.find(words))
    {
        reason.truncate(at);
    }
    let Value::String(text) = description else { return answer };
    if text.starts_with("Invalid filter: ") {
        *text = "Invalid filter".into();
    }
    if text.starts_with("Value ") && text.contains(" for attribute ended_at ") {
        *text = "Value for attribute ended_at".into();
    }
    if text.starts_with("Metric ") || text.starts_with("Aggregation method ") {
        *text = pairs.without_names(text);
    }
    if let Some(list) = text.strip_prefix("Unknown metrics: ") {
        let mut list: Vec<_> = list.split(", ").collect();
        list.sort_by_cached_key(|name| pairs.sort_key(name));
        *text = format!("Unknown metrics: {}", list.join(", "));
    }
    answer
}

fn without_host(mut answer: Answer, host: &str) -> Answer {
    answer.body = answer.body.replace(host, "HOST");
    for (_, value) in &mut answer.headers {
        *value = value.replace(host, "HOST");
    }
    answer
}

fn cut(text: &str) -> String {
    text.chars().take(600).collect()
}
