//! `nephoscope sample import` and `nephoscope event import`

use std::mem;

use anyhow::Context;
use indicatif::ProgressBar;
use nephoscope_collector::{Letter, REFUSED, Run};
use nephoscope_telemetry::{Registry, json};
use tokio::sync::mpsc;

use super::Kind;
use super::target::Target;
use crate::cli::LinesArgs;
use crate::exit::Failure;
use crate::lines::Lines;
use crate::{output, progress};

/// They are sent in runs of this size …
const RUN_ITEMS: usize = 5_000;
/// … or of this much text, so that a few huge ones do not make a huge request.
const RUN_BYTES: usize = 4 << 20;
/// Runs that are read while one is being sent.
const RUNS_AHEAD: usize = 2;

/// Sends what files hold. A line that is none is told by its number and passed over; what is refused is printed with the
/// reason, so that it can be imported once that is mended.
pub(super) async fn run(kind: Kind, args: &LinesArgs, registry: &Registry) -> anyhow::Result<()> {
    let target = Target::open(&args.target, registry).await?;
    let mut counts = Counts::default();
    for file in &args.files {
        let imported = async { import(kind, Lines::open(file)?, &target, &mut counts).await }.await;
        imported.with_context(|| format!("{} {} were sent before", counts.sent, kind.name()))?;
    }
    let name = target.name.clone();
    target.close().await?;
    counts.tell(kind, &name)
}

/// What became of what was read.
#[derive(Debug, Default)]
struct Counts {
    sent: u64,
    refused: u64,
    /// Of the other kind.
    passed_over: u64,
    bad: u64,
}

impl Counts {
    fn tell(&self, kind: Kind, to: &str) -> anyhow::Result<()> {
        let (sent, what, other) = (self.sent, kind.name(), kind.other().name());
        if self.passed_over > 0 {
            let command = other.trim_end_matches('s');
            tracing::info!(
                "{} {other} passed over; `nephoscope {command} import` takes them",
                self.passed_over
            );
        }
        if self.refused + self.bad > 0 {
            let (refused, bad) = (self.refused, self.bad);
            let message = format!("{sent} {what} sent, {refused} refused, {bad} left out");
            return Err(Failure::Partly(message).into());
        }
        tracing::info!("{sent} {what} sent to {to}");
        Ok(())
    }
}

async fn import(kind: Kind, lines: Lines, target: &Target, counts: &mut Counts) -> anyhow::Result<()> {
    let length = lines.length();
    let bar = progress::bar(if length.is_some() { "bytes" } else { kind.name() }, length);
    let (batches, mut read) = mpsc::channel(RUNS_AHEAD);
    let reader = tokio::task::spawn_blocking(move || Reader::new(kind, lines, &batches).send());
    while let Some(Batch { run, bytes }) = read.recv().await {
        send(&run, target, &bar, counts).await?;
        bar.inc(if length.is_some() { bytes as u64 } else { run.len() as u64 });
    }
    bar.finish_and_clear();
    let (passed_over, bad) = reader.await.expect("reading does not panic")?;
    counts.passed_over += passed_over;
    counts.bad += bad;
    Ok(())
}

/// Sends a run, and prints what is refused of it.
async fn send(run: &Run, target: &Target, bar: &ProgressBar, counts: &mut Counts) -> anyhow::Result<()> {
    if run.is_empty() {
        return Ok(());
    }
    let refused = target.send(run).await?;
    let mut letters = String::new();
    for refused in &refused {
        let text = run.text(refused.at);
        Letter { text: &text, by: &target.name, reason: &refused.reason }.write(&mut letters);
    }
    if !letters.is_empty() {
        bar.suspend(|| output::print(&letters))?;
    }
    counts.refused += refused.len() as u64;
    counts.sent += (run.len() - refused.len()) as u64;
    Ok(())
}

struct Batch {
    run: Run,
    /// Of the file that were read for it.
    bytes: usize,
}

/// Reads the lines of a file into runs.
struct Reader<'a> {
    kind: Kind,
    lines: Lines,
    batches: &'a mpsc::Sender<Batch>,
    run: Run,
    /// How much text is in the run.
    run_bytes: usize,
    bytes: usize,
    /// How many were of the other kind.
    passed_over: u64,
}

impl<'a> Reader<'a> {
    fn new(kind: Kind, lines: Lines, batches: &'a mpsc::Sender<Batch>) -> Self {
        Self { kind, lines, batches, run: kind.none(), run_bytes: 0, bytes: 0, passed_over: 0 }
    }

    /// Sends all there are, and returns how many were passed over, and how many left out. Ends early when nobody receives.
    fn send(mut self) -> anyhow::Result<(u64, u64)> {
        let mut line = Vec::new();
        while !self.batches.is_closed()
            && let Some(read) = self.lines.read(&mut line)?
        {
            self.bytes += read;
            self.take_line(line.trim_ascii());
        }
        self.send_run();
        Ok((self.passed_over, self.lines.bad()))
    }

    fn send_run(&mut self) {
        let run = mem::replace(&mut self.run, self.kind.none());
        self.run_bytes = 0;
        // Whoever receives has failed if it is gone, and says so itself.
        let _gone = self.batches.blocking_send(Batch { run, bytes: mem::take(&mut self.bytes) });
    }

    /// An object, or an array of them.
    fn take_line(&mut self, line: &[u8]) {
        match std::str::from_utf8(line) {
            Err(error) => {
                self.lines.tell(None, format_args!("is not UTF-8 at byte {}", error.valid_up_to()));
            }
            Ok("") => {}
            Ok(text) if text.starts_with('[') => {
                for (number, item) in (1..).zip(json::items(text)) {
                    match item {
                        Ok(item) => self.take(Some(number), item),
                        Err(broken) => self.lines.tell(Some(number), broken),
                    }
                }
            }
            Ok(text) => self.take(None, text),
        }
    }

    fn take(&mut self, item: Option<usize>, text: &str) {
        match self.run.push(text) {
            Ok(()) => forget_refusal(&mut self.run),
            // The dead letters and a file that file:// writes hold both.
            Err(_) if self.kind.other().none().push(text).is_ok() => self.passed_over += 1,
            Err(reason) => self.lines.tell(item, reason),
        }
        self.run_bytes += text.len();
        if self.run.len() >= RUN_ITEMS || self.run_bytes >= RUN_BYTES {
            self.send_run();
        }
    }
}

/// A dead letter was a sample or an event before it was refused.
fn forget_refusal(run: &mut Run) {
    let extra = match run {
        Run::Samples(samples) => samples.last_mut().map(|sample| &mut sample.extra),
        Run::Events(events) => events.last_mut().map(|event| &mut event.extra),
    };
    if let Some(extra) = extra {
        extra.retain(|(key, _)| key != REFUSED);
    }
}
