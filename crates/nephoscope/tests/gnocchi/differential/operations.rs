//! `/v1/aggregates`: operations as Lisp and as JSON.

use serde_json::{Value, json};

use super::program::{Program, query};

const CROSS: [&str; 12] = [
    "mean",
    "median",
    "std",
    "min",
    "max",
    "sum",
    "var",
    "count",
    "rate:mean",
    "rate:max",
    "rate:sum",
    "last",
];
const BINARY: [&str; 20] = [
    "+", "-", "*", "/", "%", "**", "add", "sub", "mul", "div", "mod", "lt", ">", "==", "!=", "≥", "le",
    "clip_min", "clip_max", "max",
];
const UNARY: [&str; 10] =
    ["abs", "absolute", "neg", "negative", "cos", "sin", "floor", "ceil", "rateofchange", "rateofchangesec"];

impl Program {
    pub(super) fn aggregates(&mut self) {
        let mut arguments = self.range();
        match self.random.below(6) {
            0 => {
                let fills =
                    ["0", "null", "dropna", "ffill", "bfill", "full_ffill", "full_bfill", "junk", "-1.5"];
                arguments.push(("fill", (*self.random.one_of(&fills)).into()));
            }
            1 => {
                arguments.push(("needed_overlap", (*self.random.one_of(&["0", "50", "100", "junk"])).into()));
            }
            _ => {}
        }
        if self.random.chance(15) {
            arguments.push(("details", "true".into()));
        }
        let resources = self.random.chance(50);
        let operation = self.operation(resources, 0);
        let operation = if self.random.chance(40) { json!(lisp(&operation)) } else { operation };
        let mut body = json!({ "operations": operation });
        if resources {
            let of = self.random.one_of(&self.types).clone();
            body["resource_type"] = of.name.as_str().into();
            body["search"] = match self.random.below(6) {
                0..3 => json!({}),
                3 => self.text_filter(&of, 1).into(),
                _ => self.filter(&of, 1),
            };
            if self.random.chance(35) {
                let keys = ["project_id", "user_id", "id", "started_at", "nothing", "original_resource_id"];
                arguments.push(("groupby", (*self.random.one_of(&keys)).into()));
            }
            if self.random.chance(25) {
                arguments.push(("use_history", "true".into()));
            }
        }
        self.then_send("POST", format!("/v1/aggregates{}", query(&arguments)), body, true);
    }

    fn reference(&mut self, resources: bool) -> Value {
        let name = if !resources {
            self.metric()
        } else if self.random.chance(15) {
            format!("{}-*", self.prefix)
        } else {
            self.metric_name()
        };
        let aggregation = self.method();
        if self.random.chance(50) {
            return json!(["metric", name, aggregation]);
        }
        let mut reference = vec![json!("metric"), json!([name, aggregation])];
        for _ in 0..self.random.below(2) {
            let other = if resources { self.metric_name() } else { self.metric() };
            reference.push(json!([other, aggregation]));
        }
        reference.into()
    }

    fn operation(&mut self, resources: bool, depth: usize) -> Value {
        if depth >= 3 {
            return self.reference(resources);
        }
        let number = match self.random.below(4) {
            0 => json!(0),
            1 => json!(2.5),
            2 => json!(-3),
            _ => json!(10),
        };
        match self.random.below(16) {
            0..4 => self.reference(resources),
            4..7 => {
                let inner = self.operation(resources, depth + 1);
                json!(["aggregate", self.random.one_of(&CROSS), inner])
            }
            7 => json!([self.random.one_of(&BINARY), self.operation(resources, depth + 1), number]),
            8 => json!([self.random.one_of(&BINARY), number, self.operation(resources, depth + 1)]),
            9 => {
                let (one, other) =
                    (self.operation(resources, depth + 1), self.operation(resources, depth + 1));
                json!([self.random.one_of(&BINARY), one, other])
            }
            10..12 => json!([self.random.one_of(&UNARY), self.operation(resources, depth + 1)]),
            12 => {
                let window = 1 + self.random.below(4);
                json!(["rolling", self.random.one_of(&CROSS), window, self.operation(resources, depth + 1)])
            }
            13 => {
                let span = *self.random.one_of(&[60, 120, 3600]);
                let known = ["mean", "median", "std", "min", "max", "sum", "count", "rate:mean"];
                json!(["resample", self.random.one_of(&known), span, self.operation(resources, depth + 1)])
            }
            14 => json!(["clip", self.operation(resources, depth + 1), -5, number]),
            _ => json!([
                self.random.one_of(&["nothing", "aggregate", "metric", "rolling"]),
                self.reference(resources)
            ]),
        }
    }
}

/// An operation as the other language writes it.
fn lisp(operation: &Value) -> String {
    match operation {
        Value::Array(items) => format!("({})", items.iter().map(lisp).collect::<Vec<_>>().join(" ")),
        Value::String(text) if text.contains(' ') => format!("\"{text}\""),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
