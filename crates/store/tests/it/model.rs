//! Random programs on resources, their types and metrics, held to plain maps and to conditions evaluated one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use nephoscope_gnocchi::{
    Attribute, AttributeKind, AttributeValue, Comparison, Error, Filter, Gnocchi, NamedMetric, NewResource,
    Page, ResourceChange, ResourceSelection, ResourceType, TypeChange, TypeState, Value,
};
use nephoscope_store::{Options, Session, Store};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::{creator, low};

const RESOURCES: u8 = 6;
const TYPE: &str = "instance";
/// What the attribute `rack` is where it was added and nobody said anything.
const NO_RACK: &str = "r0";

#[derive(Clone, Debug)]
enum Step {
    Create(u8, Given),
    Change(u8, Given),
    Delete(u8),
    DeleteWhere(Filter),
    AddMetric(u8, u8),
    DeleteMetric(u8, u8),
    /// Adds the attribute `rack` to the type, or takes it away.
    ToggleRack,
    Search(Filter),
    Compact,
    Reopen,
}

/// What a request says of a resource.
#[derive(Clone, Debug)]
struct Given {
    host: &'static str,
    cores: Option<f64>,
    user: Option<&'static str>,
    rack: &'static str,
}

fn host() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["h1", "h2", "h3", "g%"])
}

fn cores() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![0.5, 1.0, 2.0, 4.0])
}

fn user() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["u1", "u2"])
}

fn given() -> impl Strategy<Value = Given> {
    let rack = prop::sample::select(vec![NO_RACK, "r1"]);
    (host(), prop::option::of(cores()), prop::option::of(user()), rack)
        .prop_map(|(host, cores, user, rack)| Given { host, cores, user, rack })
}

/// What was answered to a condition; nothing where it had to be refused, and was.
fn taken<T: Debug>(filter: &Filter, answer: Result<T, Error>) -> Option<T> {
    if has_empty_part(filter) {
        assert!(matches!(answer, Err(Error::Invalid(_))), "{filter:?}: {answer:?}");
        return None;
    }
    Some(answer.unwrap())
}

/// Whether a condition that says nothing is part of another.
fn has_empty_part(filter: &Filter) -> bool {
    let is_refused = |part: &Filter| part.is_empty() || has_empty_part(part);
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(is_refused),
        Filter::Not(part) => is_refused(part),
        _ => false,
    }
}

