//! `GET /openapi.json`: what all the paths take and answer, as OpenAPI 3.0 has it.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::Value;

/// The document as it is written; its version is that of the program.
const WRITTEN: &str = include_str!("openapi.yaml");

static SERVED: LazyLock<Bytes> = LazyLock::new(|| document().to_string().into());

/// The document.
fn document() -> Value {
    let mut document: Value = serde_saphyr::from_str(WRITTEN).expect("it was read in a test");
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    document
}

/// The document, for whoever asks.
pub(crate) async fn show() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], SERVED.clone()).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Paths that take nothing, and are there to say so.
    const NOTHING: [&str; 7] = [
        "/v1/metric/{id}/{*below}",
        "/v1/resource/{type}/{id}/metric/{name}/{*below}",
        "/v1/search/resource",
        "/v1/aggregation/resource/{type}/metric",
        "/v2/event_types",
        "/v2/event_types/",
        "/v2/event_types/{event_type}/traits/{name}",
    ];

    type Operations = BTreeSet<(String, String)>;

    /// Each operation of the document, with its path and method.
    fn operations(document: &Value) -> Vec<(&String, String, &Value)> {
        let paths = document["paths"].as_object().unwrap().iter();
        let of_path = |(path, item)| {
            let item: &Value = item;
            let operations = item.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters");
            operations.map(move |(method, operation)| (path, method.to_uppercase(), operation))
        };
        paths.flat_map(of_path).collect()
    }

    #[test]
    fn it_tells_of_every_route_and_of_no_other() {
        let document = document();
        let told: Operations =
            operations(&document).into_iter().map(|(path, method, _)| (path.clone(), method)).collect();
        let routes = crate::own_routes();
        let gnocchi = crate::gnocchi::routes();
        let listed = routes.listed().iter().chain(gnocchi.listed());
        let there: Operations = listed
            .filter(|(path, _)| !NOTHING.contains(path))
            .flat_map(|(path, methods)| {
                methods.split(", ").map(|method| (path.replace("{*", "{"), method.to_owned()))
            })
            .collect();
        let missing: Vec<_> = there.difference(&told).collect();
        let made_up: Vec<_> = told.difference(&there).collect();
        assert!(missing.is_empty() && made_up.is_empty(), "missing: {missing:?}\nmade up: {made_up:?}");
    }

    /// All that `$ref` names, wherever it stands.
    fn references(value: &Value) -> Vec<&str> {
        match value {
            Value::Object(fields) => {
                let own = fields.get("$ref").and_then(Value::as_str);
                own.into_iter().chain(fields.values().flat_map(references)).collect()
            }
            Value::Array(items) => items.iter().flat_map(references).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn what_it_refers_to_is_there_and_nothing_is_left_over() {
        let document = document();
        let named: BTreeSet<_> = references(&document).into_iter().collect();
        for name in &named {
            let pointer = name.strip_prefix('#').expect("it is in this document");
            assert!(document.pointer(pointer).is_some(), "{name}");
        }
        for (kind, things) in document["components"].as_object().unwrap() {
            for name in things.as_object().unwrap().keys().filter(|_| kind != "securitySchemes") {
                let reference = format!("#/components/{kind}/{name}");
                assert!(named.contains(reference.as_str()), "nobody names {reference}");
            }
        }
    }

    #[test]
    fn each_operation_is_told_whole() {
        let document = document();
        let resolve = |parameter: &Value| {
            let reference = parameter["$ref"].as_str();
            reference.map_or_else(|| parameter.clone(), |name| document.pointer(&name[1..]).unwrap().clone())
        };
        let tags: BTreeSet<_> =
            document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
        let mut ids = BTreeSet::new();
        for (path, method, operation) in operations(&document) {
            let place = format!("{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{place}");
            assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{place}");
            assert!(
                operation["tags"].as_array().unwrap().iter().all(|tag| tags.contains(tag.as_str().unwrap()))
            );
            assert!(operation["responses"].as_object().is_some_and(|all| !all.is_empty()), "{place}");
            let lists = [&document["paths"][path]["parameters"], &operation["parameters"]];
            let parameters: Vec<_> =
                lists.iter().filter_map(|list| list.as_array()).flatten().map(resolve).collect();
            let in_path: BTreeSet<_> = parameters
                .iter()
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().unwrap())
                .collect();
            let wanted: BTreeSet<_> =
                path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
            assert_eq!(in_path, wanted, "{place}");
        }
    }
}
