//! Measures in, and measures and aggregates of one metric out.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::policies::{GRANULARITIES, METHODS};
use super::program::{Program, encoded, query};

/// 2020-01-01, in seconds: where the measures begin.
pub(super) const EPOCH: i64 = 1_577_836_800;

impl Program {
    pub(super) fn any_measures_call(&mut self) {
        match self.random.below(10) {
            0..5 => self.post_measures(),
            5..7 => self.post_metrics_batch(),
            _ => self.post_resources_batch(),
        }
    }

    fn post_measures(&mut self) {
        let id = self.metric();
        let measures = self.measures();
        self.then_send("POST", format!("/v1/metric/{id}/measures"), measures, true);
        self.then_refresh(&format!("/v1/metric/{id}"));
    }

    fn post_metrics_batch(&mut self) {
        let mut batch = Map::new();
        for _ in 0..1 + self.random.below(4) {
            batch.insert(self.metric(), self.measures());
        }
        let ids: Vec<_> = batch.keys().cloned().collect();
        self.then_send("POST", "/v1/batch/metrics/measures", batch.into(), true);
        for id in ids {
            self.then_refresh(&format!("/v1/metric/{id}"));
        }
    }

    fn post_resources_batch(&mut self) {
        let mut batch = BTreeMap::<_, Map<_, _>>::new();
        for _ in 0..1 + self.random.below(2) {
            let id = self.resource().id;
            for _ in 0..1 + self.random.below(2) {
                let name = self.metric_name();
                let measures = match self.random.below(4) {
                    0 => json!({ "measures": self.measures(), "archive_policy_name": self.policy() }),
                    1 => json!({ "measures": self.measures(), "unit": "MiB" }),
                    _ => self.measures(),
                };
                batch.entry(id.clone()).or_default().insert(name, measures);
            }
        }
        let reads: Vec<_> = batch
            .iter()
            .flat_map(|(id, names)| names.keys().map(move |name| (id.clone(), name.clone())))
            .map(|(id, name)| format!("/v1/resource/generic/{}/metric/{}", encoded(&id), encoded(&name)))
            .collect();
        let create = *self.random.one_of(&[
            "",
            "?create_metrics=true",
            "?create_metrics=true",
            "?create_metrics=maybe",
        ]);
        self.then_send("POST", format!("/v1/batch/resources/metrics/measures{create}"), json!(batch), true);
        for read in reads {
            // A resource that had ended is back when its measures are processed.
            self.then_refresh(&read);
            self.then("GET", read);
        }
    }

    /// Mostly later than all before; some late, some twice, in any order.
    fn measures(&mut self) -> Value {
        let count = 1 + self.random.below(20);
        let step = *self.random.one_of(&[1, 1, 3, 10, 45, 400]);
        let form = self.random.below(5);
        let mut measures = Vec::new();
        for _ in 0..count {
            let seconds = match self.random.below(12) {
                0 => self.clock - self.random.below(4_000) as i64,
                1 => self.clock,
                _ => {
                    self.clock += 1 + self.random.below(step) as i64;
                    self.clock
                }
            };
            measures.push(json!({ "timestamp": self.timestamp(seconds, form), "value": self.value() }));
        }
        if self.random.chance(25) {
            for at in (1..measures.len()).rev() {
                let other = self.random.below(at + 1);
                measures.swap(at, other);
            }
        }
        measures.into()
    }

    fn timestamp(&mut self, seconds: i64, form: usize) -> Value {
        let fraction = self.random.below(4) * 250;
        let whole = EPOCH + seconds;
        match form {
            0 => json!(whole),
            1 => json!(whole as f64 + fraction as f64 / 1_000.0),
            2 => json!(format!("{whole}.{fraction:03}")),
            _ => {
                let (hours, minutes) = (seconds.div_euclid(3_600), seconds.div_euclid(60).rem_euclid(60));
                let (day, hour) = (hours.div_euclid(24), hours.rem_euclid(24));
                let day = if day < 0 { "2019-12-31".to_owned() } else { format!("2020-01-{:02}", day + 1) };
                let zone = *self.random.one_of(&["", "Z", "+00:00"]);
                json!(format!(
                    "{day}T{hour:02}:{minutes:02}:{:02}.{fraction:03}{zone}",
                    seconds.rem_euclid(60)
                ))
            }
        }
    }

    fn value(&mut self) -> Value {
        match self.random.below(30) {
            0 => json!("nan"),
            1 => json!("12.5"),
            2 => json!(true),
            3 => json!(1e15),
            4 => json!(-1e-7),
            5..10 => json!(self.random.below(5)),
            10..15 => json!(self.random.below(2_000) as f64 - 1_000.0),
            _ => json!((self.random.next() >> 12) as f64 / 7e12 - 300.0),
        }
    }

    /// A moment for a range, in one of many forms.
    pub(super) fn bound(&mut self) -> String {
        let seconds = self.clock - self.random.below(5_000) as i64;
        match self.random.below(12) {
            0 => "junk".into(),
            1 => "1".into(),
            2 => (EPOCH as f64 + seconds as f64 + 0.5).to_string(),
            _ => match self.timestamp(seconds, 3) {
                Value::String(text) => text,
                other => other.to_string(),
            },
        }
    }

