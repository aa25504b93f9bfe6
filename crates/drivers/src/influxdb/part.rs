//! What one batch tells of one trace: some of its points, and what they say together.

use std::collections::{HashMap, HashSet};

use nephoscope_telemetry::{BadRecord, Id, Timestamp, TracePoint, json};
use smol_str::SmolStr;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::line::Line;
use super::place::{self, Places};
use super::row::MEASUREMENT;
use super::word;

/// How long the text of one row is at most: InfluxData's documents allow 64 KiB in a field, whatever the version. A
/// longer point goes over several rows.
const MOST_TEXT: usize = 60_000;
/// How long an id, a name, a service or a project is at most. As JSON, in which lists of them are kept, it may be six
/// times as long.
const MOST_NAME: usize = 8 << 10;
/// How long all the names in one row are at most, for the same reason.
const MOST_NAMES: usize = 4 << 10;
/// What the fields of a row take besides their texts.
const ROOM: usize = 600;

/// Some points of one trace, in the order in which they came.
#[derive(Debug)]
pub(super) struct Part<'a> {
    earliest: &'a TracePoint,
    end: Timestamp,
    points: usize,
    errors: usize,
    names: Names,
    services: Names,
    /// The points as JSON lines.
    text: String,
    /// Hashes of the lines: what a batch holds twice is kept once.
    lines: HashSet<u128>,
}

/// Different names, in the order in which they were met.
#[derive(Debug, Default)]
struct Names(Vec<SmolStr>);

/// A row to be written.
#[derive(Debug)]
pub(super) struct Written {
    /// In line protocol.
    pub(super) line: String,
    /// The trace that it is of.
    pub(super) base_id: Id,
    /// How many points it holds.
    pub(super) points: usize,
}

impl Names {
    fn add(&mut self, name: &SmolStr) {
        if !self.0.contains(name) {
            self.0.push(name.clone());
        }
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(SmolStr::len).sum()
    }

    /// As a JSON array. A name is found in it by [`quoted`].
    fn to_json(&self) -> String {
        let mut text = String::from("[");
        for (at, name) in self.0.iter().enumerate() {
            text.push_str(if at == 0 { "" } else { ", " });
            json::write_string(&mut text, name);
        }
        text.push(']');
        text
    }
}

/// What the array of names with this one holds somewhere. ASCII without control characters.
pub(super) fn quoted(name: &str) -> String {
    let mut text = String::new();
    json::write_string(&mut text, name);
    text
}

/// Why a row cannot hold a point.
fn misfit(point: &TracePoint) -> Option<BadRecord> {
    let long = |field, text: &str| {
        (text.len() > MOST_NAME)
            .then(|| BadRecord::field(field, text, format!("has more than {MOST_NAME} bytes")))
    };
    let optional = |field, text: &Option<SmolStr>| text.as_ref().and_then(|text| long(field, text));
    long("name", &point.name)
        .or_else(|| point.base_id.with_str(|text| long("base_id", text)))
        .or_else(|| optional("service", &point.service))
        .or_else(|| optional("project", &point.project))
}

/// Puts points together by their traces; what no row can hold is told apart.
pub(super) fn parts(points: &[TracePoint]) -> (Vec<Part<'_>>, Vec<(&TracePoint, BadRecord)>) {
    let (mut parts, mut refused) = (Vec::<Part<'_>>::new(), Vec::new());
    let mut open: HashMap<&Id, usize> = HashMap::new();
    let mut line = String::new();
    for point in points {
        if let Some(reason) = misfit(point) {
            refused.push((point, reason));
            continue;
        }
        line.clear();
        point.write_json(&mut line);
        match open.get(&point.base_id) {
            Some(&at) if parts[at].has_room(point, &line) => parts[at].add(point, &line),
            _ => {
                open.insert(&point.base_id, parts.len());
                parts.push(Part::new(point, &line));
            }
        }
    }
    (parts, refused)
}

impl<'a> Part<'a> {
    fn new(point: &'a TracePoint, line: &str) -> Self {
        let mut part = Self {
            earliest: point,
            end: point.timestamp,
            points: 0,
            errors: 0,
            names: Names::default(),
            services: Names::default(),
            text: String::new(),
            lines: HashSet::new(),
        };
        part.add(point, line);
        part
    }

    fn has_room(&self, point: &TracePoint, line: &str) -> bool {
        let names = self.names.bytes() + self.services.bytes() + point.name.len();
        self.text.len() + line.len() < MOST_TEXT
            && names + point.service.as_ref().map_or(0, SmolStr::len) <= MOST_NAMES
    }

    fn add(&mut self, point: &'a TracePoint, line: &str) {
        if !self.lines.insert(xxh3_128(line.as_bytes())) {
            return;
        }
        let order = |point: &TracePoint| (point.timestamp, point.is_stop());
        if order(point) < order(self.earliest) {
            self.earliest = point;
        }
        self.end = self.end.max(point.timestamp);
        self.points += 1;
        self.errors += usize::from(point.is_error());
        self.names.add(&point.operation().into());
        point.service.iter().for_each(|service| self.services.add(service));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Its rows: one, unless it is a single point that is too long.
    pub(super) fn rows(&self, places: &Places, stored: i64) -> Vec<Written> {
        let base_id = &self.earliest.base_id;
        let bucket = place::bucket(base_id);
        let second = place::second(self.earliest.timestamp);
        let batch = format!("{:032x}", xxh3_128(self.text.as_bytes()));
        let pieces = pieces(&self.text);
        let count = integer(pieces.len());
        let row = |(number, piece): (usize, &str)| {
            let mut line = Line::new(MEASUREMENT, ("bucket", &bucket), ROOM + piece.len() * 5 / 4);
            base_id.with_str(|text| line.text("base_id", &word::encode(Some(text))));
            line.text("batch", &batch);
            line.integer("piece", integer(number));
            line.integer("pieces", count);
            line.integer("stored", stored);
            if number == 0 {
                self.tell(&mut line);
            }
            line.text("text", piece);
            let hash = xxh3_64(format!("{batch} {number} {base_id}").as_bytes());
            let line = line.at(places.take(&bucket, second, hash));
            // The other pieces are of the same point.
            let points = if number == 0 { self.points } else { 0 };
            Written { line, base_id: base_id.clone(), points }
        };
        pieces.into_iter().enumerate().map(row).collect()
    }

    fn tell(&self, line: &mut Line) {
        line.integer("start_us", self.earliest.timestamp.as_micros());
        line.integer("end_us", self.end.as_micros());
        line.boolean("stop", self.earliest.is_stop());
        line.integer("points", integer(self.points));
        line.integer("errors", integer(self.errors));
        line.text("name", &word::encode(Some(self.earliest.operation())));
        for (field, value) in [("service", &self.earliest.service), ("project", &self.earliest.project)] {
            line.text(field, &word::encode(value.as_deref()));
        }
        line.text("names", &self.names.to_json());
        line.text("services", &self.services.to_json());
    }
}

fn integer(count: usize) -> i64 {
    i64::try_from(count).expect("memory holds fewer")
}

/// A text in pieces that are no longer than a field may be.
fn pieces(mut text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while text.len() > MOST_TEXT {
        let (piece, rest) = text.split_at(text.floor_char_boundary(MOST_TEXT));
        pieces.push(piece);
        text = rest;
    }
    pieces.push(text);
    pieces
}
