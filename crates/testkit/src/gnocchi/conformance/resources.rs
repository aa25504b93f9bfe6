//! Resources and their metrics.

use indexmap::IndexMap;
use nephoscope_gnocchi::{
    AttributeKind, AttributeValue, Error, NamedMetric, NewResource, ResourceChange, ResourceSelection,
    Timestamp,
};
use uuid::Uuid;

use super::Case;
use super::bench::{Bench, TEXT, assert_refused, is, map, seconds, text};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_resource_is_there_as_it_was_made,
        a_resource_is_made_once,
        a_name_means_the_resource_of_whoever_made_it,
        a_resource_is_of_its_type,
        metrics_are_made_with_a_resource,
        metrics_that_cannot_be_made_keep_their_resource_from_being_made,
        metrics_of_a_resource_are_replaced,
        metrics_are_added_to_a_resource,
        what_an_attribute_cannot_be_is_refused,
        a_resource_is_deleted_with_its_metrics,
        resources_are_deleted_by_a_filter,
        a_list_is_read_whole_or_in_parts,
        what_all_resources_have_is_in_every_list,
    ]
}

const NUMBER: AttributeKind = AttributeKind::Number { min: Some(0.0), max: Some(100.0) };

fn new(policy: &str) -> NamedMetric {
    NamedMetric::New { archive_policy_name: Some(policy.into()), unit: None }
}

/// To the microsecond, as Gnocchi keeps it.
fn moment(micros: i64) -> Timestamp {
    Timestamp::from_nanos(1_500_000_000_000_000_000 + micros * 1000)
}

async fn a_resource_is_there_as_it_was_made(bench: Bench) {
    let kinds = [
        ("text", TEXT),
        ("uuid", AttributeKind::Uuid),
        ("number", NUMBER),
        ("bool", AttributeKind::Bool),
        ("moment", AttributeKind::Datetime),
        ("unsaid", TEXT),
    ];
    let of_type = bench.resource_type("type", &kinds).await.name;
    let id = Uuid::new_v4();
    let attributes = map(&[
        ("text", text("é \"quoted\" \u{1F327}")),
        ("uuid", AttributeValue::Uuid(Uuid::from_u128(1 << 100))),
        ("number", AttributeValue::Number(0.1)),
        ("bool", AttributeValue::Bool(true)),
        ("moment", AttributeValue::Datetime(moment(1))),
    ]);
    let resource = NewResource {
        id: id.to_string(),
        user_id: Some("user".into()),
        project_id: Some("project".into()),
        started_at: Some(moment(-5_000_000)),
        ended_at: Some(moment(123_456)),
        attributes: attributes.clone(),
        metrics: IndexMap::new(),
    };
    let made = bench.gnocchi.create_resource(&of_type, resource).await.expect("it is made");
    assert_eq!((made.id, made.original_resource_id.as_str()), (id, id.to_string().as_str()));
    assert_eq!(made.resource_type, of_type);
    assert_eq!(made.creator.as_deref(), Some("admin"));
    assert_eq!((made.user_id.as_deref(), made.project_id.as_deref()), (Some("user"), Some("project")));
    assert_eq!((made.started_at, made.ended_at), (moment(-5_000_000), Some(moment(123_456))));
    assert_eq!((made.revision, made.revision_end), (-1, None));
    let mut wanted = attributes;
    wanted.insert("unsaid".into(), AttributeValue::Null);
    let found: std::collections::BTreeMap<_, _> = made.attributes.clone().into_iter().collect();
    assert_eq!(found, wanted);
    assert_eq!(bench.gnocchi.resource(&of_type, &id.to_string()).await.expect("it is there"), made);
    assert_eq!(
        bench.gnocchi.resource(&of_type, &id.simple().to_string().to_uppercase()).await.expect("it is"),
        made
    );
}

async fn a_resource_is_made_once(bench: Bench) {
    let made = bench.resource("generic", "a", &[]).await;
    let again = NewResource { id: bench.own("a"), ..NewResource::default() };
    assert_refused!(
        bench.gnocchi.create_resource("generic", again.clone()).await,
        Error::ResourceAlreadyExists(_)
    );
    let of_type = bench.resource_type("type", &[("host", TEXT)]).await.name;
    assert_refused!(bench.gnocchi.create_resource(&of_type, again).await, Error::ResourceAlreadyExists(_));
    let by_id = NewResource { id: made.id.to_string(), ..NewResource::default() };
    assert_refused!(bench.gnocchi.create_resource("generic", by_id).await, Error::ResourceAlreadyExists(_));
}

