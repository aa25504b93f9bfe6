//! The points of one trace.

use std::collections::HashSet;

use nephoscope_http::Answer;
use nephoscope_telemetry::{Id, Points, Result};
use serde_json::json;

use super::document::{is_of, point};
use super::driver::Elasticsearch;
use super::hits::{Hit, hits};

const OPERATION: &str = "read a trace";
/// How many documents are asked for at first, not knowing how long they are.
const FIRST_PAGE: usize = 1_000;
/// However long they are, a page has to go on from the last one, which shares a document of each shard with it.
const SMALLEST_PAGE: usize = 50;
/// How many are asked for at most: what servers answer without being told otherwise (`index.max_result_window`).
const LARGEST_PAGE: usize = 10_000;
/// How long an answer should be.
const PAGE_BYTES: usize = 8 << 20;

impl Elasticsearch {
    /// Reads a trace page by page, in the order in which its points came.
    ///
    /// Pages go by the sequence number that a shard gives to each of its operations. Several shards give the same
    /// ones, so a page begins with the number that the last one ended with, and what was seen is passed over.
    pub(super) async fn read(&self, base_id: &Id) -> Result<Points> {
        self.refresh(OPERATION, &self.index).await?;
        let mut points = Points::default();
        let mut page = Page { size: FIRST_PAGE, last: None, seen: HashSet::new() };
        while page.size > 0 {
            let answer = self.page(base_id, &page).await?;
            page = page.take(&answer, base_id, &mut points)?;
        }
        Ok(points)
    }

    async fn page(&self, base_id: &Id, page: &Page) -> Result<Answer> {
        let text = base_id.to_string();
        // Where the server made the mapping, a long id has no keyword. The phrase finds more than this trace.
        let is_id = json!([{"match_phrase": {"base_id": &text}}, {"term": {"base_id.keyword": &text}}]);
        let mut body = json!({
            "size": page.size,
            "query": {"bool": {"filter": {"bool": {"should": is_id}}}},
            "sort": [{"_seq_no": "asc"}],
            "track_total_hits": false,
        });
        if let Some(last) = page.last {
            body["search_after"] = json!([last - 1]);
        }
        self.search(OPERATION, &self.index, &body).await
    }
}

/// Where the next page begins. One of no size is none.
struct Page {
    size: usize,
    last: Option<i64>,
    /// Index and id of the documents with the last number.
    seen: HashSet<(String, String)>,
}

impl Page {
    /// Takes the points of an answer, and tells the page behind it.
    fn take(self, answer: &Answer, base_id: &Id, points: &mut Points) -> Result<Self> {
        let hits = hits(answer)?;
        let key = |hit: &Hit<'_>| (hit.index.to_string(), hit.id.to_string());
        for hit in hits.iter().filter(|hit| hit.sort != self.last || !self.seen.contains(&key(hit))) {
            let source = hit.source.unwrap_or_default();
            match point(source) {
                Ok(point) if point.base_id == *base_id => points.good.push(point),
                Ok(_) => {}
                Err(bad) if is_of(source, base_id) => points.bad.push(bad),
                Err(_) => {}
            }
        }
        let last = hits.last().and_then(|hit| hit.sort);
        let size = if hits.len() < self.size {
            0
        } else if last == self.last {
            // There are more shards than the page is long.
            LARGEST_PAGE
        } else {
            (PAGE_BYTES * hits.len() / answer.body().len()).clamp(SMALLEST_PAGE, LARGEST_PAGE)
        };
        let seen = hits.iter().filter(|hit| hit.sort == last).map(key).collect();
        Ok(Self { size, last, seen })
    }
}
