//! Questions across metrics.

use nephoscope_gnocchi::{Filter, Operation, OperationError, SchemaError};
use serde_json::{Value, json};

use axum::http::StatusCode;

use super::super::fault::Fault;
use super::object;

/// What a body of `/v1/aggregates` asks.
#[derive(Debug)]
pub(in super::super) struct Question {
    pub(in super::super) operation: Operation,
    /// Of the metrics of which resources: of that type, and that the filter takes.
    pub(in super::super) resources: Option<(String, Filter)>,
}

/// The type of the resources that a question is about, where it names one, or null; of a question whose operation is not even
/// words in parentheses, which is told first, nothing.
pub(in super::super) fn resource_type_of_question(json: &Value) -> Option<&Value> {
    if let Some(operation @ Value::String(_)) = json.get("operations")
        && let Err(OperationError::Text(_)) = Operation::from_json(operation)
    {
        return None;
    }
    json.get("resource_type").filter(|name| name.is_string() || name.is_null())
}

/// Reads a question.
pub(in super::super) fn read_question(json: &Value) -> Result<Question, Fault> {
    let fields = object(json)?;
    let operation = fields.get("operations").ok_or_else(|| {
        let extra = fields.keys().find(|key| !["resource_type", "search"].contains(&key.as_str()));
        extra.map_or_else(|| SchemaError::missing("operations"), |key| SchemaError::extra(key))
    })?;
    let operation = match Operation::from_json(operation) {
        Err(error @ OperationError::Text(_)) => return Err(operation_fault(error)),
        read => read,
    };
    // A text that is no filter is told before anything else that is wrong.
    if let Some(Value::String(text)) = fields.get("search") {
        Filter::from_text(text).map_err(super::super::routes::filter_fault)?;
    }
    let operation = operation.map_err(operation_fault)?;
    let known = |key: &str| match key {
        "operations" => true,
        "resource_type" => fields.contains_key("search"),
        // Of no resources, it says nothing.
        "search" => true,
        _ => false,
    };
    if !fields.keys().all(|key| known(key)) {
        // It is not even a question without resources, which Gnocchi takes it for at first.
        let first = fields.keys().find(|key| *key != "operations");
        return Err(SchemaError::extra(first.map_or("", String::as_str)).into());
    }
    if operation.references().is_empty() {
        let detail = operation.to_json();
        let reason = "At least one 'metric' is required";
        return Err(described("Operations is invalid", reason, &detail));
    }
    let resources = match (fields.get("resource_type"), fields.get("search")) {
        (Some(resource_type), Some(search)) => {
            let resource_type = resource_type.as_str();
            let resource_type =
                resource_type.ok_or_else(|| SchemaError::new("expected str").in_key("resource_type"))?;
            Some((resource_type.to_owned(), read_search(search)?))
        }
        _ => None,
    };
    Ok(Question { operation, resources })
}

fn read_search(search: &Value) -> Result<Filter, Fault> {
    match search {
        Value::String(text) => Filter::from_text(text).map_err(super::super::routes::filter_fault),
        json => Filter::from_json(json).map_err(|error| error.in_key("search").into()),
    }
}

fn operation_fault(error: OperationError) -> Fault {
    let reason = error.to_string();
    match error {
        OperationError::Text(detail) => described("Invalid operations", &reason, &detail.into()),
        OperationError::Shape(error) => error.in_key("operations").into(),
        _ => described("Invalid operations", &reason, &Value::Null),
    }
}

fn described(cause: &str, reason: &str, detail: &Value) -> Fault {
    Fault::described(StatusCode::BAD_REQUEST, json!({ "cause": cause, "reason": reason, "detail": detail }))
}