async fn a_name_means_the_resource_of_whoever_made_it(bench: Bench) {
    let own = bench.resource("generic", "a", &[]).await;
    assert_eq!(own.original_resource_id, bench.own("a"));
    let name = bench.own("a");
    assert_refused!(bench.other.resource("generic", &name).await, Error::NoSuchResource(_));
    let resource = NewResource { id: name.clone(), ..NewResource::default() };
    let theirs = bench.other.create_resource("generic", resource).await.expect("it is another one");
    assert_eq!(theirs.creator.as_deref(), Some("other"));
    assert_ne!(theirs.id, own.id);
    assert_eq!(bench.other.resource("generic", &name).await.expect("it is there"), theirs);
    assert_eq!(bench.gnocchi.resource("generic", &name).await.expect("it is there"), own);
    assert_eq!(bench.gnocchi.resource("generic", &theirs.id.to_string()).await.expect("it is there"), theirs);
}

async fn a_resource_is_of_its_type(bench: Bench) {
    let one = bench.resource_type("one", &[("host", TEXT)]).await.name;
    let other = bench.resource_type("other", &[]).await.name;
    let made = bench.resource(&one, "a", &[("host", text("h"))]).await;
    let name = bench.own("a");
    assert_refused!(bench.gnocchi.resource(&other, &name).await, Error::NoSuchResource(_));
    let generic = bench.gnocchi.resource("generic", &name).await.expect("all are generic");
    assert_eq!((generic.id, &generic.resource_type, generic.attributes.len()), (made.id, &one, 0));
    assert_eq!(bench.found(&other, is("id", &name)).await, [""; 0]);
    assert_eq!(bench.found("generic", is("type", &one)).await, ["a"]);
}

async fn metrics_are_made_with_a_resource(bench: Bench) {
    let policy = bench.policy().await;
    let there = bench.metric(&policy).await;
    let (name, unit) = (Some(policy.name.clone()), Some("MB".to_owned()));
    let metrics = IndexMap::from([
        ("cpu".to_owned(), new(&policy.name)),
        ("mem é".to_owned(), NamedMetric::New { archive_policy_name: name, unit }),
        ("there".to_owned(), NamedMetric::Existing(there)),
    ]);
    let resource = NewResource { id: bench.own("a"), metrics, ..NewResource::default() };
    let made = bench.gnocchi.create_resource("generic", resource).await.expect("it is made");
    assert_eq!(made.metrics.keys().collect::<Vec<_>>(), ["cpu", "mem é", "there"]);
    assert_eq!(made.metrics["there"], there);
    let mem = bench.gnocchi.metric(made.metrics["mem é"]).await.expect("it is there");
    assert_eq!((mem.name.as_deref(), mem.unit.as_deref()), (Some("mem é"), Some("MB")));
    assert_eq!(mem.resource_id, Some(made.id));
    let there = bench.gnocchi.metric(there).await.expect("it is there");
    assert_eq!((there.name.as_deref(), there.resource_id), (Some("there"), Some(made.id)));
    assert_eq!(bench.gnocchi.resource("generic", &bench.own("a")).await.expect("it is there"), made);
}

async fn metrics_that_cannot_be_made_keep_their_resource_from_being_made(bench: Bench) {
    let make = async |metric: NamedMetric| {
        let metrics = IndexMap::from([(bench.own("cpu"), metric)]);
        let resource = NewResource { id: bench.own("a"), metrics, ..NewResource::default() };
        bench.gnocchi.create_resource("generic", resource).await
    };
    let nowhere = bench.own("nowhere");
    assert_refused!(make(new(&nowhere)).await, Error::NoSuchArchivePolicy(name) if *name == nowhere);
    assert_refused!(make(NamedMetric::Existing(Uuid::from_u128(5))).await, Error::NoSuchMetric(_));
    let by_rule = NamedMetric::New { archive_policy_name: None, unit: None };
    assert_refused!(make(by_rule).await, Error::NoArchivePolicyRuleMatch(_));
    assert_refused!(bench.gnocchi.resource("generic", &bench.own("a")).await, Error::NoSuchResource(_));
}

