//! Resource types.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use nephoscope_gnocchi::{
    Attribute, AttributeKind, AttributeValue, Error, ResourceSelection, ResourceType, TypeChange, TypeState,
};
use uuid::Uuid;

use super::Case;
use super::bench::{Bench, TEXT, assert_refused, is, map, seconds, text};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_type_is_there_as_it_was_made,
        types_are_listed_by_name,
        a_type_is_made_once,
        a_type_gets_attributes_which_its_resources_have_at_once,
        the_limits_of_an_attribute_can_change,
        an_attribute_cannot_be_everything,
        a_type_that_is_used_stays,
        a_type_that_is_not_there_is_told,
    ]
}

const NUMBER: AttributeKind = AttributeKind::Number { min: None, max: None };

fn optional(kind: AttributeKind) -> Attribute {
    Attribute { kind, required: false }
}

async fn a_type_is_there_as_it_was_made(bench: Bench) {
    let required = |kind| Attribute { kind, required: true };
    let attributes = [
        ("text", required(AttributeKind::String { min_length: 1, max_length: 40 })),
        ("any_text", optional(TEXT)),
        ("uuid", required(AttributeKind::Uuid)),
        ("number", required(AttributeKind::Number { min: Some(-1.5), max: Some(1e12) })),
        ("half_open", optional(AttributeKind::Number { min: Some(0.0), max: None })),
        ("bool", optional(AttributeKind::Bool)),
        ("moment", optional(AttributeKind::Datetime)),
    ];
    let resource_type = ResourceType {
        name: bench.own("type"),
        attributes: attributes.map(|(name, attribute)| (name.to_owned(), attribute)).into(),
        state: TypeState::Active,
    };
    let made = bench.gnocchi.create_resource_type(resource_type.clone()).await.expect("it is made");
    assert_eq!(made, resource_type);
    let name = &resource_type.name;
    assert_eq!(bench.gnocchi.resource_type(name).await.expect("it is there"), resource_type);
    bench.gnocchi.delete_resource_type(name).await.expect("no resource has it");
    assert_refused!(bench.gnocchi.resource_type(name).await, Error::NoSuchResourceType(it) if it == name);
}

async fn types_are_listed_by_name(bench: Bench) {
    for name in ["b", "a"] {
        bench.resource_type(name, &[("x", TEXT)]).await;
    }
    let all = bench.gnocchi.resource_types().await.expect("they are listed");
    let own: Vec<_> = all.iter().filter_map(|it| bench.given(&it.name)).collect();
    assert_eq!(own, ["a", "b"]);
    let generic = all.iter().find(|it| it.name == "generic").expect("it is always there");
    assert!(generic.attributes.is_empty());
}

async fn a_type_is_made_once(bench: Bench) {
    let resource_type = bench.resource_type("type", &[("x", TEXT)]).await;
    let again = bench.gnocchi.create_resource_type(resource_type.clone()).await;
    assert_refused!(again, Error::ResourceTypeAlreadyExists(name) if *name == resource_type.name);
}

fn change(add: &[(&str, Attribute, AttributeValue)], remove: &[&str]) -> TypeChange {
    let add =
        add.iter().map(|(name, attribute, fill)| ((*name).to_owned(), (attribute.clone(), fill.clone())));
    TypeChange { add: add.collect(), remove: remove.iter().map(ToString::to_string).collect() }
}

async fn a_type_gets_attributes_which_its_resources_have_at_once(bench: Bench) {
    let name = bench.resource_type("type", &[("host", TEXT), ("gone", TEXT)]).await.name;
    bench.resource(&name, "vm", &[("host", text("h")), ("gone", text("g"))]).await;
    let id = Uuid::from_u128(7);
    let required = |kind| Attribute { kind, required: true };
    let added = change(
        &[
            ("flavor", required(TEXT), text("small")),
            ("owner", required(AttributeKind::Uuid), AttributeValue::Uuid(id)),
            ("cores", required(NUMBER), AttributeValue::Number(4.0)),
            ("up", required(AttributeKind::Bool), AttributeValue::Bool(false)),
            ("since", required(AttributeKind::Datetime), AttributeValue::Datetime(seconds(1_600_000_000))),
            ("note", optional(TEXT), AttributeValue::Null),
        ],
        &["gone"],
    );
    let changed = bench.gnocchi.update_resource_type(&name, added).await.expect("it is changed");
    assert_eq!(changed, bench.gnocchi.resource_type(&name).await.expect("it is there"));
    let mut names: Vec<_> = changed.attributes.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["cores", "flavor", "host", "note", "owner", "since", "up"]);
    let vm = bench.gnocchi.resource(&name, &bench.own("vm")).await.expect("it is there");
    let wanted = map(&[
        ("cores", AttributeValue::Number(4.0)),
        ("flavor", text("small")),
        ("host", text("h")),
        ("note", AttributeValue::Null),
        ("owner", AttributeValue::Uuid(id)),
        ("since", AttributeValue::Datetime(seconds(1_600_000_000))),
        ("up", AttributeValue::Bool(false)),
    ]);
    assert_eq!(vm.attributes.into_iter().collect::<BTreeMap<_, _>>(), wanted);
    assert_eq!(bench.found(&name, is("flavor", "small")).await, ["vm"]);

    let unfilled = change(&[("more", required(TEXT), AttributeValue::Null)], &[]);
    assert!(
        bench.gnocchi.update_resource_type(&name, unfilled).await.is_err(),
        "its resources would lack it"
    );
    let nothing = bench.gnocchi.update_resource_type(&name, TypeChange::default()).await;
    assert_eq!(nothing.expect("nothing changes"), changed);
}

