//! What something is to be done with, as rules see it: properties by name, those of a thing in a thing behind a point.

use std::borrow::Cow;

use nephoscope_gnocchi::{
    ArchivePolicy, ArchivePolicyRule, AttributeValue, Metric, NewResource, Resource, ResourceType,
};

/// What something is to be done with.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Target<'a> {
    /// Nothing of anybody's.
    Nothing,
    /// A resource.
    Resource(&'a Resource),
    /// A resource of this type that is not there yet.
    NewResource(&'a str, &'a NewResource),
    /// A metric, with its resource where it has one.
    Metric(&'a Metric),
    /// A resource type.
    ResourceType(&'a ResourceType),
    /// An archive policy.
    ArchivePolicy(&'a ArchivePolicy),
    /// A rule for metrics.
    ArchivePolicyRule(&'a ArchivePolicyRule),
    /// Whatever has these properties.
    Anything(&'a [(&'a str, &'a str)]),
}

impl Target<'_> {
    /// A property of it, such as `creator` or `resource.project_id`.
    pub(super) fn property(&self, name: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Nothing => None,
            Self::Resource(resource) => of_resource(resource, name),
            Self::NewResource(resource_type, resource) => match name {
                "resource_type" => Some((*resource_type).into()),
                "id" | "original_resource_id" => Some(resource.id.as_str().into()),
                "user_id" => resource.user_id.as_deref().map(Cow::from),
                "project_id" => resource.project_id.as_deref().map(Cow::from),
                name => of_value(resource.attributes.get(name)?),
            },
            Self::Metric(metric) => of_metric(metric, name),
            Self::ResourceType(resource_type) => (name == "name").then(|| resource_type.name.as_str().into()),
            Self::ArchivePolicy(policy) => of_policy(policy, name),
            Self::ArchivePolicyRule(rule) => match name {
                "name" => Some(rule.name.as_str().into()),
                "metric_pattern" => Some(rule.metric_pattern.as_str().into()),
                "archive_policy_name" => Some(rule.archive_policy_name.as_str().into()),
                _ => None,
            },
            Self::Anything(properties) => {
                properties.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
            }
        }
    }
}

fn of_resource<'a>(resource: &'a Resource, name: &str) -> Option<Cow<'a, str>> {
    match name {
        "id" => Some(resource.id.to_string().into()),
        "original_resource_id" => Some(resource.original_resource_id.as_str().into()),
        "type" => Some(resource.resource_type.as_str().into()),
        "user_id" => resource.user_id.as_deref().map(Cow::from),
        "project_id" => resource.project_id.as_deref().map(Cow::from),
        "creator" | "created_by_user_id" | "created_by_project_id" => {
            of_creator(resource.creator.as_deref(), name)
        }
        name => match name.strip_prefix("metrics.") {
            Some(metric) => resource.metrics.get(metric).map(|id| id.to_string().into()),
            None => of_value(resource.attributes.get(name)?),
        },
    }
}

fn of_metric<'a>(metric: &'a Metric, name: &str) -> Option<Cow<'a, str>> {
    if let Some(name) = name.strip_prefix("resource.") {
        return of_resource(metric.resource.as_deref()?, name);
    }
    if let Some(name) = name.strip_prefix("archive_policy.") {
        return of_policy(&metric.archive_policy, name);
    }
    match name {
        "id" => Some(metric.id.to_string().into()),
        "name" => metric.name.as_deref().map(Cow::from),
        "unit" => metric.unit.as_deref().map(Cow::from),
        "resource_id" => metric.resource_id.map(|id| id.to_string().into()),
        name => of_creator(metric.creator.as_deref(), name),
    }
}

fn of_policy<'a>(policy: &'a ArchivePolicy, name: &str) -> Option<Cow<'a, str>> {
    match name {
        "name" => Some(policy.name.as_str().into()),
        "back_window" => Some(policy.back_window.to_string().into()),
        _ => None,
    }
}

fn of_creator<'a>(creator: Option<&'a str>, name: &str) -> Option<Cow<'a, str>> {
    let creator = creator?;
    let (user, project) = creator.split_once(':').unwrap_or((creator, ""));
    match name {
        "creator" => Some(creator.into()),
        "created_by_user_id" => Some(user.into()),
        "created_by_project_id" => Some(project.into()),
        _ => None,
    }
}

/// A value as Python shows it.
fn of_value(value: &AttributeValue) -> Option<Cow<'_, str>> {
    match value {
        AttributeValue::Null => None,
        AttributeValue::String(text) => Some(text.as_str().into()),
        AttributeValue::Uuid(uuid) => Some(uuid.to_string().into()),
        AttributeValue::Number(number) => Some(format!("{number:?}").into()),
        AttributeValue::Bool(true) => Some("True".into()),
        AttributeValue::Bool(false) => Some("False".into()),
        AttributeValue::Datetime(time) => Some(time.to_string().replace('T', " ").into()),
    }
}
