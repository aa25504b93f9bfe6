//! Calls about resource types, resources and metrics.

use serde_json::{Map, Value, json};

use super::program::{Attribute, Program, Resource, Type, encoded, query};

const KINDS: [&str; 5] = ["string", "uuid", "number", "bool", "datetime"];
const ATTRIBUTES: [&str; 7] = ["host", "flavor", "cores", "up", "launched", "image", "label"];
/// What metrics are called after the prefix of the program.
const NAMES: [&str; 5] = ["cpu", "mem.usage", "disk io", "memory", "größe"];
pub(super) const WORDS: [&str; 7] = ["one", "two", "Two", "three_x", "über", "", "50%"];

impl Program {
    pub(super) fn create_type(&mut self, spoil: bool) {
        let name = self.fresh("type");
        let mut attributes = Vec::new();
        let mut described = Map::new();
        for attribute in ATTRIBUTES {
            if self.random.chance(45) {
                let kind = *self.random.one_of(&KINDS);
                described.insert(attribute.into(), self.described(kind));
                attributes.push(Attribute { name: attribute.into(), kind });
            }
        }
        let body = json!({ "name": name, "attributes": described });
        self.types.push(Type { name, attributes });
        self.then_send("POST", "/v1/resource_type", body, spoil);
    }

    fn described(&mut self, kind: &str) -> Value {
        let mut described = json!({ "type": kind, "required": self.random.chance(30) });
        match kind {
            "string" if self.random.chance(40) => {
                described["min_length"] = self.random.below(3).into();
                described["max_length"] = (3 + self.random.below(20)).into();
            }
            "number" if self.random.chance(40) => {
                described["min"] = (-2).into();
                described["max"] = 100.5.into();
            }
            _ => {}
        }
        described
    }

    pub(super) fn any_type_call(&mut self) {
        let of = self.resource_type();
        let path = format!("/v1/resource_type/{}", of.name);
        match self.random.below(10) {
            0..2 => self.create_type(true),
            2..6 => {
                let patch = self.type_patch(&of.name);
                self.then_send("PATCH", path, patch, true);
            }
            6..8 => self.then("GET", path),
            8 if self.random.chance(50) => self.then_list("/v1/resource", true),
            8 => self.then_list("/v1/resource_type", true),
            _ => self.then("DELETE", path),
        }
    }

    fn type_patch(&mut self, of: &str) -> Value {
        let mut steps = Vec::new();
        for _ in 0..1 + self.random.below(2) {
            let name = *self.random.one_of(&ATTRIBUTES);
            let path = format!("/attributes/{name}");
            if self.random.chance(30) {
                steps.push(json!({ "op": "remove", "path": path }));
                continue;
            }
            let kind = *self.random.one_of(&KINDS);
            let mut value = self.described(kind);
            if self.random.chance(70) {
                value["options"] = json!({ "fill": self.attribute_value(kind) });
            }
            if let Some(of) = self.types.iter_mut().find(|it| it.name == of)
                && of.attributes.iter().all(|attribute| attribute.name != name)
            {
                of.attributes.push(Attribute { name: name.into(), kind });
            }
            steps.push(json!({ "op": "add", "path": path, "value": value }));
        }
        steps.into()
    }

    pub(super) fn attribute_value(&mut self, kind: &str) -> Value {
        match kind {
            "string" => (*self.random.one_of(&WORDS)).into(),
            "uuid" => self.uuid().into(),
            "number" => match self.random.below(4) {
                0 => 0.1.into(),
                1 => (-2).into(),
                2 => 100.into(),
                _ => self.random.below(10).into(),
            },
            "bool" => match self.random.below(6) {
                0 => "yes".into(),
                1 => "0".into(),
                other => (other % 2 == 0).into(),
            },
            _ => self.moment().into(),
        }
    }

    /// One of few.
    fn uuid(&mut self) -> String {
        format!("6868da77-fa82-4e67-aba9-270c5ae8cbc{}", self.random.below(4))
    }

    /// One of few, before the tests began.
    fn moment(&mut self) -> String {
        let day = 1 + self.random.below(4);
        match self.random.below(4) {
            0 => format!("2014-01-0{day}"),
            1 => format!("2014-01-0{day} 12:30:00"),
            2 => format!("2014-01-0{day}T12:30:00.123456+02:00"),
            _ => format!("2014-01-0{day}T00:00:00Z"),
        }
    }

