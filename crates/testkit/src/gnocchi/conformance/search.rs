//! Searches for resources: every operator on every kind of attribute.

use nephoscope_gnocchi::{
    AttributeKind, AttributeValue, Comparison, Error, Filter, NewResource, Resource, ResourceSelection,
    Result, Value,
};
use uuid::Uuid;

use super::Case;
use super::bench::{Bench, TEXT, assert_refused, is, map, seconds, text};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        every_operator_takes_what_it_should,
        conditions_are_joined,
        what_all_resources_have_is_searched_too,
        a_search_for_what_cannot_be_is_refused,
        a_search_for_a_value_of_another_kind_is_refused,
    ]
}

use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};

const NUMBER: AttributeKind = AttributeKind::Number { min: None, max: None };

fn compare(comparison: Comparison, attribute: &str, value: impl Into<Wanted>) -> Filter {
    Filter::Compare(comparison, attribute.into(), value.into().0)
}

/// A value, from what stands for it in a table.
struct Wanted(Value);

impl From<&str> for Wanted {
    fn from(text: &str) -> Self {
        Self(Value::String(text.into()))
    }
}

impl From<f64> for Wanted {
    fn from(number: f64) -> Self {
        Self(Value::Number(number))
    }
}

impl From<bool> for Wanted {
    fn from(is: bool) -> Self {
        Self(Value::Bool(is))
    }
}

impl From<()> for Wanted {
    fn from((): ()) -> Self {
        Self(Value::Null)
    }
}

fn one_of(attribute: &str, values: Vec<Wanted>) -> Filter {
    Filter::In(attribute.into(), values.into_iter().map(|Wanted(value)| value).collect())
}

fn like(attribute: &str, pattern: &str) -> Filter {
    Filter::Like(attribute.into(), pattern.into())
}

impl Bench {
    /// The type of four resources: `a`, `b`, `c` with values that grow, and `none` without any.
    async fn with_resources(&self) -> String {
        let kinds = [
            ("host", TEXT),
            ("cores", NUMBER),
            ("owner", AttributeKind::Uuid),
            ("up", AttributeKind::Bool),
            ("since", AttributeKind::Datetime),
        ];
        let of_type = self.resource_type("type", &kinds).await.name;
        for (number, name) in (1_i32..).zip(["a", "b", "c"]) {
            let attributes = [
                ("host", text(&format!("host-{name}"))),
                ("cores", AttributeValue::Number(f64::from(number) + 0.5)),
                ("owner", AttributeValue::Uuid(owner(number))),
                ("up", AttributeValue::Bool(number > 1)),
                ("since", AttributeValue::Datetime(seconds(1_600_000_000 + i64::from(number)))),
            ];
            let resource = NewResource {
                id: self.own(name),
                user_id: Some(format!("user-{name}")),
                project_id: (number < 3).then(|| "project".into()),
                started_at: Some(seconds(1_600_000_000)),
                ended_at: (number > 1).then(|| seconds(1_600_000_000 + 60 * i64::from(number))),
                attributes: map(&attributes),
                ..NewResource::default()
            };
            self.gnocchi.create_resource(&of_type, resource).await.expect("it is made");
        }
        self.resource(&of_type, "none", &[]).await;
        of_type
    }

    async fn find(&self, of_type: &str, filter: &Filter) -> String {
        self.found(of_type, filter.clone()).await.join(" ")
    }
}

fn owner(number: i32) -> Uuid {
    Uuid::from_u128(0x1000 + u128::from(number.unsigned_abs()))
}

async fn every_operator_takes_what_it_should(bench: Bench) {
    let of_type = bench.with_resources().await;
    let (two, three) = (owner(2).to_string(), owner(3).to_string());
    let middle = "2020-09-13T12:26:42+00:00";
    let table: Vec<(Filter, &str)> = vec![
        (compare(Equal, "host", "host-b"), "b"),
        (compare(NotEqual, "host", "host-b"), "a c none"),
        (compare(Less, "host", "host-b"), "a"),
        (compare(LessOrEqual, "host", "host-b"), "a b"),
        (compare(Greater, "host", "host-b"), "c"),
        (compare(GreaterOrEqual, "host", "host-b"), "b c"),
        (compare(Equal, "host", ()), "none"),
        (compare(NotEqual, "host", ()), "a b c"),
        (one_of("host", vec!["host-a".into(), "host-c".into(), "x".into()]), "a c"),
        (like("host", "host-_"), "a b c"),
        (like("host", "%-b"), "b"),
        (like("host", "HOST%"), ""),
        (compare(Equal, "cores", 2.5), "b"),
        (compare(NotEqual, "cores", 2.5), "a c none"),
        (compare(Less, "cores", 2.5), "a"),
        (compare(LessOrEqual, "cores", 2.5), "a b"),
        (compare(Greater, "cores", 2.0), "b c"),
        (compare(GreaterOrEqual, "cores", 2.5), "b c"),
        (one_of("cores", vec![1.5.into(), 3.5.into()]), "a c"),
        (compare(Equal, "cores", ()), "none"),
        (compare(Equal, "owner", two.as_str()), "b"),
        (compare(NotEqual, "owner", two.as_str()), "a c none"),
        (compare(Greater, "owner", two.as_str()), "c"),
        (one_of("owner", vec![two.as_str().into(), three.as_str().into()]), "b c"),
        (compare(Equal, "up", true), "b c"),
        (compare(NotEqual, "up", true), "a none"),
        (one_of("up", vec![false.into()]), "a"),
        (compare(Equal, "since", middle), "b"),
        (compare(NotEqual, "since", middle), "a c none"),
        (compare(Less, "since", middle), "a"),
        (compare(LessOrEqual, "since", middle), "a b"),
        (compare(Greater, "since", middle), "c"),
        (compare(GreaterOrEqual, "since", "1600000002"), "b c"),
    ];
    for (filter, wanted) in &table {
        assert_eq!(bench.find(&of_type, filter).await, *wanted, "{filter:?}");
    }
}

