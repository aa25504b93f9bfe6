use std::collections::BTreeMap;

use indexmap::IndexMap;
use nephoscope_gnocchi::{
    Attribute, AttributeKind, AttributeValue, Comparison, Direction, Error, Filter, Gnocchi, Measure,
    NamedMetric, NewResource, Nulls, Page, ResourceChange, ResourceSelection, ResourceType, Sort, TypeChange,
    TypeState, Value,
};
use uuid::Uuid;

use crate::{creator, fresh, new_metric, seconds, with_policy};

fn text() -> AttributeKind {
    AttributeKind::String { min_length: 0, max_length: 16 }
}

fn instance() -> ResourceType {
    let attribute = |kind, required| Attribute { kind, required };
    ResourceType {
        name: "instance".into(),
        attributes: IndexMap::from([
            ("host".into(), attribute(text(), true)),
            ("cores".into(), attribute(AttributeKind::Number { min: Some(0.0), max: None }, false)),
        ]),
        state: TypeState::Active,
    }
}

fn vm(id: &str, host: &str, cores: Option<f64>) -> NewResource {
    let cores = cores.map_or(AttributeValue::Null, AttributeValue::Number);
    let host = AttributeValue::String(host.into());
    NewResource {
        id: id.into(),
        attributes: BTreeMap::from([("host".into(), host), ("cores".into(), cores)]),
        ..NewResource::default()
    }
}

fn is(comparison: Comparison, field: &str, value: Value) -> Filter {
    Filter::Compare(comparison, field.into(), value)
}

fn equal(field: &str, value: &str) -> Filter {
    is(Comparison::Equal, field, Value::String(value.into()))
}

fn chosen(filter: Filter) -> ResourceSelection {
    ResourceSelection { filter: Some(filter), ..ResourceSelection::default() }
}

#[tokio::test]
async fn an_id_of_other_text_is_each_creators_own() {
    let fresh = fresh();
    let other = fresh.store.as_user(creator("other"));
    let made =
        fresh.user.create_resource("generic", NewResource { id: "vm".into(), ..NewResource::default() });
    let made = made.await.unwrap();
    assert_eq!(made.original_resource_id, "vm");
    assert_eq!(made.creator.as_deref(), Some("jd:p"));
    assert!(matches!(other.resource("generic", "vm").await, Err(Error::NoSuchResource(_))));
    assert_eq!(other.resource("generic", &made.id.to_string()).await.unwrap(), made);
    let again = NewResource { id: made.id.to_string().to_uppercase(), ..NewResource::default() };
    let error = other.create_resource("generic", again).await.unwrap_err();
    assert_eq!(error.to_string(), format!("Resource {} already exists", made.id));
}

#[tokio::test]
async fn a_change_of_an_attribute_ends_a_revision_and_one_of_metrics_does_not() {
    let fresh = with_policy().await;
    let user = &fresh.user;
    user.create_resource_type(instance()).await.unwrap();
    let made = user.create_resource("instance", vm("vm", "h1", None)).await.unwrap();
    let metrics = Some([("cpu".to_owned(), new_metric())].into_iter().collect());
    let change = ResourceChange { metrics, ..ResourceChange::default() };
    let changed = user.update_resource("instance", "vm", change).await.unwrap();
    assert_eq!(changed.revision_start, made.revision_start);
    assert!(changed.metrics.contains_key("cpu"));

    let attributes = BTreeMap::from([("host".to_owned(), AttributeValue::String("h2".into()))]);
    let change = ResourceChange { attributes, ..ResourceChange::default() };
    let changed = user.update_resource("instance", "vm", change.clone()).await.unwrap();
    let again = user.update_resource("instance", "vm", change.clone()).await.unwrap();
    assert_eq!(changed, again);
    let history = user.history("instance", "vm", &Page::default()).await.unwrap();
    let hosts: Vec<_> =
        history.iter().map(|revision| (revision.revision, &revision.attributes["host"])).collect();
    let (h1, h2) = (AttributeValue::String("h1".into()), AttributeValue::String("h2".into()));
    assert_eq!(hosts, [(1, &h1), (-1, &h2)]);
    assert_eq!(history[0].revision_end, Some(history[1].revision_start));
    assert_eq!(history[0].metrics, history[1].metrics);

    let late = ResourceChange { if_revision_start: Some(made.revision_start), ..change };
    assert!(matches!(user.update_resource("instance", "vm", late).await, Err(Error::RevisionChanged)));
    let page = Page { marker: Some(format!("{}@1", made.id)), ..Page::default() };
    assert_eq!(user.history("instance", "vm", &page).await.unwrap(), history[1..]);
}