fn filter() -> impl Strategy<Value = Filter> {
    use Comparison as C;
    let comparison = prop::sample::select(vec![
        C::Equal,
        C::NotEqual,
        C::Less,
        C::LessOrEqual,
        C::Greater,
        C::GreaterOrEqual,
    ]);
    let text = |text: &str| Value::String(text.into());
    let of = prop_oneof![
        host().prop_map(move |host| ("host", text(host))),
        cores().prop_map(|cores| ("cores", Value::Number(cores))),
        user().prop_map(move |user| ("user_id", text(user))),
        (0..RESOURCES).prop_map(move |number| ("original_resource_id", text(&id(number)))),
        prop::sample::select(vec!["cores", "user_id"]).prop_map(|name| (name, Value::Null)),
    ];
    let leaf = prop_oneof![
        6 => (comparison, of).prop_map(|(comparison, (name, value))| Filter::Compare(comparison, name.into(), value)),
        1 => prop::collection::vec(host(), 0..3)
            .prop_map(move |hosts| Filter::In("host".into(), hosts.into_iter().map(text).collect())),
        1 => prop::collection::vec(cores(), 0..3)
            .prop_map(|cores| Filter::In("cores".into(), cores.into_iter().map(Value::Number).collect())),
        1 => Just(Filter::And(Vec::new())),
        1 => prop::sample::select(vec!["h%", "%2", "h_", "_", "%"]).prop_map(|pattern| Filter::Like("host".into(), pattern.into())),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::Or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

fn step() -> impl Strategy<Value = Step> {
    let number = || 0..RESOURCES;
    prop_oneof![
        6 => (number(), given()).prop_map(|(number, given)| Step::Create(number, given)),
        6 => (number(), given()).prop_map(|(number, given)| Step::Change(number, given)),
        2 => number().prop_map(Step::Delete),
        1 => filter().prop_map(Step::DeleteWhere),
        3 => (number(), 0..3_u8).prop_map(|(number, metric)| Step::AddMetric(number, metric)),
        1 => (number(), 0..3_u8).prop_map(|(number, metric)| Step::DeleteMetric(number, metric)),
        1 => Just(Step::ToggleRack),
        10 => filter().prop_map(Step::Search),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen),
    ]
}

fn id(number: u8) -> String {
    format!("vm-{number}")
}

/// A resource as it should be.
#[derive(Clone, Debug)]
struct Model {
    host: String,
    cores: Option<f64>,
    user: Option<String>,
    rack: Option<String>,
    revisions: usize,
    metrics: BTreeMap<String, Uuid>,
}

impl Model {
    fn value(&self, id: &str, name: &str) -> Option<Value> {
        match name {
            "host" => Some(Value::String(self.host.clone())),
            "cores" => self.cores.map(Value::Number),
            "user_id" => self.user.clone().map(Value::String),
            _ => Some(Value::String(id.into())),
        }
    }

    /// As SQL has it: unknown, where a value is missing.
    fn fulfils(&self, id: &str, filter: &Filter) -> Option<bool> {
        match filter {
            Filter::And(all) => {
                let all: Vec<_> = all.iter().map(|filter| self.fulfils(id, filter)).collect();
                if all.contains(&Some(false)) { Some(false) } else { (!all.contains(&None)).then_some(true) }
            }
            // Gnocchi's: of nothing it takes all.
            Filter::Or(any) if any.is_empty() => Some(true),
            Filter::Or(any) => {
                let any: Vec<_> = any.iter().map(|filter| self.fulfils(id, filter)).collect();
                if any.contains(&Some(true)) { Some(true) } else { (!any.contains(&None)).then_some(false) }
            }
            Filter::Not(filter) => self.fulfils(id, filter).map(|is| !is),
            Filter::Compare(comparison, name, Value::Null) => match comparison {
                Comparison::Equal => Some(self.value(id, name).is_none()),
                Comparison::NotEqual => Some(self.value(id, name).is_some()),
                _ => None,
            },
            Filter::Compare(comparison, name, value) => {
                let Some(own) = self.value(id, name) else {
                    return (*comparison == Comparison::NotEqual).then_some(true);
                };
                let order = match (&own, value) {
                    (Value::String(own), Value::String(value)) => own.cmp(value),
                    (Value::Number(own), Value::Number(value)) => own.total_cmp(value),
                    _ => unreachable!("{own:?} and {value:?}"),
                };
                Some(match comparison {
                    Comparison::Equal => order.is_eq(),
                    Comparison::NotEqual => order.is_ne(),
                    Comparison::Less => order.is_lt(),
                    Comparison::LessOrEqual => order.is_le(),
                    Comparison::Greater => order.is_gt(),
                    Comparison::GreaterOrEqual => order.is_ge(),
                })
            }
            Filter::In(name, values) => Some(values.contains(&self.value(id, name)?)),
            Filter::Like(_, pattern) => Some(match pattern.as_str() {
                "h%" => self.host.starts_with('h'),
                "%2" => self.host.ends_with('2'),
                "h_" => self.host.starts_with('h') && self.host.len() == 2,
                "_" => self.host.len() == 1,
                _ => true,
            }),
        }
    }
}

struct World {
    runtime: Runtime,
    directory: TempDir,
    store: Option<Store>,
    resources: BTreeMap<String, Model>,
    has_rack: bool,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), Options::default()).unwrap();
        let runtime = Runtime::new().unwrap();
        let text = AttributeKind::String { min_length: 0, max_length: 16 };
        let attribute = |kind, required| Attribute { kind, required };
        let cores = AttributeKind::Number { min: None, max: None };
        let attributes =
            [("host".into(), attribute(text, true)), ("cores".into(), attribute(cores, false))].into();
        let new = ResourceType { name: TYPE.into(), attributes, state: TypeState::Active };
        let user = store.as_user(creator("jd"));
        runtime.block_on(user.create_archive_policy(low())).unwrap();
        runtime.block_on(user.create_resource_type(new)).unwrap();
        Self { runtime, directory, store: Some(store), resources: BTreeMap::new(), has_rack: false }
    }

    fn user(&self) -> Session {
        self.store.as_ref().unwrap().as_user(creator("jd"))
    }

    fn attributes(&self, given: &Given) -> BTreeMap<String, AttributeValue> {
        let cores = given.cores.map_or(AttributeValue::Null, AttributeValue::Number);
        let text = |text: &str| AttributeValue::String(text.into());
        let mut attributes: BTreeMap<_, _> =
            [("host".to_owned(), text(given.host)), ("cores".to_owned(), cores)].into();
        if self.has_rack {
            attributes.insert("rack".into(), text(given.rack));
        }
        attributes
    }

    fn take(&mut self, step: &Step) {
        let user = self.user();
        match step {
            Step::Create(number, given) => {
                let id = id(*number);
                let new = NewResource {
                    id: id.clone(),
                    user_id: given.user.map(Into::into),
                    attributes: self.attributes(given),
                    ..NewResource::default()
                };
                let made = self.runtime.block_on(user.create_resource(TYPE, new));
                assert_eq!(made.is_ok(), !self.resources.contains_key(&id), "{made:?}");
                self.resources.entry(id).or_insert_with(|| Model {
                    host: given.host.into(),
                    cores: given.cores,
                    user: given.user.map(Into::into),
                    rack: self.has_rack.then(|| given.rack.into()),
                    revisions: 1,
                    metrics: BTreeMap::new(),
                });
            }
            Step::Change(number, given) => {
                let id = id(*number);
                let change = ResourceChange {
                    user_id: Some(given.user.map(Into::into)),
                    attributes: self.attributes(given),
                    ..ResourceChange::default()
                };
                let changed = self.runtime.block_on(user.update_resource(TYPE, &id, change));
                assert_eq!(changed.is_ok(), self.resources.contains_key(&id), "{changed:?}");
                if let Some(known) = self.resources.get_mut(&id) {
                    let before = known.clone();
                    known.host = given.host.into();
                    known.cores = given.cores;
                    known.user = given.user.map(Into::into);
                    known.rack = self.has_rack.then(|| given.rack.into());
                    let is_other = (&before.host, before.cores, &before.user, &before.rack)
                        != (&known.host, known.cores, &known.user, &known.rack);
                    known.revisions += usize::from(is_other);
                }
            }
            Step::Delete(number) => {
                let id = id(*number);
                let deleted = self.runtime.block_on(user.delete_resource(TYPE, &id));
                assert_eq!(deleted.is_ok(), self.resources.remove(&id).is_some(), "{deleted:?}");
            }
            Step::DeleteWhere(filter) => {
                let deleted = self.runtime.block_on(user.delete_resources(TYPE, filter));
                let Some(deleted) = taken(filter, deleted) else { return };
                let found = self.found(filter);
                assert_eq!(deleted, found.len() as u64, "{filter:?}");
                self.resources.retain(|id, _| !found.contains(id));
            }
            Step::AddMetric(number, metric) => {
                let (id, name) = (id(*number), format!("m{metric}"));
                let policy = NamedMetric::New { archive_policy_name: Some("low".into()), unit: None };
                let added = self.runtime.block_on(user.add_metrics(TYPE, &id, vec![(name.clone(), policy)]));
                let known = self.resources.get_mut(&id).filter(|known| !known.metrics.contains_key(&name));
                assert_eq!(added.is_ok(), known.is_some(), "{added:?}");
                if let (Some(known), Ok(added)) = (known, added) {
                    known.metrics.insert(name.clone(), added.metrics[&name]);
                }
            }
            Step::DeleteMetric(number, metric) => {
                let known = self.resources.get_mut(&id(*number));
                if let Some(metric) = known.and_then(|known| known.metrics.remove(&format!("m{metric}"))) {
                    self.runtime.block_on(user.delete_metric(metric)).unwrap();
                    assert!(self.runtime.block_on(user.metric(metric)).is_err());
                }
            }
            Step::ToggleRack => {
                let kind = AttributeKind::String { min_length: 0, max_length: 8 };
                let fill = AttributeValue::String(NO_RACK.into());
                let mut change = TypeChange::default();
                if self.has_rack {
                    change.remove.push("rack".into());
                } else {
                    change.add.insert("rack".into(), (Attribute { kind, required: true }, fill));
                }
                self.runtime.block_on(user.update_resource_type(TYPE, change)).unwrap();
                self.has_rack = !self.has_rack;
                for known in self.resources.values_mut() {
                    known.rack = self.has_rack.then(|| NO_RACK.into());
                }
            }
            Step::Search(filter) => {
                let selection =
                    ResourceSelection { filter: Some(filter.clone()), ..ResourceSelection::default() };
                let found = self.runtime.block_on(user.resources(TYPE, &selection));
                let Some(found) = taken(filter, found) else { return };
                let found: BTreeSet<_> = found.into_iter().map(|found| found.original_resource_id).collect();
                assert_eq!(found, self.found(filter), "{filter:?}");
            }
            Step::Compact => {
                drop(user);
                self.runtime.block_on(self.store.as_ref().unwrap().compact()).unwrap();
            }
            Step::Reopen => {
                drop((user, self.store.take()));
                self.store = Some(Store::open(self.directory.path(), Options::default()).unwrap());
            }
        }
    }

    fn found(&self, filter: &Filter) -> BTreeSet<String> {
        let found = self.resources.iter().filter(|(id, known)| known.fulfils(id, filter) == Some(true));
        found.map(|(id, _)| id.clone()).collect()
    }

    /// That everything is as in the model.
    fn check(&self) {
        let user = self.user();
        for (id, known) in &self.resources {
            let found = self.runtime.block_on(user.resource(TYPE, id)).unwrap();
            let text = |name: &str| match found.attributes.get(name) {
                Some(AttributeValue::String(text)) => Some(text.clone()),
                _ => None,
            };
            assert_eq!(text("host").as_ref(), Some(&known.host), "{id}");
            assert_eq!(text("rack"), known.rack, "{id}");
            assert_eq!(found.user_id, known.user, "{id}");
            assert_eq!(found.metrics, known.metrics, "{id}");
            let history = self.runtime.block_on(user.history(TYPE, id, &Page::default())).unwrap();
            assert_eq!(history.len(), known.revisions, "{id}");
        }
        let store = self.store.as_ref().unwrap();
        assert_eq!(self.runtime.block_on(store.check()).unwrap(), Vec::<String>::new());
        let stats = self.runtime.block_on(store.stats()).unwrap();
        let metrics: usize = self.resources.values().map(|known| known.metrics.len()).sum();
        assert_eq!((stats.resources, stats.metrics), (self.resources.len(), metrics));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn resources_are_as_they_were_made_and_are_found_by_what_they_are(
        steps in prop::collection::vec(step(), 1..50),
    ) {
        let mut world = World::new();
        steps.iter().for_each(|step| world.take(step));
        world.check();
        world.take(&Step::Reopen);
        world.check();
    }
}
