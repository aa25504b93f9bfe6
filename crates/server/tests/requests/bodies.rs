//! Bodies that are nearly what each path takes.

use serde_json::{Map, Value, json};

use super::choices::Choices;

/// Names of what there is, and of what there is not.
pub(crate) const NAMES: [&str; 9] = ["low", "vm", "generic", "one", "cpu", "rule", "host", "nothing", "a/b"];
/// Stands for the id of the metric that there is.
pub(crate) const METRIC: &str = "00000000-0000-4000-8000-000000000001";

const WORDS: [&str; 26] = [
    "",
    "mean",
    "rate:mean",
    "95pct",
    "2020-01-01",
    "2020-01-01T00:00:00Z",
    "-1 day",
    "1:00:00",
    "60",
    "nan",
    "inf",
    "admin",
    "null",
    "id",
    "host",
    "cores",
    "string",
    "number",
    "datetime",
    "uuid",
    "bool",
    "add",
    "remove",
    "/attributes/cores",
    "*",
    METRIC,
];
const KEYS: [&str; 30] = [
    "id",
    "name",
    "host",
    "cores",
    "type",
    "attributes",
    "definition",
    "granularity",
    "points",
    "timespan",
    "back_window",
    "aggregation_methods",
    "archive_policy_name",
    "metric_pattern",
    "resource_id",
    "unit",
    "metrics",
    "started_at",
    "ended_at",
    "user_id",
    "project_id",
    "timestamp",
    "value",
    "measures",
    "operations",
    "resource_type",
    "search",
    "lifespan",
    "options",
    "required",
];
const OPERATORS: [&str; 14] =
    ["and", "or", "not", "in", "like", "=", "!=", "<", ">=", "≠", "∧", "+", "%", "between"];
const OPERATIONS: [&str; 14] = [
    "metric",
    "aggregate",
    "resample",
    "rolling",
    "+",
    "/",
    "**",
    "clip",
    "abs",
    "rateofchange",
    "mean",
    "max",
    "cos",
    "nothing",
];

/// What a body says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    None,
    Text,
    Deep,
    Measures,
    Batch,
    ResourceBatch,
    Condition,
    Question,
    Lisp,
    Patch,
    Policy,
    Rule,
    Type,
    Resource,
    Metric,
    Object,
    Value,
}

const KINDS: [Kind; 17] = [
    Kind::None,
    Kind::Text,
    Kind::Deep,
    Kind::Measures,
    Kind::Batch,
    Kind::ResourceBatch,
    Kind::Condition,
    Kind::Question,
    Kind::Lisp,
    Kind::Patch,
    Kind::Policy,
    Kind::Rule,
    Kind::Type,
    Kind::Resource,
    Kind::Metric,
    Kind::Object,
    Kind::Value,
];

