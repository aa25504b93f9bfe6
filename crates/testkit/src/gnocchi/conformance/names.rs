//! Names of any letters and signs, which have to stand in paths, queries and bodies.

use nephoscope_gnocchi::{ArchivePolicy, ArchivePolicyRule, Error, NewResource, ResourceChange};

use super::Case;
use super::bench::{Bench, TEXT, assert_refused, definition, is, methods, text};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_resource_has_any_name,
        a_resource_has_no_slash_in_its_name_and_is_not_too_long,
        policies_rules_and_types_have_any_name,
    ]
}

/// What has a meaning in URLs, JSON, SQL, shells and patterns, or looks as if it were something else.
const NAMES: [&str; 19] = [
    " ",
    "a b",
    "?x=y&z#fragment",
    "%2F%00%",
    "a+b;c=d,e",
    "\"'`\\",
    "{}[]<>|^~",
    "é\u{1F327}\u{200D}\u{FE0F}",
    "e\u{301}",
    "نيفو",
    "instance.json",
    "page.html",
    "history",
    "metric",
    ".hidden",
    "..",
    "$(x) %s {0}",
    "a:b@c",
    "\t\u{7f}",
];

async fn a_resource_has_any_name(bench: Bench) {
    let of_type = bench.resource_type("type", &[("host", TEXT)]).await.name;
    // The last ones are not made unique: as they are, they are what is hard about them.
    let names = NAMES.iter().map(|name| bench.own(name)).chain(["history", "..", "."].map(Into::into));
    for name in names {
        let resource = NewResource { id: name.clone(), ..NewResource::default() };
        let made = bench.gnocchi.create_resource(&of_type, resource).await;
        let made = made.unwrap_or_else(|error| panic!("{name:?} is refused: {error}"));
        assert_eq!(made.original_resource_id, name);
        let read = bench.gnocchi.resource(&of_type, &name).await;
        assert_eq!(read.unwrap_or_else(|error| panic!("{name:?} is not found: {error}")), made);
        let host = [("host", text(&name))];
        let change = ResourceChange { attributes: super::bench::map(&host), ..ResourceChange::default() };
        let changed = bench.gnocchi.update_resource(&of_type, &name, change).await.expect("it is changed");
        assert_eq!(changed.attributes["host"], text(&name));
        let revisions =
            bench.gnocchi.history(&of_type, &name, &Default::default()).await.expect("it has a history");
        assert_eq!(revisions.len(), 2, "{name:?}");
        let selection =
            nephoscope_gnocchi::ResourceSelection { filter: Some(is("id", &name)), ..Default::default() };
        let found = bench.gnocchi.resources(&of_type, &selection).await.expect("it is a search");
        assert_eq!(found, [changed], "{name:?}");
        bench.gnocchi.delete_resource(&of_type, &name).await.expect("it is deleted");
    }
}

async fn a_resource_has_no_slash_in_its_name_and_is_not_too_long(bench: Bench) {
    for name in [bench.own("a/b"), bench.own(&"x".repeat(290))] {
        let resource = NewResource { id: name.clone(), ..NewResource::default() };
        assert_refused!(bench.gnocchi.create_resource("generic", resource).await, Error::Invalid(_));
        assert_refused!(bench.gnocchi.resource("generic", &name).await, Error::NoSuchResource(_));
    }
    let longest = bench.own("");
    let longest = format!("{longest}{}", "é".repeat(289 - longest.len()));
    let resource = NewResource { id: longest.clone(), ..NewResource::default() };
    bench.gnocchi.create_resource("generic", resource).await.expect("it is made");
    bench.gnocchi.resource("generic", &longest).await.expect("it is there");
}

async fn policies_rules_and_types_have_any_name(bench: Bench) {
    for end in NAMES {
        let name = bench.own(end);
        let (definition, aggregation_methods) = (vec![definition(60, None)], methods(&["mean"]));
        let policy = ArchivePolicy { name: name.clone(), back_window: 0, definition, aggregation_methods };
        bench.gnocchi.create_archive_policy(policy.clone()).await.expect("it is made");
        assert_eq!(bench.gnocchi.archive_policy(&name).await.expect("it is there"), policy);
        let rule = ArchivePolicyRule {
            name: name.clone(),
            metric_pattern: bench.own("*"),
            archive_policy_name: name.clone(),
        };
        bench.gnocchi.create_archive_policy_rule(rule.clone()).await.expect("it is made");
        assert_eq!(bench.gnocchi.archive_policy_rule(&name).await.expect("it is there"), rule);
        bench.gnocchi.delete_archive_policy_rule(&name).await.expect("it is deleted");
        bench.gnocchi.delete_archive_policy(&name).await.expect("it is deleted");
        let of_type = bench.resource_type(end, &[("host", TEXT)]).await;
        assert_eq!(of_type.name, name);
        assert_eq!(bench.gnocchi.resource_type(&name).await.expect("it is there"), of_type);
        bench.resource(&name, "a", &[("host", text("h"))]).await;
        assert_eq!(bench.found(&name, is("host", "h")).await, ["a"]);
        bench.gnocchi.delete_resource(&name, &bench.own("a")).await.expect("it is deleted");
        bench.gnocchi.delete_resource_type(&name).await.expect("it is deleted");
    }
}
