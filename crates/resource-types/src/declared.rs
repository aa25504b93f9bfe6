//! Resource types that a definition file declares.

use std::borrow::Cow;
use std::ops::Range;

use nephoscope_gnocchi::Glob;
use nephoscope_telemetry::{BadRecord, Event, Json, Sample, SampleForm, json};
use smol_str::SmolStr;

use crate::field::Field;
use crate::jsonpath::Chains;
use crate::keys::{KeyTree, Values};
use crate::lifecycle::{Associated, Change, Lifecycle, trait_value};
use crate::yaml::{InvalidYaml, Line, Yaml, YamlValue};
use crate::{Attributes, Meter, ResourceType};

/// A resource type as a definition file describes it.
///
/// Attributes that are found by names alone, which is nearly all, are taken out of the metadata of a sample in one pass,
/// and borrowed from it.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredType {
    name: SmolStr,
    meters: Vec<Meter>,
    /// The archive policies that the entry names, and where.
    policies: Vec<(SmolStr, Line)>,
    attributes: Vec<(SmolStr, Source)>,
    /// What is wanted of the metadata.
    metadata: KeyTree,
    /// How many values are.
    slots: usize,
    events: Option<Events>,
}

/// Where an attribute comes from.
#[derive(Clone, Debug, PartialEq)]
enum Source {
    /// From slots of the metadata, the first that has anything.
    Metadata(Range<usize>),
    /// From these places, the first that has anything.
    Places(Vec<Place>),
    /// From the whole sample.
    Field(Box<Field>),
}

#[derive(Clone, Debug, PartialEq)]
enum Place {
    Metadata(usize),
    /// A field of the sample itself.
    Sample(SmolStr),
}

/// What events say of resources of a type.
#[derive(Clone, Debug, PartialEq)]
struct Events {
    /// In the order in which they are tried.
    changes: Vec<(Change, Vec<Glob>)>,
    /// The trait that holds the id.
    id: SmolStr,
    /// Attributes and the traits that hold them.
    attributes: Vec<(SmolStr, SmolStr)>,
    associated: Vec<(SmolStr, Query)>,
}

/// The query for associated resources, around the id.
#[derive(Clone, Debug, PartialEq)]
struct Query {
    before: String,
    after: String,
}

/// Whose the archive policies are that a type's meters get.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policies<'a> {
    pub(crate) default: &'a str,
    /// Instead of all that meters name.
    pub(crate) instead: Option<&'a str>,
}

type Result<T> = std::result::Result<T, InvalidYaml>;

impl DeclaredType {
    /// Reads an entry of `resources`, or says all that is wrong with it.
    pub(crate) fn read(yaml: &Yaml, policies: Policies<'_>) -> std::result::Result<Self, Vec<InvalidYaml>> {
        if !matches!(yaml.value, YamlValue::Map(_)) {
            return Err(vec![InvalidYaml::kind(yaml, "this", "a map")]);
        }
        let mut wrong = Vec::new();
        let mut declared = Self {
            name: SmolStr::default(),
            meters: Vec::new(),
            policies: Vec::new(),
            attributes: Vec::new(),
            metadata: KeyTree::default(),
            slots: 0,
            events: None,
        };
        match text_of(yaml, "resource_type") {
            Ok(Some(name)) => declared.name = name.into(),
            Ok(None) => wrong.push(InvalidYaml::new(yaml, "`resource_type` is missing")),
            Err(problem) => wrong.push(problem),
        }
        match read_meters(yaml, policies) {
            Ok(meters) => declared.meters = meters,
            Err(problem) => wrong.push(problem),
        }
        declared.policies = named_policies(yaml);
        match map_of(yaml, "attributes") {
            Ok(attributes) => {
                for (name, value) in attributes {
                    match Field::read(value) {
                        Ok(field) => declared.add_attribute(name, field),
                        Err(problem) => wrong.push(problem.of(format_args!("attribute `{name}`"))),
                    }
                }
            }
            Err(problem) => wrong.push(problem),
        }
        match Events::read(yaml) {
            Ok(events) => declared.events = events,
            Err(problem) => wrong.push(problem),
        }
        if wrong.is_empty() { Ok(declared) } else { Err(wrong) }
    }

