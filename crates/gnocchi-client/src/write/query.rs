//! Queries: which part of a list, which aggregates, which calculation.

use nephoscope_gnocchi::{
    AggregatesQuery, Direction, Fill, Nulls, Overlap, Page, Range, Resolution, Sort, Subject,
};
use serde_json::{Value as Json, json};

use super::{Moment, object, seconds_text};

/// An argument of a query.
type Argument = (&'static str, String);

/// Marker and order of a list.
pub(crate) fn page(page: &Page) -> Vec<Argument> {
    let marker = page.marker.iter().map(|marker| ("marker", marker.clone()));
    marker.chain(page.sort.iter().map(|sort| ("sort", order(sort)))).collect()
}

fn order(sort: &Sort) -> String {
    let direction = match sort.direction {
        Direction::Ascending => "asc",
        Direction::Descending => "desc",
    };
    let nulls = match sort.nulls {
        None => "",
        Some(Nulls::First) => "-nullsfirst",
        Some(Nulls::Last) => "-nullslast",
    };
    format!("{}:{direction}{nulls}", sort.key)
}

/// Which aggregates of a metric.
pub(crate) fn range(range: &Range) -> Vec<Argument> {
    let mut arguments = vec![("aggregation", range.aggregation.to_string())];
    arguments.extend(range.start.map(|start| ("start", Moment(start).to_string())));
    arguments.extend(range.stop.map(|stop| ("stop", Moment(stop).to_string())));
    arguments.extend(range.granularity.map(|span| ("granularity", seconds_text(span))));
    arguments.extend(range.resample.map(|resolution| ("resample", self::resolution(resolution))));
    arguments
}

fn resolution(resolution: Resolution) -> String {
    match resolution {
        Resolution::Span(span) => seconds_text(span),
        calendar => calendar.letter().into(),
    }
}

/// The arguments of a calculation across metrics.
pub(crate) fn aggregates_query(query: &AggregatesQuery) -> Vec<Argument> {
    let mut arguments = Vec::new();
    arguments.extend(query.start.map(|start| ("start", Moment(start).to_string())));
    arguments.extend(query.stop.map(|stop| ("stop", Moment(stop).to_string())));
    arguments.extend(query.granularity.map(|span| ("granularity", seconds_text(span))));
    arguments.push(fill(query.fill));
    if query.details {
        arguments.push(("details", "true".into()));
    }
    if let Subject::Resources { groupby, use_history, .. } = &query.subject {
        arguments.extend(groupby.iter().map(|attribute| ("groupby", attribute.clone())));
        if *use_history {
            arguments.push(("use_history", "true".into()));
        }
    }
    arguments
}

fn fill(fill: Fill) -> Argument {
    let named = match fill {
        Fill::Overlap(Overlap(needed)) => return ("needed_overlap", needed.to_string()),
        Fill::Number(number) => return ("fill", number.to_string()),
        Fill::Null => "null",
        Fill::DropNa => "dropna",
        Fill::Forward => "ffill",
        Fill::Backward => "bfill",
        Fill::FullForward => "full_ffill",
        Fill::FullBackward => "full_bfill",
    };
    ("fill", named.into())
}

/// The body of a calculation across metrics.
pub(crate) fn aggregates(query: &AggregatesQuery) -> Json {
    let (resource_type, search) = match &query.subject {
        Subject::Metrics => (None, None),
        Subject::Resources { resource_type, filter, .. } => {
            let search = filter.as_ref().map_or_else(|| json!({}), nephoscope_gnocchi::Filter::to_json);
            (Some(resource_type.as_str().into()), Some(search))
        }
    };
    object([
        ("operations", Some(query.operation.to_json())),
        ("resource_type", resource_type),
        ("search", search),
    ])
}
