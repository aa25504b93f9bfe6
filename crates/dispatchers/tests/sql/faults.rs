//! What a database minds: a sample, or something of its own.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use nephoscope_telemetry::{Dispatcher, Error, ErrorKind, Refused, Sample};

use crate::cases::{event, sample};
use crate::database::{Kind, Place};

/// Far more than anything here takes.
const BOUND: Duration = Duration::from_secs(60);

/// InnoDB shows what it showed last to whoever looks more often than ten times a second.
const BETWEEN_LOOKS: Duration = Duration::from_millis(150);

/// Some samples, of which one has this meter.
fn batch(name: &str, meter: &str) -> Vec<Sample> {
    let mut samples: Vec<_> = (0..9).map(|at| sample(&format!("{name} {at}"))).collect();
    samples[6].name = meter.into();
    samples
}

fn send(place: &Place, dispatcher: &dyn Dispatcher, samples: &[Sample]) -> Result<Vec<Refused>, Error> {
    place.runtime.block_on(dispatcher.samples(samples))
}

/// A trigger of samples, or of traits, that fails with a SQLSTATE for the rows that fulfil a condition. SQLite has none,
/// but a failure without a meaning of its own.
fn trigger(place: &Place, table: &str, condition: &str, code: &str) {
    match place.kind {
        Kind::Postgres => {
            place.run(&format!(
                "CREATE OR REPLACE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 IF {condition} THEN RAISE EXCEPTION 'a fault' USING ERRCODE = '{code}'; END IF; RETURN NEW; END $$"
            ));
            place.run(&format!(
                "CREATE TRIGGER fault BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fault()"
            ));
        }
        Kind::Mysql => place.run(&format!(
            "CREATE TRIGGER fault BEFORE INSERT ON {table} FOR EACH ROW \
             IF {condition} THEN SIGNAL SQLSTATE '{code}' SET MESSAGE_TEXT = 'a fault'; END IF"
        )),
        Kind::Sqlite => place.run(&format!(
            "CREATE TRIGGER fault BEFORE INSERT ON {table} WHEN {condition} \
             BEGIN SELECT abs(-9223372036854775807 - 1); END"
        )),
    }
}

fn untrigger(place: &Place, table: &str) {
    let of_table = if place.kind == Kind::Postgres { format!(" ON {table}") } else { String::new() };
    place.run(&format!("DROP TRIGGER fault{of_table}"));
}

/// What the database has a constraint or a trigger against.
pub(super) fn of_data(place: &Place) {
    let dispatcher = place.dispatcher();
    assert_eq!(send(place, &*dispatcher, &[]).unwrap(), []);
    match place.kind {
        Kind::Sqlite => place.run(
            "CREATE TRIGGER checks BEFORE INSERT ON samples WHEN NEW.meter = 'poison' \
             BEGIN SELECT RAISE(ABORT, 'no poison'); END",
        ),
        _ => place.run("ALTER TABLE samples ADD CONSTRAINT no_poison CHECK (meter <> 'poison')"),
    }
    let refused = send(place, &*dispatcher, &batch("constraint", "poison")).unwrap();
    assert_eq!(refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [6], "{refused:?}");
    let codes: &[&str] = match place.kind {
        Kind::Postgres => &["22023", "23505", "44000", "P0001"],
        Kind::Mysql => &["22023", "23000", "44000", "45000"],
        Kind::Sqlite => &[],
    };
    for code in codes {
        trigger(place, "samples", "NEW.meter = 'fault'", code);
        let refused = send(place, &*dispatcher, &batch(code, "fault")).unwrap();
        assert_eq!(refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [6], "{code}: {refused:?}");
        assert!(refused[0].reason.contains("a fault"), "{refused:?}");
        untrigger(place, "samples");
    }
    let batches = i64::try_from(codes.len() + 1).unwrap();
    assert_eq!(place.count("SELECT count(*) FROM samples"), 8 * batches);
}

