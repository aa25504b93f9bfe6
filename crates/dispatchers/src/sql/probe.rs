//! Finding out what an error is about whose code does not tell.
//!
//! A trigger of the operator can fail with any code, and databases have codes that say nothing. Should such an error be
//! about one sample, that would hold up all others for as long as it is taken for an outage.

use nephoscope_sql::{Database, Dialect, refuses_value};
use nephoscope_telemetry::{Event, Json, Sample};

use super::insert::insert;
use super::row::{self, Line, Rows};
use super::schema::{EVENTS, TRAITS, Table};

/// What the probe is called, should anybody meet it.
const NAME: &str = "nephoscope.probe";
/// A time that every column has.
const TIME: &str = "2026-01-01T00:00:00";

/// Whether the database takes another row of that table, or has something to say against its values. The row is not kept.
pub(super) async fn takes_another(database: &Database, table: &Table) -> bool {
    let Rows { main, traits } = rows(table, database.dialect());
    let mut statements = vec![insert(database, table, &[Line(&main)])];
    statements.extend(traits.iter().map(|row| insert(database, &TRAITS, &[Line(row)])));
    match database.rehearse(statements).await {
        Ok(()) => true,
        Err(error) => refuses_value(&error),
    }
}

fn rows(table: &Table, dialect: Dialect) -> Rows {
    let rows = if table.name == EVENTS.name {
        let text = format!(
            r#"{{"message_id": "{NAME}", "event_type": "{NAME}", "generated": "{TIME}", "traits": [["{NAME}", 1, "x"]], "raw": {{}}}}"#
        );
        row::of_event(&Event::from_json(&text).expect("it is an event"), dialect)
    } else {
        let mut sample = Sample::new(NAME, Json::parse("0").expect("it is a number"), NAME, TIME);
        sample.id = Some(NAME.into());
        row::of_sample(&sample, dialect)
    };
    rows.expect("every database holds it")
}
