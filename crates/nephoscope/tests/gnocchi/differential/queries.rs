//! Searches of resources, in both query languages.

use serde_json::{Value, json};

use super::program::{Attribute, Program, Type, query};
use super::resources::WORDS;

impl Program {
    pub(super) fn search_resources(&mut self) {
        let of = self.resource_type();
        let page = self.page(&of.name);
        // Of what other programs left, nothing is to be found.
        let own = format!("{}-%", self.prefix);
        let path = format!("/v1/search/resource/{}", of.name);
        if self.random.chance(50) {
            let filter = self.filter(&of, 0);
            let is_generic = of.name == "generic";
            let own = json!({ "and": [{ "like": { "project_id": own } }, filter] });
            let filter = if is_generic { own } else { filter };
            self.then_send("POST", format!("{path}{page}"), filter, !is_generic);
        } else {
            let text = self.text_filter(&of, 0);
            let own = format!("project_id like '{own}' and ({text})");
            let text = if of.name == "generic" { own } else { text };
            let first = if page.is_empty() { '?' } else { '&' };
            let argument = query(&[("filter", text)]);
            self.then("POST", format!("{path}{page}{first}{}", &argument[1..]));
        }
    }

    /// A field to search by, and its kind.
    fn field(&mut self, of: &Type) -> Attribute {
        const COMMON: [(&str, &str); 9] = [
            ("id", "resource"),
            ("project_id", "string"),
            ("user_id", "string"),
            ("started_at", "datetime"),
            ("ended_at", "datetime"),
            ("original_resource_id", "resource"),
            ("creator", "string"),
            ("lifespan", "timespan"),
            ("unheard_of", "string"),
        ];
        if !of.attributes.is_empty() && self.random.chance(60) {
            return self.random.one_of(&of.attributes).clone();
        }
        let (name, kind) = *self.random.one_of(&COMMON);
        Attribute { name: name.into(), kind }
    }

    fn wanted(&mut self, kind: &str) -> Value {
        match self.random.below(20) {
            0 => return json!(null),
            1 => return json!("junk"),
            2 => return json!(5),
            3 => return json!(true),
            _ => {}
        }
        match kind {
            "resource" => self.resource().id.into(),
            "timespan" => (*self.random.one_of(&["1 day", "3600", "2 days, 1:00:00"])).into(),
            other => self.attribute_value(other),
        }
    }

    pub(super) fn filter(&mut self, of: &Type, depth: usize) -> Value {
        match self.random.below(10) {
            0..2 if depth < 3 => {
                let operator = *self.random.one_of(&["and", "or", "∧", "∨"]);
                let parts: Vec<_> =
                    (0..1 + self.random.below(3)).map(|_| self.filter(of, depth + 1)).collect();
                json!({ operator: parts })
            }
            2 if depth < 3 => json!({ "not": self.filter(of, depth + 1) }),
            3 => {
                let field = self.field(of);
                let values: Vec<_> = (0..1 + self.random.below(3)).map(|_| self.wanted(field.kind)).collect();
                json!({ "in": { field.name: values } })
            }
            4 => {
                let field = self.field(of);
                let pattern = *self.random.one_of(&["%o%", "t_o", "one", "%", "50\\%", "p%"]);
                json!({ "like": { field.name: pattern } })
            }
            _ => {
                let field = self.field(of);
                let operators = ["=", "==", "eq", "<", "lt", ">", "<=", "≤", ">=", "ge", "!=", "≠", "ne"];
                let operator = *self.random.one_of(&operators);
                let value = self.wanted(field.kind);
                json!({ operator: { field.name: value } })
            }
        }
    }

    pub(super) fn text_filter(&mut self, of: &Type, depth: usize) -> String {
        match self.random.below(10) {
            0..2 if depth < 3 => {
                let operator = *self.random.one_of(&["and", "or", "∧", "∨"]);
                let (one, other) = (self.text_filter(of, depth + 1), self.text_filter(of, depth + 1));
                if self.random.chance(60) {
                    format!("({one}) {operator} ({other})")
                } else {
                    format!("{one} {operator} {other}")
                }
            }
            2 if depth < 3 => format!("not {}", self.text_filter(of, depth + 1)),
            3 => {
                let field = self.field(of);
                let values: Vec<_> =
                    (0..1 + self.random.below(3)).map(|_| text_of(&self.wanted(field.kind))).collect();
                format!("{} in [{}]", field.name, values.join(", "))
            }
            4 => format!("{} like '{}%'", self.field(of).name, self.random.one_of(&WORDS)),
            5 if self.random.chance(20) => "host = ".into(),
            _ => {
                let field = self.field(of);
                let operators = ["=", "==", "eq", "<", "lt", ">", "<=", "≤", ">=", "ge", "!=", "≠", "ne"];
                let operator = *self.random.one_of(&operators);
                let value = text_of(&self.wanted(field.kind));
                let space = if self.random.chance(80) { " " } else { "" };
                let gap = if operator.is_ascii() && operator.chars().all(char::is_alphabetic) {
                    " "
                } else {
                    space
                };
                format!("{}{gap}{operator}{gap}{value}", field.name)
            }
        }
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() == 36 && !text.contains(' ') => text.clone(),
        Value::String(text) if text.contains('"') => format!("'{text}'"),
        Value::String(text) => format!("\"{text}\""),
        other => other.to_string(),
    }
}