    pub(super) fn granularity(&mut self) -> String {
        let seconds = *self.random.one_of(&GRANULARITIES);
        match self.random.below(12) {
            0 => "junk".into(),
            1 => "-1".into(),
            2 => "7".into(),
            3 => format!("{seconds}s"),
            4 => format!("{seconds}.0"),
            _ => seconds.to_string(),
        }
    }

    pub(super) fn method(&mut self) -> &'static str {
        match self.random.below(30) {
            0 => "nothing",
            1 => "rate:nothing",
            2..12 => "mean",
            _ => self.random.one_of::<&str>(&METHODS),
        }
    }

    /// What every read can be asked with.
    pub(super) fn range(&mut self) -> Vec<(&'static str, String)> {
        let mut arguments = Vec::new();
        if self.random.chance(35) {
            arguments.push(("start", self.bound()));
        }
        if self.random.chance(35) {
            arguments.push(("stop", self.bound()));
        }
        if self.random.chance(45) {
            arguments.push(("granularity", self.granularity()));
        }
        arguments
    }

    fn resample(&mut self) -> String {
        let spans = ["60", "120", "3600", "2 hours", "0", "junk", "Y", "H", "Q", "M", "W", "y", "1"];
        (*self.random.one_of(&spans)).into()
    }

    pub(super) fn read_measures(&mut self) {
        let id = self.metric();
        let mut arguments = self.range();
        if self.random.chance(70) {
            arguments.push(("aggregation", self.method().into()));
        }
        if self.random.chance(25) {
            arguments.push(("resample", self.resample()));
        }
        if self.random.chance(10) {
            arguments.push(("refresh", (*self.random.one_of(&["true", "no", "perhaps"])).into()));
        }
        self.then("GET", format!("/v1/metric/{id}/measures{}", query(&arguments)));
    }

    pub(super) fn search_values(&mut self) {
        let mut arguments = self.range();
        for _ in 0..1 + self.random.below(2) {
            arguments.push(("metric_id", self.metric()));
        }
        if self.random.chance(30) {
            arguments.push(("aggregation", self.method().into()));
        }
        let body = self.value_query(0);
        self.then_send("POST", format!("/v1/search/metric{}", query(&arguments)), body, true);
    }

    fn value_query(&mut self, depth: usize) -> Value {
        let number = json!(self.random.below(40) as i64 - 20);
        if depth < 2 && self.random.chance(40) {
            let operator = *self.random.one_of(&["and", "or", "∧", "∨", "not"]);
            let parts: Vec<_> = (0..1 + self.random.below(2)).map(|_| self.value_query(depth + 1)).collect();
            return json!({ operator: parts });
        }
        let operator = *self
            .random
            .one_of(&["=", "==", "eq", "<", "lt", ">", "gt", "<=", "≤", ">=", "ge", "!=", "≠", "ne"]);
        if self.random.chance(60) {
            return json!({ operator: number });
        }
        let arithmetic = *self.random.one_of(&["%", "mod", "+", "add", "-", "*", "×", "/", "div", "^", "**"]);
        json!({ operator: [{ arithmetic: 1 + self.random.below(4) }, number] })
    }

    pub(super) fn any_aggregation_call(&mut self) {
        let mut arguments = self.range();
        if self.random.chance(60) {
            arguments.push(("aggregation", self.method().into()));
        }
        if self.random.chance(40) {
            arguments.push((
                "reaggregation",
                (*self.random.one_of(&["mean", "sum", "max", "std", "median", "count"])).into(),
            ));
        }
        match self.random.below(4) {
            0 => arguments.push((
                "fill",
                (*self.random.one_of(&["0", "null", "dropna", "ffill", "junk", "1.5"])).into(),
            )),
            1..3 => {
                arguments.push(("needed_overlap", (*self.random.one_of(&["0", "50", "100", "junk"])).into()));
            }
            _ => {}
        }
        if self.random.chance(15) {
            arguments.push(("resample", self.resample()));
        }
        if self.random.chance(50) {
            let metrics: Vec<_> = (0..1 + self.random.below(3)).map(|_| self.metric()).collect();
            if self.random.chance(50) {
                arguments.extend(metrics.into_iter().map(|metric| ("metric", metric)));
                self.then("GET", format!("/v1/aggregation/metric{}", query(&arguments)));
            } else {
                self.then_send(
                    "POST",
                    format!("/v1/aggregation/metric{}", query(&arguments)),
                    json!(metrics),
                    true,
                );
            }
            return;
        }
        let of = self.random.one_of(&self.types).clone();
        if self.random.chance(40) {
            arguments
                .push(("groupby", (*self.random.one_of(&["project_id", "user_id", "id", "nothing"])).into()));
        }
        let filter = self.filter(&of, 1);
        let target = format!("/v1/aggregation/resource/{}/metric/{}", of.name, encoded(&self.metric_name()));
        self.then_send("POST", format!("{target}{}", query(&arguments)), filter, true);
    }
}