impl Choices<'_> {
    /// A body of that kind, or of any, mostly whole.
    pub(crate) fn body(&mut self, kind: Option<Kind>) -> String {
        let kind = kind.unwrap_or_else(|| self.one_of(&KINDS));
        let json = match kind {
            Kind::None => return String::new(),
            Kind::Text => return self.text(),
            Kind::Deep => {
                let brackets = ["[", "{\"not\":", "{\"and\":[", "(", "{\"a\":"];
                return self.one_of(&brackets).repeat(1 + 4 * self.below(256));
            }
            Kind::Measures => self.measures(),
            Kind::Batch => json!({ METRIC: self.measures() }),
            Kind::ResourceBatch => {
                json!({ "one": { self.name(): self.measures(), "cpu": { "measures": self.measures() } } })
            }
            Kind::Condition => self.condition(0),
            Kind::Question => {
                json!({ "operations": self.operation(0), "resource_type": "vm", "search": self.condition(1) })
            }
            Kind::Lisp => json!({ "operations": self.lisp() }),
            Kind::Patch => json!([{ "op": self.word(), "path": self.word(), "value": self.object(1) }]),
            Kind::Policy => {
                let definition =
                    json!([{ "granularity": self.leaf(), "points": self.leaf() }, { "granularity": 5 }]);
                json!({ "name": self.text(), "definition": definition, "aggregation_methods": [self.word(), "mean"] })
            }
            Kind::Rule => {
                json!({ "name": self.text(), "metric_pattern": self.word(), "archive_policy_name": "low" })
            }
            Kind::Type => {
                json!({ "name": self.text(), "attributes": { self.word(): { "type": self.word() } } })
            }
            Kind::Resource => {
                let metrics = json!({ self.name(): { "archive_policy_name": self.name() } });
                json!({ "id": self.text(), "host": self.word(), "metrics": metrics, "started_at": self.leaf() })
            }
            Kind::Metric => {
                json!({ "name": self.text(), "archive_policy_name": self.name(), "unit": self.text() })
            }
            Kind::Object => self.object(0),
            Kind::Value => self.value(0),
        };
        let text = json.to_string();
        match self.below(16) {
            0 => text.chars().take(self.below(256)).collect(),
            1 => text.replace("\"nan\"", "NaN").replace("\"inf\"", "-Infinity"),
            _ => text,
        }
    }

    pub(crate) fn name(&mut self) -> String {
        if self.below(6) == 0 { self.text() } else { self.one_of(&NAMES).to_owned() }
    }

    pub(crate) fn word(&mut self) -> String {
        if self.below(6) == 0 { self.text() } else { self.one_of(&WORDS).to_owned() }
    }

    fn leaf(&mut self) -> Value {
        match self.below(6) {
            0 => Value::Null,
            1 => (self.below(2) == 0).into(),
            2 => json!(self.number()),
            3 => self.below(256).into(),
            4 => self.name().into(),
            _ => self.word().into(),
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(5) {
            0 if depth < 5 => (0..self.below(4)).map(|_| self.value(depth + 1)).collect(),
            1 if depth < 5 => self.object(depth + 1),
            _ => self.leaf(),
        }
    }

    fn object(&mut self, depth: usize) -> Value {
        let mut object = Map::new();
        for _ in 0..1 + self.below(6) {
            let key = if self.below(8) == 0 { self.text() } else { self.one_of(&KEYS).to_owned() };
            object.insert(key, self.value(depth + 1));
        }
        object.into()
    }

    fn measures(&mut self) -> Value {
        (0..self.below(6)).map(|_| json!({ "timestamp": self.leaf(), "value": self.leaf() })).collect()
    }

    fn condition(&mut self, depth: usize) -> Value {
        let operator = self.one_of(&OPERATORS);
        let operand = match operator {
            "and" | "or" | "∧" | "+" | "%" if depth < 6 => {
                (0..self.below(4)).map(|_| self.condition(depth + 1)).collect()
            }
            "not" if depth < 6 => self.condition(depth + 1),
            "in" => json!({ self.key(): [self.leaf(), self.leaf()] }),
            _ if self.below(3) == 0 => self.leaf(),
            _ => json!({ self.key(): self.leaf() }),
        };
        json!({ operator: operand })
    }

    fn key(&mut self) -> String {
        self.one_of(&KEYS).to_owned()
    }

    fn operation(&mut self, depth: usize) -> Value {
        if depth > 4 || self.below(3) == 0 {
            return json!(["metric", [self.metric(), self.word()], [self.metric(), "mean"]]);
        }
        let mut operation = vec![json!(self.one_of(&OPERATIONS))];
        for _ in 0..1 + self.below(3) {
            operation.push(if self.below(2) == 0 { self.operation(depth + 1) } else { self.leaf() });
        }
        operation.into()
    }

    fn metric(&mut self) -> String {
        if self.below(2) == 0 { METRIC.to_owned() } else { self.name() }
    }

    fn lisp(&mut self) -> String {
        let written = self.operation(0).to_string().replace(['[', ','], " (").replace(']', ")");
        if self.below(2) == 0 { written.replace('"', "") } else { written }
    }
}
