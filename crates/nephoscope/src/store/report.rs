//! What the store commands print.

use std::path::Path;

use nephoscope_store::Stats;
use serde_json::{Value, json};

use crate::cli::ReportFormat;
use crate::output;

/// What a check found.
pub(super) fn problems(format: ReportFormat, problems: &[String]) -> anyhow::Result<()> {
    match format {
        ReportFormat::Json => print_json(&json!({ "problems": problems })),
        ReportFormat::Text if problems.is_empty() => output::print("no problems\n"),
        ReportFormat::Text => {
            output::print(&problems.iter().map(|line| format!("{line}\n")).collect::<String>())
        }
    }
}

/// What a store holds.
pub(super) fn stats(format: ReportFormat, stats: &Stats) -> anyhow::Result<()> {
    let rows = [
        ("archive_policies", stats.archive_policies as u64),
        ("resource_types", stats.resource_types as u64),
        ("resources", stats.resources as u64),
        ("revisions", stats.revisions as u64),
        ("metrics", stats.metrics as u64),
        ("deleted_metrics", stats.deleted_metrics as u64),
        ("index_bytes", stats.index_bytes),
        ("segments", stats.series.segments),
        ("segment_bytes", stats.series.segment_bytes),
    ];
    match format {
        ReportFormat::Json => {
            let members = rows.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
            print_json(&members.collect())
        }
        ReportFormat::Text => print_rows(&rows),
    }
}

/// How many bytes were taken before and after.
pub(super) fn compacted(format: ReportFormat, before: u64, after: u64) -> anyhow::Result<()> {
    match format {
        ReportFormat::Json => print_json(&json!({ "bytes_before": before, "bytes_after": after })),
        ReportFormat::Text => print_rows(&[("bytes_before", before), ("bytes_after", after)]),
    }
}

/// Where a copy is.
pub(super) fn backed_up(format: ReportFormat, to: &Path) -> anyhow::Result<()> {
    match format {
        ReportFormat::Json => print_json(&json!({ "backup": to.to_string_lossy() })),
        ReportFormat::Text => output::print(&format!("copied to {}\n", to.display())),
    }
}

fn print_json(value: &Value) -> anyhow::Result<()> {
    output::print(&format!("{value:#}\n"))
}

fn print_rows(rows: &[(&str, u64)]) -> anyhow::Result<()> {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines = rows.iter().map(|(name, value)| format!("{:width$}  {value}\n", name.replace('_', " ")));
    output::print(&lines.collect::<String>())
}