    /// Where the entry first names an archive policy.
    pub(crate) fn place_of_policy(&self, policy: &str) -> Option<Line> {
        self.policies.iter().find(|(name, _)| name == policy).map(|(_, place)| *place)
    }

    fn add_attribute(&mut self, name: &str, field: Field) {
        let source = match field.path().and_then(|path| path.chains()) {
            Some(chains) => self.source(chains),
            None => Source::Field(field.into()),
        };
        self.attributes.push((name.into(), source));
    }

    fn source(&mut self, chains: &Chains) -> Source {
        let first = self.slots;
        let places: Vec<Place> = chains.alternatives().iter().filter_map(|names| self.place(names)).collect();
        if places.iter().all(|place| matches!(place, Place::Metadata(_))) {
            Source::Metadata(first..self.slots)
        } else {
            Source::Places(places)
        }
    }

    /// Nothing, when names lead into what has no inside.
    fn place(&mut self, names: &[String]) -> Option<Place> {
        match names {
            [metadata, inside @ ..] if metadata == "resource_metadata" && !inside.is_empty() => {
                self.metadata.add(inside.iter().map(String::as_str), self.slots);
                self.slots += 1;
                Some(Place::Metadata(self.slots - 1))
            }
            [only] => Some(Place::Sample(only.into())),
            _ => None,
        }
    }
}

impl ResourceType for DeclaredType {
    fn name(&self) -> &str {
        &self.name
    }

    fn meters(&self) -> &[Meter] {
        &self.meters
    }

    fn attributes<'a>(&'a self, sample: &'a Sample, attributes: &mut Attributes<'a>) {
        let mut values = Values::from_elem(None, self.slots);
        if !self.metadata.is_empty() {
            self.metadata.find(sample.metadata.as_str(), &mut values);
        }
        let known = |value: &&str| *value != "null";
        let mut whole = None;
        for (name, source) in &self.attributes {
            let value: Option<Cow<'a, str>> = match source {
                Source::Metadata(slots) => {
                    values[slots.clone()].iter().copied().flatten().find(known).map(Cow::Borrowed)
                }
                Source::Places(places) => places.iter().find_map(|place| match place {
                    Place::Metadata(slot) => values[*slot].filter(known).map(Cow::Borrowed),
                    Place::Sample(field) => sample_field(sample, field),
                }),
                Source::Field(field) => {
                    let whole = whole.get_or_insert_with(|| sample.to_json(SampleForm::Dictionary));
                    field.first(whole).map(|value| Cow::Owned(value.to_json().into_owned()))
                }
            };
            if let Some(value) = value {
                attributes.set(name, value);
            }
        }
    }

    fn lifecycle<'a>(&'a self, event: &'a Event) -> std::result::Result<Option<Lifecycle<'a>>, BadRecord> {
        let Some(events) = &self.events else { return Ok(None) };
        let matches = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(&event.event_type));
        let Some((change, _)) = events.changes.iter().find(|(_, globs)| matches(globs)) else {
            return Ok(None);
        };
        let id = trait_value(event, &events.id).ok_or_else(|| BadRecord::missing(&events.id))?;
        let id = json::decode(id).unwrap_or(Cow::Borrowed(id));
        let mut attributes = Attributes::new();
        for (name, held_by) in &events.attributes {
            if let Some(value) = trait_value(event, held_by) {
                attributes.set(name, value);
            }
        }
        let associated = events
            .associated
            .iter()
            .map(|(resource_type, query)| Associated { resource_type, query: query.for_id(&id) });
        let associated = associated.collect();
        Ok(Some(Lifecycle { change: *change, resource_type: &self.name, id, attributes, associated }))
    }
}