async fn the_limits_of_an_attribute_can_change(bench: Bench) {
    let short = AttributeKind::String { min_length: 0, max_length: 5 };
    let name = bench.resource_type("type", &[("host", short), ("cores", NUMBER)]).await.name;
    let long = AttributeKind::String { min_length: 1, max_length: 50 };
    let few = AttributeKind::Number { min: Some(1.0), max: Some(8.0) };
    let limits = change(
        &[("host", optional(long), AttributeValue::Null), ("cores", optional(few), AttributeValue::Null)],
        &[],
    );
    let changed = bench.gnocchi.update_resource_type(&name, limits).await.expect("it is changed");
    assert_eq!(
        changed.attributes,
        IndexMap::from([("cores".into(), optional(few)), ("host".into(), optional(long))])
    );
    bench.resource(&name, "a", &[("host", text("longer than five"))]).await;
    let kind = change(&[("host", optional(AttributeKind::Bool), AttributeValue::Null)], &[]);
    assert_refused!(bench.gnocchi.update_resource_type(&name, kind).await, Error::Invalid(_));
}

async fn an_attribute_cannot_be_everything(bench: Bench) {
    for (name, kind) in [
        ("metrics", TEXT),
        ("id", TEXT),
        ("_hidden", TEXT),
        ("x", AttributeKind::String { min_length: 9, max_length: 8 }),
        ("x", AttributeKind::Number { min: Some(2.0), max: Some(1.0) }),
    ] {
        let attributes = IndexMap::from([(name.to_owned(), optional(kind))]);
        let resource_type = ResourceType { name: bench.own("type"), attributes, state: TypeState::Active };
        assert_refused!(bench.gnocchi.create_resource_type(resource_type).await, Error::Invalid(_));
    }
    let gone = bench.resource_type("other", &[("host", TEXT)]).await.name;
    let unknown = bench.gnocchi.update_resource_type(&gone, change(&[], &["nothing"])).await;
    assert_refused!(unknown, Error::Invalid(_) | Error::NoSuchAttribute { .. });
}

async fn a_type_that_is_used_stays(bench: Bench) {
    let name = bench.resource_type("type", &[("host", TEXT)]).await.name;
    bench.resource(&name, "a", &[]).await;
    assert_refused!(bench.gnocchi.delete_resource_type(&name).await, Error::ResourceTypeInUse(it) if *it == name);
    bench.gnocchi.delete_resource(&name, &bench.own("a")).await.expect("it is deleted");
    bench.gnocchi.delete_resource_type(&name).await.expect("no resource has it");
    assert_refused!(bench.gnocchi.delete_resource_type("generic").await, Error::ResourceTypeInUse(_));
}

async fn a_type_that_is_not_there_is_told(bench: Bench) {
    let name = bench.own("nowhere");
    let gnocchi = &bench.gnocchi;
    assert_refused!(gnocchi.resource_type(&name).await, Error::NoSuchResourceType(it) if *it == name);
    let changed = gnocchi.update_resource_type(&name, TypeChange::default()).await;
    assert_refused!(changed, Error::NoSuchResourceType(it) if *it == name);
    assert_refused!(gnocchi.delete_resource_type(&name).await, Error::NoSuchResourceType(it) if *it == name);
    let listed = gnocchi.resources(&name, &ResourceSelection::default()).await;
    assert_refused!(listed, Error::NoSuchResourceType(it) if *it == name);
    assert_refused!(gnocchi.resource(&name, "x").await, Error::NoSuchResourceType(it) if *it == name);
    let made = gnocchi.create_resource(&name, Default::default()).await;
    assert_refused!(made, Error::NoSuchResourceType(it) if *it == name);
    assert_refused!(gnocchi.delete_resources(&name, &is("id", "x")).await, Error::NoSuchResourceType(it) if *it == name);
}
