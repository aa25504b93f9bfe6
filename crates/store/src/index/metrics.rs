//! Metrics.

use std::sync::Arc;

use nephoscope_gnocchi::{
    ArchivePolicy, Creator, Error, Metric, MetricChoice, MetricStatus, NewMetric, Page, Result, parse_uuid,
    resource_uuid,
};
use uuid::Uuid;

use super::filter::Condition;
use super::measures::Addressed;
use super::order::{Order, no_marker};
use super::plan::check_name;
use super::resources;
use super::rows::{MetricAttribute, MetricAttributes, ResourceAttributes, ResourceRow};
use super::state::{GENERIC, MetricView, State};
use super::value::Value;
use super::{Index, creator_text};
use crate::series::MetricKey;

impl Index {
    pub(crate) fn metrics(&self, choice: &MetricChoice, creator: &Creator) -> Result<Vec<Metric>> {
        let state = self.state();
        let condition = choice.filter.as_ref();
        let condition =
            condition.map(|filter| Condition::new(filter, &MetricAttributes, creator)).transpose()?;
        let generic = state.type_named(GENERIC).expect("generic is always there");
        let attributes = ResourceAttributes { own: generic, with_history: false };
        let on_resource = choice.resource_filter.as_ref();
        let on_resource =
            on_resource.map(|filter| Condition::new(filter, &attributes, creator)).transpose()?;
        let is_chosen = |metric: &MetricView<'_>| {
            metric.is_deleted() == (choice.status == MetricStatus::Delete)
                && condition.as_ref().is_none_or(|condition| condition.takes(metric))
                && on_resource.as_ref().is_none_or(|condition| {
                    metric.resource().is_some_and(|row| {
                        condition.takes(&ResourceRow { record: &row.record, own: generic, ended: None })
                    })
                })
        };
        let order = Order::new(&choice.page, &MetricAttributes, &["id"], &["id"])?;
        let marker = choice.page.marker.as_ref().map(|marker| {
            let id = parse_uuid(marker).and_then(|id| state.metric_key(id));
            id.and_then(|key| state.metric(key)).ok_or_else(|| no_marker(marker))
        });
        let marker = marker.transpose()?;
        let keys = match choice.status {
            MetricStatus::Delete => Some(state.deleted_metrics().collect()),
            MetricStatus::Active => condition.as_ref().and_then(|condition| keys(&state, condition)),
        };
        let chosen: Vec<_> = match keys {
            Some(keys) => {
                let metrics = keys.into_iter().filter_map(|key| state.metric(key)).filter(is_chosen);
                let metrics = metrics.map(|metric| (order.place(&metric), metric)).collect();
                order.page(metrics, marker.map(|marker| order.place(&marker)).as_ref(), choice.page.limit)
            }
            None if is_by_id(&choice.page) => {
                let metrics = state.metrics_behind(marker.map(|marker| marker.id()));
                metrics.filter(is_chosen).take(choice.page.limit.unwrap_or(usize::MAX)).collect()
            }
            None => {
                let metrics = state.metrics_behind(None).filter(is_chosen);
                let metrics = metrics.map(|metric| (order.place(&metric), metric)).collect();
                order.page(metrics, marker.map(|marker| order.place(&marker)).as_ref(), choice.page.limit)
            }
        };
        Ok(chosen.iter().map(|metric| describe(&state, metric, choice.details)).collect())
    }

    /// One metric, with its resource.
    pub(crate) fn metric(&self, id: Uuid) -> Result<Metric> {
        let state = self.state();
        let metric = state.metric_key(id).and_then(|key| state.metric(key));
        metric.map(|metric| describe(&state, &metric, true)).ok_or_else(|| no_metric(id))
    }

    /// Those with these ids that are there.
    pub(crate) fn metrics_with(&self, ids: &[Uuid], with_resources: bool) -> Vec<Metric> {
        let state = self.state();
        let keys = ids.iter().filter_map(|id| state.metric_key(*id));
        let metrics = keys.filter_map(|key| state.metric(key));
        metrics.map(|metric| describe(&state, &metric, with_resources)).collect()
    }

    pub(crate) fn create_metric(&self, metric: &NewMetric, creator: &Creator) -> Result<Metric> {
        let resource = metric.resource_id.as_ref().map(|text| resource_uuid(text, creator));
        let resource = resource.transpose().map_err(|error| Error::Invalid(error.to_string()))?;
        metric.name.as_deref().map_or(Ok(()), check_name)?;
        let id = self.change(|plan| {
            if let Some(id) = resource {
                let Some(name) = &metric.name else {
                    return Err(Error::Invalid("Name cannot be null if resource_id is not null".into()));
                };
                let row = plan.state.resource_with_id(id);
                let row = row.ok_or_else(|| Error::NoSuchResource(id.to_string()))?;
                if plan.state.metric_named(row, name).is_some() {
                    return Err(Error::NamedMetricAlreadyExists(name.clone()));
                }
            }
            let policy = plan.policy_for(metric.archive_policy_name.as_deref(), metric.name.as_deref())?;
            let (name, unit) = (metric.name.as_deref(), metric.unit.as_deref());
            let key = plan.create_metric(creator_text(creator), &policy, name, unit, resource);
            Ok(plan.metric(key).expect("it was just made").id)
        })?;
        self.metric(id)
    }

    pub(crate) fn delete_metric(&self, id: Uuid) -> Result<()> {
        self.change(|plan| {
            let key = plan.state.metric_key(id).ok_or_else(|| no_metric(id))?;
            plan.delete_metric(key);
            Ok(())
        })
    }

    /// How a metric is kept; nothing where it is deleted, or was never there.
    pub(crate) fn policy_of(&self, key: MetricKey) -> Option<Arc<ArchivePolicy>> {
        let state = self.state();
        state.metric(key).filter(|metric| !metric.is_deleted())?.policy().cloned()
    }

    /// Where measures of a metric go.
    pub(crate) fn address(&self, id: Uuid) -> Result<Addressed> {
        let state = self.state();
        let metric = state.metric_key(id).and_then(|key| state.metric(key));
        let metric = metric.ok_or_else(|| no_metric(id))?;
        let policy = metric.policy().ok_or_else(|| no_metric(id))?;
        Ok(Addressed { key: metric.key, policy: policy.clone() })
    }
}