/// A field of a sample by the name that it has in Ceilometer's dictionary.
fn sample_field<'a>(sample: &'a Sample, field: &str) -> Option<Cow<'a, str>> {
    let text = |text: &SmolStr| Some(Cow::Owned(Json::string(text).as_str().to_owned()));
    let optional = |value: &Option<SmolStr>| value.as_ref().and_then(text);
    match field {
        "name" => text(&sample.name),
        "type" => text(&sample.kind),
        "unit" => text(&sample.unit),
        "volume" => Some(Cow::Borrowed(sample.volume.as_str())).filter(|volume| volume != "null"),
        "resource_id" => text(&sample.resource_id),
        "timestamp" => text(&sample.timestamp),
        "project_id" => optional(&sample.project_id),
        "project_name" => optional(&sample.project_name),
        "user_id" => optional(&sample.user_id),
        "user_name" => optional(&sample.user_name),
        "source" => optional(&sample.source),
        "id" => optional(&sample.id),
        "resource_metadata" => Some(Cow::Borrowed(sample.metadata.as_str())),
        other => {
            let (_, value) = sample.extra.iter().find(|(name, _)| name == other)?;
            Some(Cow::Borrowed(value.as_str())).filter(|value| value != "null")
        }
    }
}

fn read_meters(yaml: &Yaml, policies: Policies<'_>) -> Result<Vec<Meter>> {
    let metrics = yaml.get("metrics").ok_or_else(|| InvalidYaml::new(yaml, "`metrics` is missing"))?;
    let of_type = text_of(yaml, "archive_policy")?;
    let named = |yaml: &Yaml, policy: Option<&str>| {
        let name = yaml.as_text().ok_or_else(|| InvalidYaml::kind(yaml, "a metric", "a name"))?;
        // The deprecated policy of the type counts before all others, that of the command line included.
        let policy = policy.filter(|policy| !policy.is_empty()).unwrap_or(policies.default);
        let policy = of_type.or(policies.instead).unwrap_or(policy);
        Ok(Meter::new(name).archived(policy))
    };
    match &metrics.value {
        YamlValue::List(names) => names.iter().map(|name| named(name, None)).collect(),
        YamlValue::Map(entries) => {
            let meter = |(name, extra): &(Yaml, Yaml)| match &extra.value {
                YamlValue::Null => named(name, None),
                YamlValue::Map(_) => named(name, text_of(extra, "archive_policy_name")?),
                _ => Err(InvalidYaml::kind(extra, "what is said of a metric", "a map, or nothing")),
            };
            entries.iter().map(meter).collect()
        }
        _ => Err(InvalidYaml::kind(metrics, "`metrics`", "a list or a map")),
    }
}