async fn metrics_of_a_resource_are_replaced(bench: Bench) {
    let policy = bench.policy().await;
    let metrics = |names: &[&str]| {
        names.iter().map(|name| ((*name).to_owned(), new(&policy.name))).collect::<IndexMap<_, _>>()
    };
    let resource =
        NewResource { id: bench.own("a"), metrics: metrics(&["cpu", "mem"]), ..NewResource::default() };
    let made = bench.gnocchi.create_resource("generic", resource).await.expect("it is made");
    let mut others = metrics(&["disk"]);
    others.insert("memory".into(), NamedMetric::Existing(made.metrics["mem"]));
    let change = ResourceChange { metrics: Some(others), ..ResourceChange::default() };
    let changed =
        bench.gnocchi.update_resource("generic", &bench.own("a"), change).await.expect("it changes");
    assert_eq!(changed.metrics.keys().collect::<Vec<_>>(), ["disk", "memory"]);
    assert_eq!(changed.metrics["memory"], made.metrics["mem"]);
    assert_eq!(changed.revision_start, made.revision_start);
    let left = bench.gnocchi.metric(made.metrics["cpu"]).await.expect("it stays, without a resource");
    assert_eq!((left.name.as_deref(), left.resource_id), (Some("cpu"), None));
}

async fn metrics_are_added_to_a_resource(bench: Bench) {
    let policy = bench.policy().await;
    let made = bench.resource("generic", "a", &[]).await;
    let there = bench.metric(&policy).await;
    let metrics =
        vec![("cpu".to_owned(), new(&policy.name)), ("there".to_owned(), NamedMetric::Existing(there))];
    let changed =
        bench.gnocchi.add_metrics("generic", &bench.own("a"), metrics).await.expect("they are added");
    assert_eq!(changed.metrics.keys().collect::<Vec<_>>(), ["cpu", "there"]);
    assert_eq!((changed.id, changed.revision_start), (made.id, made.revision_start));
    let again = vec![("cpu".to_owned(), new(&policy.name))];
    let again = bench.gnocchi.add_metrics("generic", &bench.own("a"), again).await;
    assert_refused!(again, Error::NamedMetricAlreadyExists(name) if name == "cpu");
    let nowhere = bench.gnocchi.add_metrics("generic", &bench.own("b"), vec![]).await;
    assert_refused!(nowhere, Error::NoSuchResource(_));
}

async fn what_an_attribute_cannot_be_is_refused(bench: Bench) {
    let required = bench.resource_type("type", &[("host", TEXT), ("cores", NUMBER)]).await;
    let make = async |of_type: &str, resource: NewResource| {
        let resource = NewResource { id: bench.own("a"), ..resource };
        bench.gnocchi.create_resource(of_type, resource).await
    };
    let with = |attributes: &[(&str, AttributeValue)]| NewResource {
        attributes: map(attributes),
        ..NewResource::default()
    };
    for attributes in [
        [("cores", AttributeValue::Number(101.0))],
        [("cores", text("1"))],
        [("host", text(&"x".repeat(256)))],
        [("host", AttributeValue::Bool(true))],
        [("unknown", text("x"))],
    ] {
        let made = make(&required.name, with(&attributes)).await;
        assert_refused!(
            made,
            Error::Invalid(_) | Error::InvalidAttributeValue { .. } | Error::NoSuchAttribute { .. }
        );
    }
    let reversed =
        NewResource { started_at: Some(seconds(2)), ended_at: Some(seconds(1)), ..NewResource::default() };
    assert_refused!(make("generic", reversed).await, Error::Invalid(_));
    assert_refused!(bench.gnocchi.resource("generic", &bench.own("a")).await, Error::NoSuchResource(_));
    let made = make("generic", NewResource::default()).await.expect("it is made");
    let change = ResourceChange { ended_at: Some(Some(seconds(1))), ..ResourceChange::default() };
    let changed = bench.gnocchi.update_resource("generic", &bench.own("a"), change).await;
    assert_refused!(changed, Error::InvalidAttributeValue { attribute, .. } if attribute == "ended_at");
    assert_eq!(bench.gnocchi.resource("generic", &bench.own("a")).await.expect("it is there"), made);
}

async fn a_resource_is_deleted_with_its_metrics(bench: Bench) {
    let policy = bench.policy().await;
    let metrics = IndexMap::from([("cpu".to_owned(), new(&policy.name))]);
    let resource = NewResource { id: bench.own("a"), metrics, ..NewResource::default() };
    let made = bench.gnocchi.create_resource("generic", resource).await.expect("it is made");
    bench.gnocchi.delete_resource("generic", &bench.own("a")).await.expect("it is deleted");
    assert_refused!(bench.gnocchi.resource("generic", &bench.own("a")).await, Error::NoSuchResource(_));
    assert_refused!(bench.gnocchi.metric(made.metrics["cpu"]).await, Error::NoSuchMetric(_));
    let again = bench.gnocchi.delete_resource("generic", &bench.own("a")).await;
    assert_refused!(again, Error::NoSuchResource(_));
    bench.resource("generic", "a", &[]).await;
}