pub(super) fn describe(state: &State, metric: &MetricView<'_>, with_resource: bool) -> Metric {
    let text = |text: Option<&Arc<str>>| text.map(ToString::to_string);
    let resource = metric.resource().filter(|_| with_resource);
    Metric {
        id: metric.id(),
        creator: text(metric.creator()),
        archive_policy: metric.policy().expect("a policy that a metric has is not deleted").as_ref().clone(),
        name: text(metric.name()),
        unit: text(metric.unit()),
        resource_id: metric.resource_id(),
        resource: resource.map(|row| Box::new(resources::describe(state, row, None, false))),
    }
}

/// The metrics among which all are that fulfil a condition, where it names their ids or their resources.
fn keys(state: &State, condition: &Condition<MetricAttribute>) -> Option<Vec<MetricKey>> {
    let by = |attribute: &MetricAttribute, values: &[Value]| {
        let ids = values.iter().filter_map(|value| match value {
            Value::Uuid(id) => Some(*id),
            _ => None,
        });
        match attribute {
            MetricAttribute::Id => Some(ids.filter_map(|id| state.metric_key(id)).collect()),
            MetricAttribute::Resource => {
                let rows = ids.filter_map(|id| state.resource_with_id(id));
                Some(rows.flat_map(|row| state.metrics_of(row).map(|(_, key)| key)).collect())
            }
            _ => None,
        }
    };
    match condition {
        Condition::And(all) => all.iter().find_map(|condition| keys(state, condition)),
        Condition::Or(any) => {
            let mut found = Vec::new();
            for condition in any {
                found.extend(keys(state, condition)?);
            }
            found.sort_unstable();
            found.dedup();
            Some(found)
        }
        Condition::Compare(nephoscope_gnocchi::Comparison::Equal, attribute, value) => {
            by(attribute, std::slice::from_ref(value))
        }
        Condition::In(attribute, values) => by(attribute, values),
        _ => None,
    }
}

/// Whether a page is in the order in which metrics are kept.
fn is_by_id(page: &Page) -> bool {
    use nephoscope_gnocchi::Direction::Ascending;
    page.sort.is_empty()
        || page.sort.first().is_some_and(|sort| sort.key == "id" && sort.direction == Ascending)
}

fn no_metric(id: Uuid) -> Error {
    Error::NoSuchMetric(id.to_string())
}
