//! Servers that go away and come back, and files that others hold.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use nephoscope_sql::{Config, Database};
use nephoscope_telemetry::{ConnectionString, Dispatcher, ErrorKind, Refused, Result};
use nephoscope_testkit::server::{MariadbServer, Missing, PostgresServer, Server};
use nephoscope_testkit::{Trial, trial};

use crate::cases::{event, sample};
use crate::database::{Kind, Place};

/// Samples and events of a batch, which take a while.
const BATCH: usize = 2000;
/// Batches after which the server is killed.
const BEFORE: usize = 3;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("postgresql::a_server_killed_in_mid_write_loses_nothing_and_doubles_nothing", || {
            let server = PostgresServer::start()?;
            let url = server.url();
            killed(Kind::Postgres, &url, server)
        }),
        trial("mysql::a_server_killed_in_mid_write_loses_nothing_and_doubles_nothing", || {
            let server = MariadbServer::start()?;
            let url = server.url();
            killed(Kind::Mysql, &url, server)
        }),
        trial("postgresql::rights_to_read_and_insert_are_enough_once_the_tables_are_there", few_rights),
        trial("sqlite::a_file_that_another_process_writes_to_is_unavailable", held),
    ]
}

fn place(kind: Kind, url: String) -> Place {
    Place::new(kind, url, tempfile::tempdir().expect("a temporary directory can be made"))
}

/// Samples and events, the latter with two traits each.
async fn store(dispatcher: &dyn Dispatcher, number: usize) -> Result<Vec<Refused>> {
    let ids = || (0..BATCH).map(|at| format!("{number}-{at}"));
    let events: Vec<_> = ids().map(|id| event(&id, r#"["t", 1, "v"], ["u", 2, 5]"#)).collect();
    let mut refused = dispatcher.events(&events).await?;
    let samples: Vec<_> = ids().map(|id| sample(&id)).collect();
    refused.extend(dispatcher.samples(&samples).await?);
    Ok(refused)
}

fn killed(kind: Kind, url: &str, server: impl Server + 'static) -> std::result::Result<(), Missing> {
    // An outage is told when connecting has been tried for so long.
    let place = place(kind, format!("{url}?connect_timeout=1"));
    let dispatcher = place.dispatcher();
    let stored = Arc::new(AtomicUsize::new(0));
    let server = Arc::new(Mutex::new(server));
    let killing = {
        let (stored, server) = (stored.clone(), server.clone());
        std::thread::spawn(move || {
            while stored.load(Ordering::Acquire) < BEFORE {
                std::thread::yield_now();
            }
            server.lock().unwrap().kill();
        })
    };
    let (failed, error) = loop {
        let number = stored.load(Ordering::Acquire);
        match place.runtime.block_on(store(&*dispatcher, number)) {
            Ok(refused) => assert_eq!(refused, []),
            Err(error) => break (number, error),
        }
        stored.fetch_add(1, Ordering::Release);
    };
    killing.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    // So is connecting, which is tried anew with every batch.
    let another = place.dispatcher();
    let error = place.runtime.block_on(store(&*another, failed)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    server.lock().unwrap().restart();
    // All of it once more, and what comes after it.
    for number in [failed, failed + 1] {
        assert_eq!(place.runtime.block_on(store(&*dispatcher, number)).unwrap(), []);
        assert_eq!(place.runtime.block_on(store(&*another, number)).unwrap(), []);
    }
    let rows = i64::try_from((failed + 2) * BATCH).unwrap();
    for (table, rows) in [("samples", rows), ("events", rows), ("traits", 2 * rows)] {
        assert_eq!(place.count(&format!("SELECT count(*) FROM {table}")), rows, "{table}");
    }
    Ok(())
}

fn few_rights() -> std::result::Result<(), Missing> {
    let server = PostgresServer::start()?;
    let place = place(Kind::Postgres, server.url());
    let store = |place: &Place, id: &str| {
        let dispatcher = place.dispatcher();
        place.runtime.block_on(async {
            dispatcher.samples(&[sample(id)]).await?;
            dispatcher.events(&[event(id, r#"["t", 1, "v"]"#)]).await
        })
    };
    server.sql("osp", "CREATE ROLE modest LOGIN PASSWORD 'modest'");
    let (_, address) = place.url.rsplit_once('@').unwrap();
    let modest = self::place(Kind::Postgres, format!("postgresql://modest:modest@{address}"));
    let error = store(&modest, "1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("grant it the rights"), "{error}");
    store(&place, "1").unwrap();
    server.sql("osp", "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO modest");
    for id in ["1", "2"] {
        assert_eq!(store(&modest, id).unwrap(), []);
    }
    assert_eq!(place.count("SELECT count(*) FROM traits"), 2);
    Ok(())
}

fn held() -> std::result::Result<(), Missing> {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let url = format!("sqlite:///{}", directory.path().join("x.db").display());
    let place = Place::new(Kind::Sqlite, url, directory);
    let dispatcher = place.dispatcher();
    place.runtime.block_on(async {
        dispatcher.samples(&[sample("1")]).await.unwrap();
        let config = Config::read(&ConnectionString::parse(&place.url).unwrap(), &[]).unwrap();
        let Ok(Database::Sqlite(pool)) = Database::open(config).await else { panic!("it is a file") };
        let writing = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let error = dispatcher.samples(&[sample("2")]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        writing.rollback().await.unwrap();
        assert_eq!(dispatcher.samples(&[sample("2")]).await.unwrap(), []);
    });
    assert_eq!(place.count("SELECT count(*) FROM samples"), 2);
    Ok(())
}
