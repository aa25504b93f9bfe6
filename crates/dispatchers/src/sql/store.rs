//! Stores entries in batches.

use std::collections::HashSet;

use nephoscope_sql::{Database, Statement, Transactions, chunks, is_unknown, refuses_value, told};
use nephoscope_telemetry::Refused;

use super::insert::insert;
use super::probe::takes_another;
use super::row::{Entry, Line};
use super::schema::{TRAITS, Table};

/// Ids of one question.
const IDS: usize = 512;

/// Stores all entries, in their order and in one transaction unless they are very long. When the database refuses a
/// value, or something of them though it takes others, the entries are halved until those it refuses stand alone; they are
/// left out, and what it said of them is returned.
pub(super) async fn store(
    database: &Database,
    packet: usize,
    table: &Table,
    entries: &[Entry],
) -> sqlx::Result<Vec<Refused>> {
    let mut refused = Vec::new();
    let mut transactions = Transactions::of(entries);
    while let Some(part) = transactions.next() {
        if let Some(error) = try_to_insert(database, packet, table, part).await? {
            let refuse = |entry: &Entry| Refused { at: entry.at, reason: told(&error) };
            refused.extend(transactions.halve(part).map(refuse));
        }
    }
    Ok(refused)
}

/// Inserts entries, or tells what the database has against them.
async fn try_to_insert(
    database: &Database,
    packet: usize,
    table: &Table,
    entries: &[Entry],
) -> sqlx::Result<Option<sqlx::Error>> {
    let Err(error) = insert_all(database, packet, table, entries).await else { return Ok(None) };
    if refuses_value(&error) {
        return Ok(Some(error));
    }
    if !is_unknown(&error) || !takes_another(database, table).await {
        return Err(error);
    }
    if entries.len() > 1 {
        return Ok(Some(error));
    }
    // Whatever it was, it may have passed meanwhile.
    match insert_all(database, packet, table, entries).await {
        Err(error) if refuses_value(&error) || is_unknown(&error) => Ok(Some(error)),
        again => again.map(|()| None),
    }
}

/// Which of these ids are of events that are there.
pub(super) async fn known_events(database: &Database, ids: &[&str]) -> sqlx::Result<HashSet<String>> {
    let mut known = HashSet::new();
    for ids in ids.chunks(IDS) {
        let mut query = database.statement("SELECT message_id FROM events WHERE message_id IN (");
        for (at, id) in ids.iter().enumerate() {
            query = query.push(if at == 0 { "" } else { ", " }).bind(*id);
        }
        let rows: Vec<(String,)> = database.fetch(query.push(")")).await?;
        known.extend(rows.into_iter().map(|(id,)| id));
    }
    Ok(known)
}

/// Inserts entries in one transaction. Statements are made as they are run.
async fn insert_all(
    database: &Database,
    packet: usize,
    table: &Table,
    entries: &[Entry],
) -> sqlx::Result<()> {
    let main: Vec<_> = entries.iter().map(|entry| Line(&entry.rows.main)).collect();
    let traits: Vec<_> = entries.iter().flat_map(|entry| &entry.rows.traits).map(|row| Line(row)).collect();
    let statements =
        inserts(database, packet, table, &main).chain(inserts(database, packet, &TRAITS, &traits));
    database.execute(statements).await
}

fn inserts<'r>(
    database: &'r Database,
    packet: usize,
    table: &'r Table,
    rows: &'r [Line<'r>],
) -> impl Iterator<Item = Statement> + 'r {
    chunks(rows, packet).map(move |rows| insert(database, table, rows))
}
