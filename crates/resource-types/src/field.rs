//! Where a definition takes a value from.

use nephoscope_telemetry::json;

use crate::jsonpath::{Path, Value};
use crate::plugin::Plugin;
use crate::yaml::{InvalidYaml, Yaml, YamlValue};

/// The source of one value in Ceilometer's definition files: a constant; a path; or a path or several, what they find being
/// handed to a plugin.
///
/// Of several paths the first that finds anything counts: they are alternatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    source: Source,
    plugin: Option<Plugin>,
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    Constant(String),
    Path(Path),
}

impl Field {
    /// Reads `PATH`, `NUMBER`, or a map with `fields` and, maybe, `plugin`.
    pub fn read(yaml: &Yaml) -> Result<Self, InvalidYaml> {
        if !matches!(yaml.value, YamlValue::Map(_)) {
            return Ok(Self { source: Source::read(yaml)?, plugin: None });
        }
        let fields = yaml.get("fields").ok_or_else(|| InvalidYaml::new(yaml, "`fields` is missing"))?;
        let plugin = yaml.get("plugin").map(Plugin::read).transpose()?;
        Ok(Self { source: Source::read(fields)?, plugin })
    }

    /// The first value for a document that is not `null`.
    pub fn first<'a>(&'a self, document: &'a str) -> Option<Value<'a>> {
        let path = match &self.source {
            Source::Constant(json) => return Some(Value::Json(json)),
            Source::Path(path) => path,
        };
        match &self.plugin {
            None => path.first(document),
            Some(plugin) => {
                let found = path.find(document).into_iter().filter(|found| !found.value().is_null());
                plugin.first(&found.collect::<Vec<_>>())
            }
        }
    }

    /// The path, when there is nothing else to it.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::Path(path) if self.plugin.is_none() => Some(path),
            _ => None,
        }
    }
}

impl Source {
    fn read(yaml: &Yaml) -> Result<Self, InvalidYaml> {
        let invalid = |problem: &dyn std::fmt::Display| InvalidYaml::new(yaml, problem.to_string());
        let text = match &yaml.value {
            YamlValue::Integer(_) | YamlValue::Bool(_) => return Ok(Self::Constant(yaml.to_json())),
            YamlValue::Text(text) => text.clone(),
            YamlValue::List(paths) => match paths.as_slice() {
                [] => return Err(invalid(&"expected at least one path")),
                [only] => return Self::read(only),
                several => {
                    let parts: Result<Vec<_>, _> = several.iter().map(alternative).collect();
                    parts?.join("|")
                }
            },
            _ => return Err(InvalidYaml::kind(yaml, "this", "a path, a whole number or a list of paths")),
        };
        match text.parse() {
            Ok(path) => Ok(Self::Path(path)),
            Err(error) => Err(invalid(&format_args!("{} is no path: {error}", quoted(&text)))),
        }
    }
}

/// One of several paths, in parentheses.
fn alternative(yaml: &Yaml) -> Result<String, InvalidYaml> {
    let text = yaml.as_text().ok_or_else(|| InvalidYaml::kind(yaml, "this", "a path"))?;
    match text.parse::<Path>() {
        Ok(_) => Ok(format!("({text})")),
        Err(error) => Err(InvalidYaml::new(yaml, format!("{} is no path: {error}", quoted(text)))),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    json::write_string(&mut out, text);
    out
}