#[tokio::test]
async fn metrics_are_replaced_or_added() {
    let fresh = with_policy().await;
    let user = &fresh.user;
    let metrics = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), new_metric())).collect();
    let new = NewResource { id: "vm".into(), metrics: metrics(&["a", "b"]), ..NewResource::default() };
    let made = user.create_resource("generic", new).await.unwrap();
    let more = vec![("c".to_owned(), new_metric())];
    let more = user.add_metrics("generic", "vm", more).await.unwrap();
    assert_eq!(more.metrics.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    let twice = user.add_metrics("generic", "vm", vec![("a".to_owned(), new_metric())]).await;
    assert_eq!(twice.unwrap_err().to_string(), "Named metric a already exists");
    // The two swap their names, and the third is let go.
    let (a, b) = (made.metrics["a"], made.metrics["b"]);
    let swapped = [("a", b), ("b", a)].map(|(name, id)| (name.to_owned(), NamedMetric::Existing(id)));
    let metrics = Some(swapped.into_iter().collect());
    let change = ResourceChange { metrics, ..ResourceChange::default() };
    let changed = user.update_resource("generic", "vm", change).await.unwrap();
    assert_eq!(changed.metrics, BTreeMap::from([("a".to_owned(), b), ("b".to_owned(), a)]));
    assert_eq!(user.metric(more.metrics["c"]).await.unwrap().resource, None);
    // Nobody takes what is another's.
    let other = fresh.store.as_user(creator("other"));
    let theft = [("x".to_owned(), NamedMetric::Existing(a))].into_iter().collect();
    let theft = NewResource { id: "theirs".into(), metrics: theft, ..NewResource::default() };
    assert!(matches!(other.create_resource("generic", theft).await, Err(Error::NoSuchMetric(_))));
    user.delete_resource("generic", "vm").await.unwrap();
    assert!(matches!(user.metric(a).await, Err(Error::NoSuchMetric(_))));
    user.metric(more.metrics["c"]).await.unwrap();
}

