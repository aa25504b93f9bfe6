//! Which rows to read, whatever the language it is asked in.

use nephoscope_telemetry::Id;

/// What to read of each row, besides its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    /// Whose it is, and when what it tells ended.
    Ends,
    /// What it tells of its trace; only rows that tell it.
    Summary,
    /// The points.
    Points,
}

/// A question for rows.
#[derive(Clone, Debug)]
pub(super) struct Question<'a> {
    pub(super) columns: Columns,
    /// Only rows of these traces; of all when there are none.
    pub(super) traces: &'a [Id],
    /// Only rows of this time or later, in nanoseconds.
    pub(super) from: Option<i64>,
    /// Only rows of this time or earlier.
    pub(super) to: Option<i64>,
    /// Only rows whose names may hold this one.
    pub(super) name: Option<&'a str>,
    /// Only rows whose services may hold this one.
    pub(super) service: Option<&'a str>,
    /// Only rows that tell of errors.
    pub(super) errors: bool,
    /// Only so many, the newest, newest first; else all of them in no order.
    pub(super) newest: Option<usize>,
}

impl<'a> Question<'a> {
    pub(super) fn new(columns: Columns) -> Self {
        let (traces, name, service): (&[Id], _, _) = (&[], None, None);
        Self { columns, traces, from: None, to: None, name, service, errors: false, newest: None }
    }

    /// Of these traces alone.
    pub(super) fn of(self, traces: &'a [Id]) -> Self {
        Self { traces, ..self }
    }
}

impl Columns {
    /// The names of the columns.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Ends => &["base_id", "end_us"],
            Self::Summary => &[
                "base_id", "batch", "stored", "start_us", "end_us", "stop", "points", "errors", "name",
                "service", "project", "names", "services",
            ],
            Self::Points => &["base_id", "batch", "piece", "pieces", "stored", "text"],
        }
    }
}
