//! The points of one trace.

use std::collections::HashSet;

use nephoscope_http::Answer;
use nephoscope_telemetry::{Id, Points, Result};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

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
    ///
    /// What does not fit into the first page is cut at a number in the middle and read as two halves at the same time: a
    /// search occupies one core of the server, and what it found one of ours.
    pub(super) async fn read(&self, base_id: &Id) -> Result<Points> {
        self.refresh(OPERATION, &self.index).await?;
        let (mut points, page) =
            self.take_page(base_id, Page::behind(-1, FIRST_PAGE), Points::default()).await?;
        let Some(page) = page else { return Ok(points) };
        // Not below the number whose documents the page knows.
        let middle = page.lowest().midpoint(self.highest(base_id).await?.max(page.lowest()));
        let later = Page::behind(middle, page.size);
        let earlier = Page { until: Some(middle), ..page };
        let (earlier, later) =
            tokio::try_join!(self.read_on(base_id, earlier), self.read_on(base_id, later))?;
        for half in [earlier, later] {
            points.good.extend(half.good);
            points.bad.append(half.bad);
        }
        Ok(points)
    }

    /// The points of a page and of all behind it.
    async fn read_on(&self, base_id: &Id, page: Page) -> Result<Points> {
        let (mut points, mut next) = (Points::default(), Some(page));
        while let Some(page) = next {
            (points, next) = self.take_page(base_id, page, points).await?;
        }
        Ok(points)
    }

    /// Adds the points of a page, and tells the page behind it.
    async fn take_page(
        &self,
        base_id: &Id,
        page: Page,
        mut points: Points,
    ) -> Result<(Points, Option<Page>)> {
        let body = json!({
            "size": page.size,
            "query": {"bool": {"filter": page.conditions(base_id)}},
            "sort": [{"_seq_no": "asc"}],
            "search_after": [page.after],
            "track_total_hits": false,
        });
        let answer = self.search(OPERATION, &self.index, &body).await?;
        let base_id = base_id.clone();
        let taking = spawn_blocking(move || {
            let next = page.take(&answer, &base_id, &mut points)?;
            Ok((points, next))
        });
        taking.await.expect("taking points does not panic, and nobody cancels it")
    }

    /// The highest number of a document of the trace.
    async fn highest(&self, base_id: &Id) -> Result<i64> {
        let body = json!({
            "size": 1,
            "query": {"bool": {"filter": is_of_trace(base_id)}},
            "sort": [{"_seq_no": "desc"}],
            "_source": false,
            "track_total_hits": false,
        });
        let answer = self.search(OPERATION, &self.index, &body).await?;
        Ok(hits(&answer)?.first().and_then(|hit| hit.sort).unwrap_or_default())
    }
}

/// Finds the documents of a trace, and where the server made the mapping, more than them: there a long id has no keyword.
fn is_of_trace(base_id: &Id) -> Value {
    let text = base_id.to_string();
    json!({"bool": {"should": [{"match_phrase": {"base_id": &text}}, {"term": {"base_id.keyword": &text}}]}})
}

/// What is asked for at once.
struct Page {
    size: usize,
    /// Only documents with a higher number.
    after: i64,
    /// Only documents with this number or a lower one.
    until: Option<i64>,
    /// Index and id of the documents with the [`lowest`](Self::lowest) number that were on the page before.
    seen: HashSet<(String, String)>,
}

impl Page {
    /// The first one behind this number.
    fn behind(after: i64, size: usize) -> Self {
        Self { size, after, until: None, seen: HashSet::new() }
    }

    /// The lowest number asked for.
    fn lowest(&self) -> i64 {
        self.after + 1
    }

    fn conditions(&self, base_id: &Id) -> Vec<Value> {
        let until = self.until.map(|number| json!({"range": {"_seq_no": {"lte": number}}}));
        [is_of_trace(base_id)].into_iter().chain(until).collect()
    }

    /// Takes the points of an answer, and tells the page behind it.
    fn take(self, answer: &Answer, base_id: &Id, points: &mut Points) -> Result<Option<Self>> {
        let hits = hits(answer)?;
        let key = |hit: &Hit<'_>| (hit.index.to_string(), hit.id.to_string());
        let is_lowest = |hit: &Hit<'_>| hit.sort == Some(self.lowest());
        for hit in hits.iter().filter(|hit| !is_lowest(hit) || !self.seen.contains(&key(hit))) {
            let source = hit.source.unwrap_or_default();
            match point(source) {
                Ok(point) if point.base_id == *base_id => points.good.push(point),
                Ok(_) => {}
                Err(bad) if is_of(source, base_id) => points.bad.push(bad),
                Err(_) => {}
            }
        }
        if hits.len() < self.size {
            return Ok(None);
        }
        let Some(last) = hits.last().and_then(|hit| hit.sort) else {
            return Err(answer.strange(&"a hit has no sequence number"));
        };
        let size = if last == self.lowest() {
            // There are more shards than the page is long.
            LARGEST_PAGE
        } else {
            (PAGE_BYTES * hits.len() / answer.body().len()).clamp(SMALLEST_PAGE, LARGEST_PAGE)
        };
        let seen = hits.iter().filter(|hit| hit.sort == Some(last)).map(key).collect();
        Ok(Some(Self { size, after: last - 1, until: self.until, seen }))
    }
}
