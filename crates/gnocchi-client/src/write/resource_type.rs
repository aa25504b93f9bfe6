//! Resource types, and patches of them.

use nephoscope_gnocchi::{Attribute, AttributeKind, ResourceType, TypeChange};
use serde_json::{Map, Value as Json, json};

use super::object;
use super::resource::attribute_value;

pub(crate) fn resource_type(resource_type: &ResourceType) -> Json {
    let attributes = resource_type.attributes.iter().map(|(name, it)| (name.clone(), attribute(it)));
    json!({ "name": resource_type.name, "attributes": attributes.collect::<Map<_, _>>() })
}

fn attribute(attribute: &Attribute) -> Json {
    let number = |number: Option<f64>| Some(number.map_or(Json::Null, |number| json!(number)));
    let required = Some(attribute.required.into());
    match attribute.kind {
        AttributeKind::String { min_length, max_length } => object([
            ("type", Some("string".into())),
            ("required", required),
            ("min_length", Some(min_length.into())),
            ("max_length", Some(max_length.into())),
        ]),
        AttributeKind::Number { min, max } => object([
            ("type", Some("number".into())),
            ("required", required),
            ("min", number(min)),
            ("max", number(max)),
        ]),
        AttributeKind::Uuid => json!({ "type": "uuid", "required": required }),
        AttributeKind::Bool => json!({ "type": "bool", "required": required }),
        AttributeKind::Datetime => json!({ "type": "datetime", "required": required }),
    }
}

/// A change as a JSON patch (RFC 6902).
pub(crate) fn patch(change: &TypeChange) -> Json {
    let path = |name: &str| format!("/attributes/{}", name.replace('~', "~0").replace('/', "~1"));
    let gone = change.remove.iter().map(|name| json!({ "op": "remove", "path": path(name) }));
    let added = change.add.iter().map(|(name, (new, fill))| {
        let mut value = attribute(new);
        let fill = attribute_value(fill);
        if !fill.is_null() {
            value["options"] = json!({ "fill": fill });
        }
        json!({ "op": "add", "path": path(name), "value": value })
    });
    gone.chain(added).collect()
}