    fn attributes(&mut self, of: &Type, per_cent: usize) -> Map<String, Value> {
        let mut fields = Map::new();
        for attribute in &of.attributes {
            if self.random.chance(per_cent) {
                let kind = if self.random.chance(4) { *self.random.one_of(&KINDS) } else { attribute.kind };
                fields.insert(attribute.name.clone(), self.attribute_value(kind));
            }
        }
        if self.random.chance(50) {
            fields.insert(
                "project_id".into(),
                json!(format!("{}-project-{}", self.prefix, self.random.below(3))),
            );
        }
        if self.random.chance(30) {
            fields.insert("user_id".into(), (*self.random.one_of(&WORDS)).into());
        }
        if self.random.chance(40) {
            fields.insert("started_at".into(), self.moment().into());
        }
        if self.random.chance(20) {
            fields.insert("ended_at".into(), self.moment().into());
        }
        fields
    }

    pub(super) fn metric_name(&mut self) -> String {
        format!("{}-{}", self.prefix, self.random.one_of(&NAMES))
    }

    fn named_metrics(&mut self) -> Value {
        let mut metrics = Map::new();
        for _ in 0..1 + self.random.below(3) {
            let name = self.metric_name();
            let metric = match self.random.below(6) {
                0 => json!(self.metric()),
                1 => json!({}),
                2 => json!({ "archive_policy_name": self.policy(), "unit": "MiB" }),
                _ => json!({ "archive_policy_name": self.policy() }),
            };
            metrics.insert(name, metric);
        }
        metrics.into()
    }

    pub(super) fn create_resource(&mut self, spoil: bool) {
        let of = self.random.one_of(&self.types).clone();
        let id = match self.random.below(10) {
            0..5 => {
                let (high, low) = (self.random.next(), self.random.next() >> 16);
                let text = format!("{high:016x}");
                format!("{}-{}-4{}-8{}-{low:012x}", &text[..8], &text[8..12], &text[12..15], &text[13..16])
            }
            5 if !self.resources.is_empty() => self.resource().id,
            _ => self.fresh("resource"),
        };
        let id = if self.random.chance(5) { id.to_uppercase() } else { id };
        let mut fields = self.attributes(&of, 92);
        fields.insert("id".into(), id.as_str().into());
        if self.random.chance(70) {
            fields.insert("metrics".into(), self.named_metrics());
        }
        self.resources.push(Resource { resource_type: of.name.clone(), id });
        self.then_send("POST", format!("/v1/resource/{}", of.name), fields.into(), spoil);
    }

    pub(super) fn any_resource_call(&mut self) {
        let Resource { resource_type, id } = self.resource();
        let path = format!("/v1/resource/{resource_type}/{}", encoded(&id));
        match self.random.below(24) {
            0..4 => self.create_resource(true),
            4..9 => self.update_resource(&resource_type, path),
            9 => self.then("GET", path),
            10 => self.ask_with_conditions(path),
            11..14 => {
                let page = self.page(&resource_type);
                self.then("GET", format!("{path}/history{page}"));
            }
            14 if self.random.chance(80) => self.then("DELETE", path),
            14 => self.delete_resources(),
            15 => self.then_list(format!("{path}/metric"), false),
            16 => {
                let metrics = self.named_metrics();
                self.then_send("POST", format!("{path}/metric"), metrics, true);
                if let Some(step) = self.next.back_mut() {
                    step.unordered = true;
                }
            }
            17..20 => {
                let of = self.random.one_of(&self.types).clone();
                let page = self.page(&of.name);
                self.then("GET", format!("/v1/resource/{}{page}", of.name));
            }
            _ => self.search_resources(),
        }
    }

    /// With conditions that hold or not whatever the resource is like.
    fn ask_with_conditions(&mut self, path: String) {
        let method = *self.random.one_of(&["GET", "DELETE"]);
        let always = ["*", "\"junk\"", "junk", "W/\"junk\"", "\"a\", *"];
        let time = ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT", "junk"];
        let (name, value) = match self.random.below(4) {
            0 => ("If-Match", *self.random.one_of(&always)),
            1 => ("If-None-Match", *self.random.one_of(&always)),
            2 => ("If-Modified-Since", *self.random.one_of(&time)),
            _ => ("If-Unmodified-Since", *self.random.one_of(&time)),
        };
        self.then(method, path);
        if let Some(step) = self.next.back_mut() {
            step.request.headers.push((name, value.to_owned()));
        }
    }