/// What has to be tried again, or mended at the database.
pub(super) fn of_the_server(place: &Place) {
    let dispatcher = place.dispatcher();
    assert_eq!(send(place, &*dispatcher, &[]).unwrap(), []);
    let codes: &[(&str, ErrorKind)] = match place.kind {
        Kind::Sqlite => &[],
        _ => &[
            ("08006", ErrorKind::Unavailable),
            ("40001", ErrorKind::Unavailable),
            ("53200", ErrorKind::Unavailable),
            ("57P01", ErrorKind::Unavailable),
            ("28000", ErrorKind::Config),
            ("42000", ErrorKind::Config),
        ],
    };
    for (code, kind) in codes {
        trigger(place, "samples", "NEW.meter = 'fault'", code);
        let error = send(place, &*dispatcher, &batch(code, "fault")).unwrap_err();
        assert_eq!(error.kind(), *kind, "{code}: {error:?}");
        untrigger(place, "samples");
    }
    place.run("ALTER TABLE samples RENAME TO elsewhere");
    let error = send(place, &*dispatcher, &batch("table", "m")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    place.run("ALTER TABLE elsewhere RENAME TO samples");
    // Nothing of a batch is there that failed, and all of it when it is sent again.
    assert_eq!(place.count("SELECT count(*) FROM samples"), 0);
    assert_eq!(send(place, &*dispatcher, &batch("table", "m")).unwrap(), []);
    assert_eq!(place.count("SELECT count(*) FROM samples"), 9);
}

/// An error that nobody knows: whether others are taken tells what it is about.
pub(super) fn unknown(place: &Place) {
    let dispatcher = place.dispatcher();
    assert_eq!(send(place, &*dispatcher, &[]).unwrap(), []);
    trigger(place, "samples", "NEW.meter = 'fault'", "ZZ001");
    let refused = send(place, &*dispatcher, &batch("one", "fault")).unwrap();
    assert_eq!(refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [6], "{refused:?}");
    let alone = batch("alone", "fault").split_off(6);
    assert_eq!(send(place, &*dispatcher, &alone[..1]).unwrap().len(), 1);
    untrigger(place, "samples");

    trigger(place, "samples", "NEW.meter <> ''", "ZZ001");
    let error = send(place, &*dispatcher, &batch("all", "m")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other, "{error:?}");
    untrigger(place, "samples");
    assert_eq!(send(place, &*dispatcher, &batch("all", "m")).unwrap(), []);
    // The probes are not there.
    assert_eq!(place.count("SELECT count(*) FROM samples"), 8 + 9);

    trigger(place, "traits", "NEW.name = 'fault'", "ZZ001");
    let events = [event("1", r#"["t", 1, "v"]"#), event("2", r#"["t", 1, "v"], ["fault", 1, "v"]"#)];
    let refused = place.runtime.block_on(dispatcher.events(&events)).unwrap();
    assert_eq!(refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [1], "{refused:?}");
    assert_eq!(place.count("SELECT count(*) FROM events"), 1);
}

/// One that comes once is none of the sample's.
pub(super) fn hiccup(place: &Place) {
    let dispatcher = place.dispatcher();
    assert_eq!(send(place, &*dispatcher, &[]).unwrap(), []);
    // What was drawn from a sequence stays so when a transaction is undone.
    place.run("CREATE SEQUENCE hiccups");
    let first = if place.kind == Kind::Postgres { "nextval('hiccups') = 1" } else { "NEXTVAL(hiccups) = 1" };
    trigger(place, "samples", first, "ZZ001");
    assert_eq!(send(place, &*dispatcher, &[sample("1")]).unwrap(), []);
    assert_eq!(place.count("SELECT count(*) FROM samples"), 1);
}

/// Another writer holds what the dispatcher waits for, and then wants what the dispatcher holds.
pub(super) fn deadlock(place: &Place) {
    let dispatcher = place.dispatcher();
    assert_eq!(send(place, &*dispatcher, &[]).unwrap(), []);
    let waiting = match place.kind {
        Kind::Sqlite => unreachable!("it has no locks of rows"),
        Kind::Postgres => {
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        }
        Kind::Mysql => {
            "SELECT count(*) FROM information_schema.innodb_trx JOIN information_schema.processlist \
             ON trx_mysql_thread_id = id WHERE trx_state = 'LOCK WAIT' AND db = DATABASE()"
        }
    };
    let columns = "message_id, meter, type, unit, resource_id, timestamp, metadata";
    let insert = |ids: &[String]| {
        let rows =
            ids.iter().map(|id| format!("('{id}', 'm', 'gauge', '', 'r', '2026-01-01 00:00:00', '{{}}')"));
        format!("INSERT INTO samples ({columns}) VALUES {}", rows.collect::<Vec<_>>().join(", "))
    };
    // Of two the server ends the one that looks first, or has less to lose: not this one.
    let patience = match place.kind {
        Kind::Postgres => "SET LOCAL deadlock_timeout = '1min'",
        _ => "SET @patience = 1",
    };
    let many: Vec<_> = (0..500).map(|at| format!("other {at}")).chain(["second".into()]).collect();
    let statements = [patience.to_owned(), insert(&many), insert(&["first".into()])];
    let samples = [sample("first"), sample("second")];
    let (holds, held) = mpsc::sync_channel(1);
    let (go_on, goes_on) = mpsc::sync_channel(1);
    let stored = std::thread::scope(|scope| {
        // Statements are made as they are run.
        let statements = statements.into_iter().enumerate().map(move |(at, statement)| {
            if at == 2 {
                holds.send(()).unwrap();
                goes_on.recv_timeout(BOUND).unwrap();
            }
            statement
        });
        let other = scope.spawn(move || place.execute(statements));
        held.recv_timeout(BOUND).unwrap();
        let sending = scope.spawn(|| send(place, &*dispatcher, &samples));
        let began = Instant::now();
        while place.count(waiting) == 0 {
            assert!(began.elapsed() < BOUND, "nobody waits");
            std::thread::sleep(BETWEEN_LOOKS);
        }
        go_on.send(()).unwrap();
        other.join().unwrap();
        sending.join().unwrap()
    });
    let error = stored.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert_eq!(send(place, &*dispatcher, &samples).unwrap(), []);
    assert_eq!(place.count("SELECT count(*) FROM samples"), 502);
}
