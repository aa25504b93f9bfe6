//! What questions across metrics have in common: the arguments of the query, and what they are asked about.

use nephoscope_gnocchi::{Fill, Filter, Overlap, Timespan, Timestamp, Value};
use uuid::Uuid;

use super::super::arguments::Arguments;
use super::super::clock::now;
use super::super::fault::Fault;
use super::measures::moment;

/// From when to when, how fine, and what becomes of gaps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) start: Option<Timestamp>,
    pub(super) stop: Option<Timestamp>,
    pub(super) granularity: Option<Timespan>,
    pub(super) fill: Fill,
}

impl Asked {
    /// Reads the arguments; gaps are dealt with as given, where none says how.
    pub(super) fn read(arguments: &Arguments, default: Fill) -> Result<Self, Fault> {
        let overlap = arguments.one("needed_overlap")?;
        let overlap = overlap
            .map(|text| number(text).ok_or_else(|| Fault::argument("needed_overlap", "Must be a number")));
        let overlap = overlap.transpose()?;
        let now = now();
        let start = moment(arguments, "start", now)?;
        let stop = moment(arguments, "stop", now)?;
        let granularity = arguments.one("granularity")?;
        let granularity = granularity.map(|text| {
            Timespan::parse(text).map_err(|error| Fault::argument("granularity", error.to_string()))
        });
        let granularity = granularity.transpose()?;
        let fill = match (arguments.one("fill")?, overlap) {
            (Some(text), _) => fill(text)?,
            (None, Some(needed)) => Fill::Overlap(Overlap(needed)),
            (None, None) => default,
        };
        Ok(Self { start, stop, granularity, fill })
    }
}

fn fill(text: &str) -> Result<Fill, Fault> {
    let named = match text {
        "null" => Some(Fill::Null),
        "dropna" => Some(Fill::DropNa),
        "ffill" => Some(Fill::Forward),
        "bfill" => Some(Fill::Backward),
        "full_ffill" => Some(Fill::FullForward),
        "full_bfill" => Some(Fill::FullBackward),
        text => number(text).map(Fill::Number),
    };
    let forms = "Must be a float, 'dropna', 'null', 'ffill', 'bfill', 'full_ffill' or 'full_bfill'";
    named.ok_or_else(|| Fault::argument("fill", forms))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// The metrics with these ids.
pub(super) fn with_ids(ids: &[Uuid]) -> Filter {
    Filter::In("id".into(), ids.iter().map(|id| Value::String(id.to_string())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_dealt_with_as_is_asked_for() {
        let read = |query| Asked::read(&Arguments::read(Some(query)), Fill::DropNa).map(|asked| asked.fill);
        for (query, fill) in [
            ("", Fill::DropNa),
            ("needed_overlap=50", Fill::Overlap(Overlap(50.0))),
            ("needed_overlap=50&fill=null", Fill::Null),
            ("fill=-1.5", Fill::Number(-1.5)),
            ("fill=full_bfill", Fill::FullBackward),
        ] {
            assert_eq!(read(query), Ok(fill), "{query}");
        }
        for query in ["needed_overlap=x", "fill=x", "fill=", "granularity=0", "start=x", "stop=x"] {
            assert!(read(query).is_err(), "{query}");
        }
    }
}
