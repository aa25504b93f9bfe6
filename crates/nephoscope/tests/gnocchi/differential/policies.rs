//! Calls about archive policies and their rules.

use serde_json::{Value, json};

use super::program::Program;

/// Seconds of a period. Few, so that policies have some in common.
pub(super) const GRANULARITIES: [u32; 6] = [1, 5, 10, 60, 300, 3600];
/// Aggregates that policies keep.
pub(super) const METHODS: [&str; 16] = [
    "mean",
    "sum",
    "last",
    "max",
    "min",
    "std",
    "median",
    "first",
    "count",
    "95pct",
    "3pct",
    "rate:mean",
    "rate:last",
    "rate:sum",
    "rate:std",
    "rate:99pct",
];

impl Program {
    pub(super) fn create_policy(&mut self, spoil: bool) {
        let name = self.fresh("policy");
        let definition = self.definition();
        let mut policy = json!({ "name": name, "definition": definition });
        if self.random.chance(60) {
            policy["back_window"] = self.random.below(4).into();
        }
        if self.random.chance(85) {
            policy["aggregation_methods"] = self.methods();
        }
        self.policies.push(name);
        self.then_send("POST", "/v1/archive_policy", policy, spoil);
    }

    pub(super) fn any_policy_call(&mut self) {
        let path = format!("/v1/archive_policy/{}", self.policy());
        match self.random.below(10) {
            0..3 => self.create_policy(true),
            3..6 => {
                let mut change = json!({ "definition": self.definition() });
                if self.random.chance(60) {
                    change["back_window"] = self.random.below(4).into();
                }
                self.then_send("PATCH", path, change, true);
            }
            6..8 => self.then("GET", path),
            8 => self.then_list("/v1/archive_policy", true),
            _ => self.then("DELETE", path),
        }
    }

    fn methods(&mut self) -> Value {
        match self.random.below(20) {
            0 => json!(["*"]),
            1 => json!([]),
            2 => json!(["-mean"]),
            3 => json!(["+95pct", "+rate:mean"]),
            // One that is named and taken away makes a method of that name with the sign, which metricd does not know.
            4 => json!(["*", "-rate:mean"]),
            _ => {
                let mut methods = vec![Value::from("mean")];
                for _ in 0..self.random.below(6) {
                    methods.push((*self.random.one_of(&METHODS)).into());
                }
                methods.into()
            }
        }
    }

    fn definition(&mut self) -> Value {
        (0..1 + self.random.below(3)).map(|_| self.definition_item()).collect()
    }

    fn definition_item(&mut self) -> Value {
        let granularity = *self.random.one_of(&GRANULARITIES);
        let points = 1 + self.random.below(30);
        let timespan = u64::from(granularity) * points as u64;
        let mut item = json!({});
        let shape = self.random.below(10);
        if shape != 0 {
            item["granularity"] = match self.random.below(4) {
                0 => json!(granularity.to_string()),
                1 => json!(format!("{granularity}s")),
                2 => json!(format!(
                    "{}:{:02}:{:02}",
                    granularity / 3600,
                    granularity / 60 % 60,
                    granularity % 60
                )),
                _ => json!(granularity),
            };
        }
        if shape < 7 {
            item["points"] = points.into();
        }
        if shape == 0 || (5..9).contains(&shape) {
            item["timespan"] = match self.random.below(4) {
                0 => json!(format!("{timespan} seconds")),
                // A period that is no whole number of nanoseconds, Gnocchi rounds one way here and another there.
                1 if shape != 0 => json!(timespan as f64 + 0.5),
                _ => json!(timespan),
            };
        }
        item
    }

    pub(super) fn create_rule(&mut self, spoil: bool) {
        let name = self.fresh("rule");
        // With the first, every name of ours has a policy.
        let pattern = match self.random.below(if self.rules.is_empty() { 1 } else { 5 }) {
            0 => format!("{}-*", self.prefix),
            1 => format!("{}-cpu*", self.prefix),
            2 => format!("{}-[a-m]?m*", self.prefix),
            _ => format!("{}-?????", self.prefix),
        };
        let policy = if self.rules.is_empty() { self.policies[0].clone() } else { self.policy() };
        let rule = json!({ "name": name, "metric_pattern": pattern, "archive_policy_name": policy });
        self.rules.push(name);
        self.then_send("POST", "/v1/archive_policy_rule", rule, spoil);
    }

    pub(super) fn any_rule_call(&mut self) {
        let rule =
            if self.random.chance(10) { "nosuch".into() } else { self.random.one_of(&self.rules).clone() };
        let path = format!("/v1/archive_policy_rule/{rule}");
        match self.random.below(10) {
            0..3 => self.create_rule(true),
            3..5 => {
                let name = if self.random.chance(20) { rule } else { self.fresh("rule") };
                self.rules.push(name.clone());
                self.then_send("PATCH", path, json!({ "name": name }), true);
            }
            5..7 => self.then("GET", path),
            7..9 => self.then_list("/v1/archive_policy_rule", true),
            _ => self.then("DELETE", path),
        }
    }
}
