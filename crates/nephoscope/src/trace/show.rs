//! `nephoscope trace show`

use std::fs;
use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use nephoscope_otlp::ids::base_id_of_hex;
use nephoscope_telemetry::report::Dialect;
use nephoscope_telemetry::{Batch, ConnectionString, Id, Points, Registry, Report};

use super::warn_of;
use crate::cli::{Place, ShowArgs};
use crate::exit::Failure;
use crate::{backend, output, show, terminal};

/// Shows a trace.
pub(crate) async fn run(args: ShowArgs, registry: &Registry) -> anyhow::Result<()> {
    let report =
        if is_file(&args.trace) { from_file(&args.trace)? } else { from_backend(&args, registry).await? };
    // The process ends after this, and to free a large report text by text takes long.
    let report = ManuallyDrop::new(report);
    // The tree and the page say so themselves.
    if report.unreachable() > 0 && (args.json || args.dot) {
        tracing::warn!(
            "{} operations are not in the tree: their parents form a circle",
            report.unreachable()
        );
    }
    let mut out = output::open(args.out.as_deref())?;
    write(&args, &report, &mut out)?;
    out.flush().context("cannot write the report")?;
    Ok(())
}

fn write(args: &ShowArgs, report: &Report, out: &mut impl Write) -> anyhow::Result<()> {
    // Of several formats the first counts, as for `osprofiler trace show`.
    if args.json {
        report.write_json(Dialect::Python, out)?;
    } else if args.html {
        show::write_html(report, out)?;
    } else if args.dot {
        show::write_dot(report, out)?;
        if let Some(file) = &args.render_dot {
            render(report, file)?;
        }
    } else {
        let style = if args.out.is_some() { show::Style::default() } else { terminal::style() };
        show::write_tree(report, style, out)?;
    }
    Ok(())
}

/// A UUID is an id even if a file has that name, as for `osprofiler`; another text is the file of that name, or
/// else an id.
fn is_file(text: &str) -> bool {
    let hex = text.chars().filter(|character| *character != '-').count() == 32
        && text.chars().all(|character| character == '-' || character.is_ascii_hexdigit());
    text == "-" || (!hex && Path::new(text).is_file())
}

async fn from_backend(args: &ShowArgs, registry: &Registry) -> anyhow::Result<Report> {
    let to = &with_transport(backend::chosen(&args.backend)?, args);
    let driver = backend::connect(registry, to).await?;
    let mut base_id = Id::new(&args.trace);
    let mut points = driver.points(&base_id).await?;
    // What OpenTelemetry's tools show of a trace id is no base id by itself, but there may be one that is spelled so.
    if let Some(same) = base_id_of_hex(&args.trace).filter(|_| points.good.is_empty()) {
        points = driver.points(&same).await?;
        base_id = same;
    }
    driver.close().await?;
    warn_of(&points.bad, &base_id);
    if points.good.is_empty() {
        let looked_for = format!("trace {base_id} is not in {to}");
        let cure = "`nephoscope trace list` shows what is; no file has that name either";
        return Err(Failure::NotFound(format!("{looked_for}; {cure}")).into());
    }
    Ok(points.into_report())
}

/// The flags that only the message bus has a use for, as options of its connection string.
fn with_transport(to: &ConnectionString, args: &ShowArgs) -> ConnectionString {
    let mut to = to.clone();
    if let ("messaging", Some(Place(url))) = (to.scheme(), &args.transport_url) {
        to = to.with_option("transport_url", &url.expose(url.scheme(), |_| true));
    }
    if let ("messaging" | "rabbit" | "amqp", Some(seconds)) = (to.scheme(), args.idle_timeout) {
        to = to.with_option("idle_timeout", &seconds.to_string());
    }
    to
}

/// Reads a saved report, or trace points as a JSON array or JSON lines.
fn from_file(name: &str) -> anyhow::Result<Report> {
    let text = read(name).with_context(|| format!("cannot read {name}"))?;
    let report_error = match std::str::from_utf8(&text).map(Report::from_json) {
        Ok(Ok(report)) => return Ok(report),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    let batch = Batch::read(&text);
    let Some(first) = batch.points.first() else {
        bail!("{name} holds neither a saved report ({report_error}) nor trace points");
    };
    let base_id = first.base_id.clone();
    for (place, reason) in &batch.bad {
        tracing::warn!("{place} of {name} is left out: {reason}");
    }
    if batch.points.iter().any(|point| point.base_id != base_id) {
        tracing::warn!("{name} holds several traces; their operations are shown as one");
    }
    Ok(Points::from(batch.points).into_report())
}

fn read(name: &str) -> io::Result<Vec<u8>> {
    if name == "-" {
        let mut text = Vec::new();
        io::stdin().lock().read_to_end(&mut text)?;
        return Ok(text);
    }
    fs::read(name)
}

/// Has Graphviz draw the graph to `FILE.pdf`.
fn render(report: &Report, file: &Path) -> anyhow::Result<()> {
    let pdf = file.with_added_extension("pdf");
    let mut dot = Command::new("dot")
        .arg("-Tpdf")
        .arg("-o")
        .arg(&pdf)
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot run `dot`; install Graphviz, or leave out --render-dot")?;
    let mut input = dot.stdin.take().expect("its standard input is a pipe");
    show::write_dot(report, &mut input).context("cannot hand the graph to `dot`")?;
    drop(input);
    let status = dot.wait()?;
    if !status.success() {
        bail!("`dot` could not draw {}: {status}", pdf.display());
    }
    Ok(())
}
