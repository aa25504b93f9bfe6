//! The hits of a search, as the text they are: a stored document comes back byte for byte, and Python wrote it.

use std::borrow::Cow;

use nephoscope_http::Answer;
use nephoscope_telemetry::Result;
use nephoscope_telemetry::json::{self, Scanner};

/// One document that was found.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Hit<'a> {
    pub(super) index: Cow<'a, str>,
    pub(super) id: Cow<'a, str>,
    /// Its type, before Elasticsearch 8.
    pub(super) doc_type: Option<Cow<'a, str>>,
    /// The document, when it was asked for.
    pub(super) source: Option<&'a str>,
    /// The first of the values that it is sorted by, when it is a number.
    pub(super) sort: Option<i64>,
    /// The first value of the field that hits are collapsed by.
    pub(super) group: Option<Cow<'a, str>>,
}

/// The hits of an answer, in order.
pub(super) fn hits(answer: &Answer) -> Result<Vec<Hit<'_>>> {
    let text = std::str::from_utf8(answer.body()).map_err(|error| answer.strange(&error))?;
    read(text).ok_or_else(|| answer.strange(&"there are no hits"))
}

fn read(text: &str) -> Option<Vec<Hit<'_>>> {
    // An answer that was cut off must not look like one with fewer hits.
    let mut scanner = Scanner::new(text);
    let whole = scanner.value().ok()?;
    scanner.end().ok()?;
    items(get(get(whole, "hits")?, "hits")?).map(|hits| hits.into_iter().map(Hit::read).collect())
}

fn get<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    json::entries(object).find(|(name, _)| name == key).map(|(_, value)| value)
}

/// The values of an array.
fn items(array: &str) -> Option<Vec<&str>> {
    let mut scanner = Scanner::new(array);
    let mut items = Vec::new();
    if !scanner.eat(b'[') {
        return None;
    }
    let mut more = !scanner.eat(b']');
    while more {
        items.push(scanner.value().ok()?);
        more = scanner.eat(b',');
    }
    Some(items)
}

impl<'a> Hit<'a> {
    fn read(text: &'a str) -> Self {
        let mut hit = Self::default();
        let first = |array| items(array).and_then(|items| items.into_iter().next());
        for (key, value) in json::entries(text) {
            match &*key {
                "_index" => hit.index = json::decode(value).unwrap_or_default(),
                "_id" => hit.id = json::decode(value).unwrap_or_default(),
                "_type" => hit.doc_type = json::decode(value),
                "_source" => hit.source = Some(value),
                "sort" => hit.sort = first(value).and_then(|value| value.parse().ok()),
                "fields" => {
                    let field = json::entries(value).next().and_then(|(_, values)| first(values));
                    hit.group = field.and_then(json::decode);
                }
                _ => {}
            }
        }
        hit
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_document_is_returned_as_it_is_written() {
        let text = r#"{"took":1,"hits":{"max_score":null,"hits":[
            {"_index":"i","_type":"t","_id":"1","_source":{"a" :  NaN, "a": "\ud800"},"sort":[-5, "x"]},
            {"_index":"i","_id":"é","fields":{"base_id":["b\n"]},"sort":[null]}]}}"#;
        let hits = read(text).unwrap();
        assert_eq!(hits[0].source, Some(r#"{"a" :  NaN, "a": "\ud800"}"#));
        assert_eq!((hits[0].sort, hits[0].doc_type.as_deref(), &*hits[0].id), (Some(-5), Some("t"), "1"));
        assert_eq!((hits[1].group.as_deref(), hits[1].sort, hits[1].source), (Some("b\n"), None, None));
        assert_eq!(read(r#"{"hits":{"hits":[]}}"#), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn half_an_answer_is_no_answer(cut in 1_usize..58) {
            let text = r#"{"hits":{"hits":[{"_index":"i","_id":"1","_source":{}}]}}"#;
            prop_assert!(read(text).is_some());
            prop_assert_eq!(read(&text[..text.len() - cut.min(text.len())]), None);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*", hits in ".*") {
            let _hits = read(&text);
            let _hits = read(&format!(r#"{{"hits":{{"hits":[{hits}]}}}}"#));
        }
    }
}