#[tokio::test]
async fn resources_are_found_by_their_attributes() {
    let fresh = fresh();
    let user = &fresh.user;
    user.create_resource_type(instance()).await.unwrap();
    for (id, host, cores) in [("a", "h1", Some(1.0)), ("b", "h1", None), ("c", "h2", Some(4.0))] {
        user.create_resource("instance", vm(id, host, cores)).await.unwrap();
    }
    user.create_resource("generic", NewResource { id: "g".into(), ..NewResource::default() }).await.unwrap();
    let number = Value::Number;
    let one = Filter::Not(Box::new(is(Comparison::Equal, "cores", number(1.0))));
    for (filter, expected) in [
        (equal("host", "h1"), "ab"),
        (is(Comparison::NotEqual, "cores", number(1.0)), "bc"),
        // What is missing is neither one nor not one.
        (one, "c"),
        (is(Comparison::Equal, "cores", Value::Null), "b"),
        (is(Comparison::NotEqual, "cores", Value::Null), "ac"),
        (is(Comparison::GreaterOrEqual, "cores", number(1.0)), "ac"),
        (is(Comparison::Less, "cores", number(4.0)), "a"),
        (Filter::In("host".into(), vec![Value::String("h2".into()), Value::String("h3".into())]), "c"),
        (Filter::In("cores".into(), vec![number(1.0), Value::Null]), "a"),
        // Whether something is nothing nobody knows, so nothing is surely not among these.
        (Filter::Not(Box::new(Filter::In("cores".into(), vec![number(1.0), Value::Null]))), ""),
        (Filter::Not(Box::new(Filter::In("cores".into(), vec![number(1.0)]))), "c"),
        (Filter::Like("host".into(), "%1".into()), "ab"),
        (Filter::Or(vec![equal("id", "a"), equal("original_resource_id", "c")]), "ac"),
        (Filter::And(vec![equal("host", "h1"), is(Comparison::Equal, "cores", number(1.0))]), "a"),
        (equal("created_by_user_id", "jd"), "abc"),
        (is(Comparison::NotEqual, "created_by_project_id", Value::String("p".into())), ""),
        (equal("type", "instance"), "abc"),
        (is(Comparison::Greater, "lifespan", number(1.0)), ""),
    ] {
        let found = user.resources("instance", &chosen(filter.clone())).await.unwrap();
        let found: String = found.iter().map(|found| found.original_resource_id.as_str()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    let all = user.resources("generic", &ResourceSelection::default()).await.unwrap();
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|found| found.attributes.is_empty()));
    let details = ResourceSelection { details: true, ..ResourceSelection::default() };
    assert_eq!(user.resources("generic", &details).await.unwrap()[0].attributes.len(), 2);

    for (filter, message) in [
        (equal("nothing", ""), "Resource type instance has no nothing attribute"),
        (equal("cores", "many"), "Invalid value: `many' for field `cores'"),
        (
            is(Comparison::Less, "created_by_user_id", Value::String("jd".into())),
            "Invalid value: `jd' for field `created_by_user_id'",
        ),
    ] {
        let error = user.resources("instance", &chosen(filter)).await.unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    assert_eq!(user.delete_resources("instance", &equal("host", "h1")).await.unwrap(), 2);
    let all = user.resources("instance", &ResourceSelection::default()).await.unwrap();
    assert_eq!(all.len(), 1);
}

#[tokio::test]
async fn lists_are_sorted_with_missing_values_where_they_are_wanted() {
    let fresh = fresh();
    let user = &fresh.user;
    user.create_resource_type(instance()).await.unwrap();
    for (id, cores) in [("a", Some(2.0)), ("b", None), ("c", Some(1.0))] {
        user.create_resource("instance", vm(id, "h", cores)).await.unwrap();
    }
    for (direction, nulls, expected) in [
        (Direction::Ascending, None, "cab"),
        (Direction::Descending, None, "bac"),
        (Direction::Ascending, Some(Nulls::First), "bca"),
        (Direction::Descending, Some(Nulls::Last), "acb"),
    ] {
        let mut listed = String::new();
        let mut marker = None;
        // Page by page.
        loop {
            let sort = vec![Sort { key: "cores".into(), direction, nulls }];
            let page = Page { limit: Some(1), marker: marker.clone(), sort };
            let selection = ResourceSelection { page, ..ResourceSelection::default() };
            let Some(next) = user.resources("instance", &selection).await.unwrap().pop() else { break };
            listed += &next.original_resource_id;
            marker = Some(next.id.to_string());
        }
        assert_eq!(listed, expected, "{direction:?} {nulls:?}");
    }
    let sort = vec![Sort { key: "size".into(), direction: Direction::Ascending, nulls: None }];
    let page = Page { sort, ..Page::default() };
    let selection = ResourceSelection { page, ..ResourceSelection::default() };
    let error = user.resources("instance", &selection).await.unwrap_err();
    assert_eq!(error.to_string(), "Invalid pagination: `Sort key supplied is invalid: size'");
}

#[tokio::test]
async fn a_type_gets_attributes_which_its_resources_have_at_once() {
    let fresh = fresh();
    let user = &fresh.user;
    user.create_resource_type(instance()).await.unwrap();
    user.create_resource("instance", vm("a", "h1", None)).await.unwrap();
    let flavor = Attribute { kind: text(), required: true };
    let add = |fill: AttributeValue| TypeChange {
        add: IndexMap::from([("flavor".to_owned(), (flavor.clone(), fill))]),
        remove: vec!["cores".to_owned()],
    };
    assert!(user.update_resource_type("instance", add(AttributeValue::Null)).await.is_err());
    let changed = add(AttributeValue::String("small".into()));
    user.update_resource_type("instance", changed).await.unwrap();
    let found = user.resources("instance", &chosen(equal("flavor", "small"))).await.unwrap();
    assert_eq!(found[0].attributes.keys().collect::<Vec<_>>(), ["host", "flavor"]);
    assert!(matches!(user.delete_resource_type("instance").await, Err(Error::ResourceTypeInUse(_))));
    assert!(matches!(user.delete_resource_type("generic").await, Err(Error::ResourceTypeInUse(_))));
    user.delete_resource("instance", "a").await.unwrap();
    user.delete_resource_type("instance").await.unwrap();
}

#[tokio::test]
async fn what_a_resource_must_not_be_is_refused() {
    let fresh = fresh();
    let user = &fresh.user;
    user.create_resource_type(instance()).await.unwrap();
    let without = NewResource { id: "a".into(), ..NewResource::default() };
    let error = user.create_resource("instance", without.clone()).await.unwrap_err();
    assert_eq!(error.to_string(), "required key not provided @ data['host']");
    let negative = vm("a", "h", Some(-1.0));
    assert!(matches!(
        user.create_resource("instance", negative).await,
        Err(Error::InvalidAttributeValue { attribute, .. }) if attribute == "cores"
    ));
    let reversed =
        NewResource { started_at: Some(seconds(2)), ended_at: Some(seconds(1)), ..without.clone() };
    let error = user.create_resource("generic", reversed).await.unwrap_err();
    assert_eq!(error.to_string(), "Start timestamp cannot be after end timestamp");
    let slash = NewResource { id: "a/b".into(), ..NewResource::default() };
    let error = user.create_resource("generic", slash).await.unwrap_err();
    assert_eq!(error.to_string(), "'/' is not supported in resource id");
    let made = user.create_resource("generic", without).await.unwrap();
    let change = ResourceChange { ended_at: Some(Some(seconds(1))), ..ResourceChange::default() };
    let error = user.update_resource("generic", "a", change).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Value 1970-01-01 00:00:01+00:00 for attribute ended_at on resource type generic is invalid"
    );
    assert!(matches!(user.resource("instance", "a").await, Err(Error::NoSuchResource(_))));
    assert_ne!(made.id, Uuid::nil());
}

#[tokio::test]
async fn a_resource_that_is_measured_after_its_end_is_back() {
    let fresh = with_policy().await;
    let user = &fresh.user;
    let metrics =
        [("cpu".to_owned(), NamedMetric::New { archive_policy_name: Some("low".into()), unit: None })];
    let new = NewResource {
        id: "vm".into(),
        started_at: Some(seconds(1)),
        ended_at: Some(seconds(1_000)),
        metrics: metrics.into_iter().collect(),
        ..NewResource::default()
    };
    let made = user.create_resource("generic", new).await.unwrap();
    let write = |at| {
        user.add_measures(vec![(made.metrics["cpu"], vec![Measure { timestamp: seconds(at), value: 1.0 }])])
    };
    write(999).await.unwrap();
    assert_eq!(user.resource("generic", "vm").await.unwrap().ended_at, Some(seconds(1_000)));
    write(1_000).await.unwrap();
    assert_eq!(user.resource("generic", "vm").await.unwrap().ended_at, None);
    let history = user.history("generic", "vm", &Page::default()).await.unwrap();
    let ends: Vec<_> = history.iter().map(|revision| revision.ended_at).collect();
    assert_eq!(ends, [Some(seconds(1_000)), None]);
}
