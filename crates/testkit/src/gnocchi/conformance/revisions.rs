//! Revisions of resources.

use indexmap::IndexMap;
use nephoscope_gnocchi::{
    AttributeValue, Error, NamedMetric, Page, Resource, ResourceChange, ResourceSelection,
};

use super::Case;
use super::bench::{Bench, TEXT, assert_refused, is, map, text};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_change_of_a_value_ends_the_revision,
        a_change_that_changes_nothing_ends_no_revision,
        user_project_and_times_change_too,
        a_history_is_read_whole_or_in_parts,
        a_list_has_all_revisions_where_they_are_asked_for,
        a_resource_is_changed_only_if_nobody_did_before,
        the_history_of_what_is_not_there_is_none,
    ]
}

impl Bench {
    /// A resource with that many revisions, and its type.
    async fn with_revisions(&self, count: usize) -> (String, Resource) {
        let of_type = self.resource_type("type", &[("host", TEXT), ("note", TEXT)]).await.name;
        let mut resource = self.resource(&of_type, "a", &[("host", text("0"))]).await;
        for number in 1..count {
            resource = self.host(&of_type, &number.to_string()).await;
        }
        (of_type, resource)
    }

    async fn host(&self, of_type: &str, host: &str) -> Resource {
        let change = ResourceChange { attributes: map(&[("host", text(host))]), ..ResourceChange::default() };
        self.gnocchi.update_resource(of_type, &self.own("a"), change).await.expect("it changes")
    }

    async fn history(&self, of_type: &str, page: &Page) -> Vec<Resource> {
        self.gnocchi.history(of_type, &self.own("a"), page).await.expect("it has a history")
    }
}

fn hosts(revisions: &[Resource]) -> Vec<String> {
    let host = |revision: &Resource| match &revision.attributes["host"] {
        AttributeValue::String(host) => host.clone(),
        other => panic!("{other:?} is no host"),
    };
    revisions.iter().map(host).collect()
}

async fn a_change_of_a_value_ends_the_revision(bench: Bench) {
    let (of_type, first) = bench.with_revisions(1).await;
    let second = bench.host(&of_type, "1").await;
    assert!(second.revision_start > first.revision_start, "{second:?}");
    assert_eq!((second.revision_end, second.revision), (None, -1));
    assert_eq!((second.started_at, second.id), (first.started_at, first.id));
    let all = bench.history(&of_type, &Page::default()).await;
    assert_eq!(hosts(&all), ["0", "1"]);
    assert_eq!(all[0].revision_start, first.revision_start);
    assert_eq!(all[0].revision_end, Some(second.revision_start));
    assert_ne!(all[0].revision, -1);
    assert_eq!(all[1], second);
    assert_eq!(bench.gnocchi.resource(&of_type, &bench.own("a")).await.expect("it is there"), second);
}

async fn a_change_that_changes_nothing_ends_no_revision(bench: Bench) {
    let (of_type, first) = bench.with_revisions(1).await;
    assert_eq!(bench.host(&of_type, "0").await, first);
    let nothing = bench.gnocchi.update_resource(&of_type, &bench.own("a"), ResourceChange::default()).await;
    assert_eq!(nothing.expect("nothing changes"), first);
    let policy = bench.policy().await;
    let metric = NamedMetric::New { archive_policy_name: Some(policy.name), unit: None };
    let metrics = Some(IndexMap::from([("cpu".to_owned(), metric)]));
    let change = ResourceChange { metrics, ..ResourceChange::default() };
    let changed = bench.gnocchi.update_resource(&of_type, &bench.own("a"), change).await.expect("it changes");
    assert_eq!((changed.metrics.len(), changed.revision_start), (1, first.revision_start));
    assert_eq!(bench.history(&of_type, &Page::default()).await.len(), 1);
}

async fn user_project_and_times_change_too(bench: Bench) {
    let (of_type, first) = bench.with_revisions(1).await;
    let text = |text: &str| Some(Some(text.to_owned()));
    let change = ResourceChange {
        user_id: text("user"),
        project_id: text("project"),
        started_at: Some(super::bench::seconds(1_000_000_000)),
        ended_at: Some(Some(first.started_at)),
        ..ResourceChange::default()
    };
    let changed = bench.gnocchi.update_resource(&of_type, &bench.own("a"), change).await.expect("it changes");
    assert_eq!((changed.user_id.as_deref(), changed.project_id.as_deref()), (Some("user"), Some("project")));
    assert_eq!(changed.started_at, super::bench::seconds(1_000_000_000));
    assert_eq!(changed.ended_at, Some(first.started_at));
    assert_eq!(changed.attributes, first.attributes);
    let change = ResourceChange { user_id: Some(None), ..ResourceChange::default() };
    let changed = bench.gnocchi.update_resource(&of_type, &bench.own("a"), change).await.expect("it changes");
    assert_eq!((changed.user_id, changed.project_id.as_deref()), (None, Some("project")));
    let all = bench.history(&of_type, &Page::default()).await;
    let users: Vec<_> = all.iter().map(|revision| revision.user_id.as_deref()).collect();
    assert_eq!(users, [None, Some("user"), None]);
}

async fn a_history_is_read_whole_or_in_parts(bench: Bench) {
    let count = super::MAX_LIMIT + 3;
    let (of_type, _) = bench.with_revisions(count).await;
    let all = bench.history(&of_type, &Page::default()).await;
    let wanted: Vec<_> = (0..count).map(|number| number.to_string()).collect();
    assert_eq!(hosts(&all), wanted);
    let page = Page { limit: Some(2), ..Page::default() };
    assert_eq!(bench.history(&of_type, &page).await, all[..2]);
}

async fn a_list_has_all_revisions_where_they_are_asked_for(bench: Bench) {
    let (of_type, _) = bench.with_revisions(3).await;
    let list = async |filter, history| {
        let selection = ResourceSelection { filter, history, ..ResourceSelection::default() };
        let found = bench.gnocchi.resources(&of_type, &selection).await.expect("it is a list");
        hosts(&found).join(" ")
    };
    assert_eq!(list(None, true).await, "0 1 2");
    assert_eq!(list(None, false).await, "2");
    assert_eq!(list(Some(is("host", "1")), true).await, "1");
    assert_eq!(list(Some(is("host", "1")), false).await, "");
}

async fn a_resource_is_changed_only_if_nobody_did_before(bench: Bench) {
    let (of_type, first) = bench.with_revisions(1).await;
    let change = |host: &str, revision: &Resource| ResourceChange {
        attributes: map(&[("host", text(host))]),
        if_revision_start: Some(revision.revision_start),
        ..ResourceChange::default()
    };
    let second = bench.gnocchi.update_resource(&of_type, &bench.own("a"), change("1", &first)).await;
    let second = second.expect("nobody else did");
    let stale = bench.gnocchi.update_resource(&of_type, &bench.own("a"), change("2", &first)).await;
    assert_refused!(stale, Error::RevisionChanged);
    assert_eq!(bench.gnocchi.resource(&of_type, &bench.own("a")).await.expect("it is there"), second);
}

async fn the_history_of_what_is_not_there_is_none(bench: Bench) {
    let history = bench.gnocchi.history("generic", &bench.own("a"), &Page::default()).await;
    assert_refused!(history, Error::NoSuchResource(_));
    let change = ResourceChange { user_id: Some(None), ..ResourceChange::default() };
    let changed = bench.gnocchi.update_resource("generic", &bench.own("a"), change).await;
    assert_refused!(changed, Error::NoSuchResource(_));
}
