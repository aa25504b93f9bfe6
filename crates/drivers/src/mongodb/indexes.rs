//! The indexes that reading needs. OSProfiler makes none.

use std::time::Duration;

use mongodb::bson::raw::RawDocumentBuf;
use mongodb::bson::{Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};
use tokio::task::JoinHandle;

/// How long the first operation that needs the indexes waits for them: on a new or small collection they are there in
/// far less.
const PATIENCE: Duration = Duration::from_secs(1);

/// The indexes in the making; given up, as far as we are concerned, with the driver.
#[derive(Debug)]
pub(super) struct Indexing(JoinHandle<()>);

impl Drop for Indexing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Indexing {
    /// Has the server make the indexes that are not there; those of error records where a collection for them is given.
    /// On a large collection without them that takes minutes, in which everything works, only slower. A user who may not
    /// make them reads without them.
    pub(super) async fn start(
        points: &Collection<RawDocumentBuf>,
        errors: Option<&Collection<RawDocumentBuf>>,
    ) -> Self {
        let (points, errors) = (points.clone(), errors.cloned());
        let mut indexing = Self(tokio::spawn(async move {
            create(&points, &[of_points(), vec![of_failed_points()]]).await;
            if let Some(errors) = errors {
                create(&errors, &[vec![of_error_records()]]).await;
            }
        }));
        // When the time is up, it goes on by itself.
        drop(tokio::time::timeout(PATIENCE, &mut indexing.0).await);
        indexing
    }
}

/// Makes those that are not there, a command for each group. It is no error to make one again, but for a server that
/// only speaks as MongoDB it may take long.
async fn create(collection: &Collection<RawDocumentBuf>, groups: &[Vec<IndexModel>]) {
    // There is no collection yet, or no right to see its indexes.
    let present = collection.list_index_names().await.unwrap_or_default();
    let is_missing = |index: &&IndexModel| {
        let name = index.options.as_ref().and_then(|options| options.name.as_ref());
        name.is_none_or(|name| !present.contains(name))
    };
    for group in groups {
        let missing: Vec<_> = group.iter().filter(is_missing).cloned().collect();
        if missing.is_empty() {
            continue;
        }
        if let Err(error) = collection.create_indexes(missing).await {
            let collection = collection.name();
            tracing::debug!(collection, %error, "an index cannot be made; searching goes without it");
        }
    }
}

fn index(name: &str, keys: Document, filter: Option<Document>) -> IndexModel {
    let options = IndexOptions::builder().name(name.to_owned()).partial_filter_expression(filter).build();
    IndexModel::builder().keys(keys).options(options).build()
}

fn of_points() -> Vec<IndexModel> {
    vec![
        // Of this key alone: the points of a trace come in the order in which they were stored.
        index("nephoscope_trace", doc! { "base_id": 1 }, None),
        // Holds all that a walk through time looks at.
        index("nephoscope_time", doc! { "timestamp": -1, "base_id": 1 }, None),
    ]
}

/// Apart from the others: FerretDB has no partial indexes.
fn of_failed_points() -> IndexModel {
    let failed = doc! { "info.etype": { "$exists": true } };
    index("nephoscope_errors", doc! { "timestamp": -1, "info.etype": 1 }, Some(failed))
}

fn of_error_records() -> IndexModel {
    index("nephoscope_trace", doc! { "base_id": 1 }, None)
}