/// The archive policies that an entry names, in its order.
fn named_policies(yaml: &Yaml) -> Vec<(SmolStr, Line)> {
    let of_metrics = match yaml.get("metrics").map(|metrics| &metrics.value) {
        Some(YamlValue::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    let of_metrics = of_metrics.iter().filter_map(|(_, extra)| extra.get("archive_policy_name"));
    let names = yaml.get("archive_policy").into_iter().chain(of_metrics);
    names.filter_map(|name| Some((name.as_text()?.into(), name.place))).collect()
}

impl Events {
    fn read(yaml: &Yaml) -> Result<Option<Self>> {
        let keys = [
            ("event_create", Change::Create),
            ("event_delete", Change::End),
            ("event_update", Change::Update),
        ];
        let mut changes = Vec::new();
        for (key, change) in keys {
            if let Some(patterns) = yaml.get(key) {
                changes.push((change, read_patterns(patterns, key)?));
            }
        }
        let mut id = None;
        let mut attributes = Vec::new();
        for (name, held_by) in map_of(yaml, "event_attributes")? {
            let subject = || format!("event attribute `{name}`");
            let text = held_by
                .as_text()
                .ok_or_else(|| InvalidYaml::kind(held_by, subject(), "the name of a trait"))?;
            // That it is a path Ceilometer insists on, though it uses it as a name.
            Field::read(held_by).map_err(|wrong| wrong.of(subject()))?;
            if name == "id" {
                id = Some(text.into());
            } else {
                attributes.push((name.into(), text.into()));
            }
        }
        let mut associated = Vec::new();
        for (resource_type, query) in map_of(yaml, "event_associated_resources")? {
            associated.push((resource_type.into(), Query::read(query)?));
        }
        match (changes.is_empty(), id) {
            (true, _) => Ok(None),
            (false, None) => {
                Err(InvalidYaml::new(yaml, "`event_attributes` has to say which trait is the `id`"))
            }
            (false, Some(id)) => Ok(Some(Self { changes, id, attributes, associated })),
        }
    }
}

fn read_patterns(yaml: &Yaml, key: &str) -> Result<Vec<Glob>> {
    let one = |yaml: &Yaml| match yaml.as_text() {
        Some(pattern) => Ok(Glob::new(pattern)),
        None => Err(InvalidYaml::kind(yaml, format_args!("`{key}`"), "a pattern, or a list of them")),
    };
    match &yaml.value {
        YamlValue::List(patterns) => patterns.iter().map(one).collect(),
        _ => one(yaml).map(|pattern| vec![pattern]),
    }
}

impl Query {
    /// Reads JSON with one `%s` in a string, where the id goes; `%%` is a `%`.
    fn read(yaml: &Yaml) -> Result<Self> {
        let text = yaml.as_text().ok_or_else(|| InvalidYaml::kind(yaml, "a query", "JSON in a text"))?;
        let mut parts = text.split("%s");
        let (Some(before), Some(after), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidYaml::new(yaml, "a query has to have one `%s`, where the id goes"));
        };
        let query = Self { before: before.replace("%%", "%"), after: after.replace("%%", "%") };
        let in_string = query.before.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
        if in_string && Json::parse(&query.text("id")).is_ok() {
            Ok(query)
        } else {
            Err(InvalidYaml::new(yaml, "a query has to be JSON, with `%s` in a string of it"))
        }
    }

    fn text(&self, id: &str) -> String {
        let id = Json::string(id);
        let inner = &id.as_str()[1..id.as_str().len() - 1];
        format!("{}{inner}{}", self.before, self.after)
    }

    fn for_id(&self, id: &str) -> Json {
        Json::parse(&self.text(id)).expect("it was JSON with another id, and this one is escaped")
    }
}

/// The text at a key of a map; nothing, when the key is not there.
fn text_of<'y>(yaml: &'y Yaml, key: &str) -> Result<Option<&'y str>> {
    match yaml.get(key) {
        None => Ok(None),
        Some(value) => match value.as_text() {
            Some(text) => Ok(Some(text)),
            None if value.value == YamlValue::Null && key == "archive_policy_name" => Ok(None),
            None => Err(InvalidYaml::kind(value, format_args!("`{key}`"), "a text")),
        },
    }
}

/// Names and values of the map at a key; none, when the key is not there.
fn map_of<'y>(yaml: &'y Yaml, key: &str) -> Result<Vec<(&'y str, &'y Yaml)>> {
    let Some(map) = yaml.get(key) else { return Ok(Vec::new()) };
    let YamlValue::Map(entries) = &map.value else {
        return Err(InvalidYaml::kind(map, format_args!("`{key}`"), "a map"));
    };
    let entry = |(name, value): &'y (Yaml, Yaml)| match name.as_text() {
        Some(name) => Ok((name, value)),
        None => Err(InvalidYaml::kind(name, format_args!("a name in `{key}`"), "a text")),
    };
    entries.iter().map(entry).collect()
}