async fn resources_are_deleted_by_a_filter(bench: Bench) {
    let of_type = bench.resource_type("type", &[("host", TEXT)]).await.name;
    for (name, host) in [("a", "x"), ("b", "y"), ("c", "x")] {
        bench.resource(&of_type, name, &[("host", text(host))]).await;
    }
    let deleted = bench.gnocchi.delete_resources(&of_type, &is("host", "x")).await;
    assert_eq!(deleted.expect("they are deleted"), 2);
    // That they stay in the list of all types is a fault of Gnocchi 4.7.1.
    assert_eq!(bench.found(&of_type, is("creator", "admin")).await, ["b"]);
    let deleted = bench.gnocchi.delete_resources(&of_type, &is("host", "x")).await;
    assert_eq!(deleted.expect("there is none"), 0);
    assert_refused!(
        bench.gnocchi.delete_resources(&of_type, &is("nothing", "x")).await,
        Error::NoSuchAttribute { attribute, .. } if attribute == "nothing"
    );
}

async fn a_list_is_read_whole_or_in_parts(bench: Bench) {
    use nephoscope_gnocchi::{Direction, Page, Sort};
    let of_type = bench.resource_type("type", &[("place", NUMBER)]).await.name;
    // More than a part holds, and a multiple of it: the last part is full, too.
    let count = super::MAX_LIMIT * 2;
    let mut made = Vec::new();
    for place in 0..count {
        let place = AttributeValue::Number((place % 5) as f64);
        made.push(bench.resource(&of_type, &format!("{:02}", made.len()), &[("place", place)]).await);
    }
    let list = async |page: Page| {
        let selection = ResourceSelection { page, ..ResourceSelection::default() };
        bench.gnocchi.resources(&of_type, &selection).await
    };
    // Whoever was made first is first.
    assert_eq!(list(Page::default()).await.expect("it is a list"), made);
    let limited = Page { limit: Some(super::MAX_LIMIT + 2), ..Page::default() };
    assert_eq!(list(limited).await.expect("it is a list"), made[..super::MAX_LIMIT + 2]);
    let behind = Page { limit: Some(2), marker: Some(made[3].id.to_string()), ..Page::default() };
    assert_eq!(list(behind).await.expect("it is a list"), made[4..6]);
    let sort = |key: &str, direction| Sort { key: key.into(), direction, nulls: None };
    let sorted =
        vec![sort("place", Direction::Descending), sort("original_resource_id", Direction::Ascending)];
    let found = list(Page { sort: sorted, ..Page::default() }).await.expect("it is a list");
    let mut wanted: Vec<_> = (0..count).collect();
    wanted.sort_by_key(|place| (std::cmp::Reverse(place % 5), *place));
    let names: Vec<_> =
        found.iter().map(|it| bench.given(&it.original_resource_id).unwrap_or_default()).collect();
    assert_eq!(names, wanted.iter().map(|place| format!("{place:02}")).collect::<Vec<_>>());
    let unknown = Page { sort: vec![sort("nothing", Direction::Ascending)], ..Page::default() };
    assert_refused!(list(unknown).await, Error::InvalidPagination(_));
    let nowhere = Page { marker: Some(Uuid::from_u128(9).to_string()), ..Page::default() };
    assert_refused!(list(nowhere).await, Error::InvalidPagination(_));
}

async fn what_all_resources_have_is_in_every_list(bench: Bench) {
    let of_type = bench.resource_type("type", &[("host", TEXT)]).await.name;
    let made = bench.resource(&of_type, "a", &[("host", text("h"))]).await;
    let list = async |of_type: &str, details| {
        let filter = Some(is("id", &bench.own("a")));
        let selection = ResourceSelection { filter, details, ..ResourceSelection::default() };
        bench.gnocchi.resources(of_type, &selection).await.expect("it is a list")
    };
    for found in [list(&of_type, false).await, list("generic", true).await] {
        assert_eq!(found.iter().collect::<Vec<_>>(), [&made]);
    }
    let without = nephoscope_gnocchi::Resource { attributes: Default::default(), ..made };
    assert_eq!(list("generic", false).await, [without]);
}