async fn conditions_are_joined(bench: Bench) {
    let of_type = bench.with_resources().await;
    let host = |name: &str| is("host", &format!("host-{name}"));
    let not = |filter| Filter::Not(Box::new(filter));
    let cores = |least| compare(GreaterOrEqual, "cores", least);
    for (filter, wanted) in [
        (Filter::And(vec![cores(2.0), host("b")]), "b"),
        (Filter::And(vec![cores(3.0), host("b")]), ""),
        (Filter::Or(vec![host("a"), cores(3.0)]), "a c"),
        (Filter::And(vec![host("a")]), "a"),
        (Filter::And(vec![]), "a b c none"),
        (Filter::Or(vec![host("x")]), ""),
        // What is not there is neither so nor not so.
        (not(host("a")), "b c"),
        (not(compare(NotEqual, "host", "host-a")), "a"),
        (not(Filter::Or(vec![host("a"), host("b")])), "c"),
        (not(not(host("a"))), "a"),
        (not(Filter::And(vec![cores(2.0), host("b")])), "a c"),
        (Filter::And(vec![Filter::Or(vec![host("a"), host("b")]), not(cores(2.0))]), "a"),
    ] {
        assert_eq!(bench.find(&of_type, &filter).await, wanted, "{filter:?}");
    }
}

async fn what_all_resources_have_is_searched_too(bench: Bench) {
    let of_type = bench.with_resources().await;
    let own = bench.own("b");
    let id = bench.gnocchi.resource(&of_type, &own).await.expect("it is there").id.to_string();
    for (filter, wanted) in [
        (is("id", &own), "b"),
        (is("id", &id.to_uppercase()), "b"),
        (one_of("id", vec![id.as_str().into(), bench.own("c").as_str().into()]), "b c"),
        (is("original_resource_id", &own), "b"),
        (is("user_id", "user-c"), "c"),
        (like("user_id", "user-%"), "a b c"),
        (is("project_id", "project"), "a b"),
        (compare(NotEqual, "project_id", "project"), "c none"),
        (is("creator", "admin"), "a b c none"),
        (is("type", &of_type), "a b c none"),
        (compare(Equal, "ended_at", ()), "a none"),
        (compare(LessOrEqual, "started_at", 1_600_000_000.0), "a b c"),
        (compare(Greater, "ended_at", "2020-09-13T12:28:40"), "c"),
        (compare(Greater, "revision_start", "2021-01-01"), "a b c none"),
        (compare(Greater, "lifespan", "150 seconds"), "c"),
        (compare(LessOrEqual, "lifespan", 120.0), "b"),
    ] {
        assert_eq!(bench.find(&of_type, &filter).await, wanted, "{filter:?}");
    }
}

impl Bench {
    async fn search(&self, of_type: &str, filter: Filter) -> Result<Vec<Resource>> {
        let selection = ResourceSelection { filter: Some(filter), ..ResourceSelection::default() };
        self.gnocchi.resources(of_type, &selection).await
    }
}

async fn a_search_for_what_cannot_be_is_refused(bench: Bench) {
    let of_type = bench.with_resources().await;
    let unknown = bench.search(&of_type, is("nothing", "x")).await;
    assert_refused!(unknown, Error::NoSuchAttribute { attribute, .. } if attribute == "nothing");
    let unknown = bench.search(&of_type, Filter::Or(vec![is("nothing", "x"), is("host", "a")])).await;
    assert_refused!(unknown, Error::NoSuchAttribute { .. });
    // A condition may say nothing, but none that is part of another.
    for filter in [
        Filter::Not(Box::new(Filter::And(vec![]))),
        Filter::Or(vec![Filter::And(vec![]), is("nothing", "x")]),
    ] {
        let empty = bench.search(&of_type, filter).await;
        assert_refused!(empty, Error::Invalid(reason) if reason == "Unable to parse this query");
    }
    let mut found = Vec::new();
    for filter in [
        is("since", "long ago"),
        compare(Greater, "started_at", "soon"),
        Filter::And(vec![is("host", "a"), is("since", "long ago")]),
    ] {
        let it = bench.search(&of_type, filter.clone()).await;
        if !matches!(it, Err(Error::InvalidFilterValue { .. })) {
            found.push((filter, it));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

async fn a_search_for_a_value_of_another_kind_is_refused(bench: Bench) {
    let of_type = bench.with_resources().await;
    for filter in [
        is("cores", "many"),
        is("owner", "nobody"),
        is("up", "perhaps"),
        Filter::And(vec![is("host", "a"), is("cores", "many")]),
        one_of("cores", vec![1.0.into(), "many".into()]),
    ] {
        let found = bench.search(&of_type, filter.clone()).await;
        assert!(matches!(found, Err(Error::InvalidFilterValue { .. })), "{filter:?}: {found:?}");
    }
}
