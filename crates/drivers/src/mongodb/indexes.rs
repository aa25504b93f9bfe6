//! The indexes that reading needs. OSProfiler makes none.

use std::time::Duration;

use mongodb::bson::raw::RawDocumentBuf;
use mongodb::bson::{Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};
use tokio::task::JoinHandle;

/// How long connecting waits for the indexes: on a new or small collection they are there in far less.
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
    /// Has the server make the indexes that are not there. On a large collection without them that takes minutes,
    /// in which everything works, only slower. A user who may not make them reads without them.
    pub(super) async fn start(
        points: &Collection<RawDocumentBuf>,
        errors: &Collection<RawDocumentBuf>,
    ) -> Self {
        let (points, errors) = (points.clone(), errors.clone());
        let mut indexing = Self(tokio::spawn(async move {
            create(&points, of_points()).await;
            create(&points, vec![of_failed_points()]).await;
            create(&errors, vec![of_error_records()]).await;
        }));
        // When the time is up, it goes on by itself.
        drop(tokio::time::timeout(PATIENCE, &mut indexing.0).await);
        indexing
    }
}

async fn create(collection: &Collection<RawDocumentBuf>, indexes: Vec<IndexModel>) {
    if let Err(error) = collection.create_indexes(indexes).await {
        let collection = collection.name();
        tracing::debug!(collection, %error, "an index cannot be made; searching goes without it");
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
