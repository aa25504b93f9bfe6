//! `nephoscope trace list`

use std::io::{self, Write};

use anyhow::Context;
use nephoscope_telemetry::{Registry, TraceFilter, TraceSummary};

use crate::cli::{ListArgs, ListFormat};
use crate::{backend, output, show, table};

/// The columns: the first two are those of `osprofiler trace list`.
const COLUMNS: [&str; 8] =
    ["base_id", "timestamp", "name", "service", "project", "duration_ms", "points", "errors"];

/// Lists traces.
pub(crate) async fn run(args: ListArgs, registry: &Registry) -> anyhow::Result<()> {
    let driver = backend::connect(registry, backend::chosen(&args.backend)?).await?;
    let filter = TraceFilter {
        service: args.service.map(Into::into),
        name: args.name.map(Into::into),
        since: args.since,
        until: args.until,
        min_duration: args.min_duration,
        limit: args.limit,
    };
    let list =
        if args.error_trace { driver.list_errors(&filter).await? } else { driver.list(&filter).await? };
    driver.close().await?;
    let mut out = output::open(None)?;
    write(args.format, &list, &mut out).and_then(|()| out.flush()).context("cannot write the list")
}

fn write(format: ListFormat, list: &[TraceSummary], out: &mut impl Write) -> io::Result<()> {
    match format {
        ListFormat::Json => write_json(list, out),
        ListFormat::Table => write_table(list, out),
        ListFormat::Csv => {
            writeln!(out, "{}", COLUMNS.join(","))?;
            list.iter()
                .try_for_each(|trace| writeln!(out, "{}", cells(trace).map(|cell| csv_cell(&cell)).join(",")))
        }
        ListFormat::Value => list.iter().try_for_each(|trace| {
            let cells = cells(trace)
                .map(|cell| if cell.is_empty() { "-".into() } else { show::visible(&cell).into_owned() });
            writeln!(out, "{}", cells.join(" "))
        }),
    }
}

/// Every column as text; empty where the backend does not know.
fn cells(trace: &TraceSummary) -> [String; 8] {
    let count = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
    [
        trace.base_id.to_string(),
        trace.timestamp.to_string(),
        trace.name.as_deref().unwrap_or_default().into(),
        trace.service.as_deref().unwrap_or_default().into(),
        trace.project.as_deref().unwrap_or_default().into(),
        trace.duration.map(|lasted| format!("{:.3}", lasted.as_secs_f64() * 1000.0)).unwrap_or_default(),
        count(trace.points),
        count(trace.errors),
    ]
}

/// RFC 4180: quoted when it has to be.
fn csv_cell(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.into()
    }
}

fn write_json(list: &[TraceSummary], out: &mut impl Write) -> io::Result<()> {
    write!(out, "[")?;
    let mut object = String::new();
    for (number, trace) in list.iter().enumerate() {
        object.clear();
        trace.write_json(&mut object);
        write!(out, "{}{object}", if number == 0 { "\n  " } else { ",\n  " })?;
    }
    writeln!(out, "{}]", if list.is_empty() { "" } else { "\n" })
}

/// A table as `osprofiler` draws its own, without the columns that the backend knows nothing about.
fn write_table(list: &[TraceSummary], out: &mut impl Write) -> io::Result<()> {
    let cells: Vec<_> = list.iter().map(cells).collect();
    let known = |column: &usize| *column < 2 || cells.iter().any(|row| !row[*column].is_empty());
    let known: Vec<_> = (0..COLUMNS.len()).filter(known).collect();
    let columns: Vec<_> = known.iter().map(|&column| COLUMNS[column]).collect();
    let rows: Vec<Vec<_>> =
        cells.iter().map(|row| known.iter().map(|&column| row[column].clone()).collect()).collect();
    table::write(&columns, &rows, out)
}