    fn update_resource(&mut self, resource_type: &str, path: String) {
        let found = self.types.iter().find(|of| of.name == resource_type).cloned();
        let of = found.unwrap_or_else(|| Type { name: resource_type.to_owned(), attributes: Vec::new() });
        let mut fields = self.attributes(&of, 30);
        if self.random.chance(20) {
            fields.insert("metrics".into(), self.named_metrics());
        }
        self.then_send("PATCH", path, fields.into(), true);
    }

    fn delete_resources(&mut self) {
        let of = self.resource_type();
        let filter = self.filter(&of, 0);
        if of.name == "generic" {
            return;
        }
        self.then_send("DELETE", format!("/v1/resource/{}", of.name), filter, true);
    }

    /// How a list of resources is to be sorted and cut. With `sort` by what not all have, the rest of the order is by what every
    /// server makes up.
    pub(super) fn page(&mut self, resource_type: &str) -> String {
        let mut arguments = Vec::new();
        let marker = self.random.chance(15).then(|| self.resource().id);
        if self.random.chance(40) {
            let of = self.types.iter().find(|of| of.name == resource_type);
            let mut keys =
                vec!["id", "user_id", "started_at", "ended_at", "project_id", "original_resource_id"];
            keys.extend(
                of.into_iter().flat_map(|of| &of.attributes).map(|attribute| attribute.name.as_str()),
            );
            // Of two mistakes, either may be told.
            if marker.is_none() {
                keys.push("nothing");
            }
            for _ in 0..1 + self.random.below(2) {
                let key = *self.random.one_of(&keys);
                let direction =
                    *self.random.one_of(&["", ":asc", ":desc", ":asc-nullsfirst", ":desc-nullslast", ":up"]);
                arguments.push(("sort", format!("{key}{direction}")));
            }
        }
        if self.random.chance(30) {
            arguments.push(("limit", (*self.random.one_of(&["1", "2", "3", "5000", "0", "x"])).into()));
        }
        arguments.extend(marker.map(|marker| ("marker", marker)));
        if self.random.chance(25) {
            arguments.push(("history", (*self.random.one_of(&["true", "false", "yes", "maybe"])).into()));
        }
        if self.random.chance(15) {
            arguments.push(("details", "true".into()));
        }
        if self.random.chance(10) {
            arguments.push(("attrs", "id".into()));
            arguments.push(("attrs", (*self.random.one_of(&ATTRIBUTES)).into()));
        }
        query(&arguments)
    }

    pub(super) fn create_metric(&mut self, spoil: bool) {
        let mut metric = json!({ "archive_policy_name": self.policy() });
        if self.random.chance(70) {
            metric["name"] = self.metric_name().into();
        }
        if self.random.chance(25) {
            metric["unit"] = (*self.random.one_of(&WORDS)).into();
        }
        if self.random.chance(25) {
            metric["resource_id"] = self.resource().id.into();
        }
        self.then_send("POST", "/v1/metric", metric, spoil);
    }

    pub(super) fn any_metric_call(&mut self) {
        let id = self.metric();
        match self.random.below(12) {
            0..4 => self.create_metric(true),
            4..7 => self.then("GET", format!("/v1/metric/{id}")),
            7 => self.then("DELETE", format!("/v1/metric/{id}")),
            8 => {
                let Resource { resource_type, id } = self.resource();
                let name = encoded(&self.metric_name());
                self.then("GET", format!("/v1/resource/{resource_type}/{}/metric/{name}", encoded(&id)));
            }
            9 => {
                let arguments =
                    [("name", self.metric_name()), ("sort", "resource_id".into()), ("sort", "unit".into())];
                self.then_list(format!("/v1/metric{}", query(&arguments)), false);
            }
            10 => {
                let arguments = [("archive_policy_name", self.policy()), ("limit", "5000".into())];
                self.then_list(format!("/v1/metric{}", query(&arguments)), false);
            }
            _ => {
                let choices = [
                    ("status", "active"),
                    ("status", "odd"),
                    ("creator", "foobar"),
                    ("user_id", "admin"),
                    ("unit", "MiB"),
                ];
                let (name, value) = *self.random.one_of(&choices);
                let arguments = [("archive_policy_name", self.policy()), (name, value.into())];
                self.then_list(format!("/v1/metric{}", query(&arguments)), false);
            }
        }
    }
}
