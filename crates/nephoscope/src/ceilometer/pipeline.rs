//! `pipeline.yaml`, `event_pipeline.yaml` and `polling.yaml`: what goes where, and how often it is measured.
//!
//! Source: Ceilometer 27, `ceilometer/pipeline/base.py` and `ceilometer/agent.py`.

use std::path::Path;

use nephoscope_resource_types::yaml::{Yaml, YamlValue};

use super::notes::{Notes, Place};

/// A place that a sink publishes to.
#[derive(Clone, Debug)]
pub(super) struct Publisher {
    pub(super) place: Place,
    pub(super) url: String,
}

/// What a pipeline file says that matters here.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    /// Those of all sinks that a source uses.
    pub(super) publishers: Vec<Publisher>,
    /// The shortest interval of its sources, in seconds, as files of earlier days have them.
    pub(super) interval: Option<u64>,
}

/// What keeps samples from reaching a sink, and what to do.
const NO_CHOICE: &str = "every dispatcher gets all of them. To keep some meters out of Gnocchi, leave them out of a file \
                         that the dispatcher's option `resources_definition_file` names, with `unowned=drop`";
const TRANSFORMERS: &str = "nothing is calculated on the way. Gnocchi gives rates itself: `rate:mean` of the archive policy \
                            `ceilometer-low-rate`, for one";
const OF_POLLING: &str = "it is for polling agents, which have it in their polling.yaml";

/// Reads a file in which sources choose `what`: `meters` or `events`.
pub(super) fn read(file: &Path, text: &str, what: &str, notes: &mut Notes) -> Pipeline {
    let Some((yaml, reader)) = parse(file, text, notes) else { return Pipeline::default() };
    let mut pipeline = Pipeline::default();
    let mut used: Vec<&str> = Vec::new();
    let sinks = reader.entries(&yaml, "sinks", notes);
    let name_of = |entry: &'_ Yaml| entry.get("name").and_then(Yaml::as_text).map(str::to_owned);
    let names: Vec<_> = sinks.iter().filter_map(|sink| name_of(sink)).collect();
    for source in reader.entries(&yaml, "sources", notes) {
        let name = reader.name(source, "source", notes);
        let interval = source.get("interval").and_then(|interval| reader.seconds(interval, notes));
        pipeline.interval = pipeline.interval.into_iter().chain(interval).min();
        reader.choice(source, what, &name, notes);
        reader.stray(source, &["name", "interval", "sinks", what], &format!("source `{name}`"), notes);
        for sink in reader.texts(source, "sinks", "source", notes) {
            match sink.as_text() {
                Some(text) if names.iter().any(|name| name == text) => used.push(text),
                text => {
                    let text = text.unwrap_or_default();
                    notes.mistake(&reader.at(sink), format!("no sink is called `{text}`"));
                }
            }
        }
    }
    for sink in sinks {
        let name = reader.name(sink, "sink", notes);
        let about = format!("sink `{name}`");
        let publishers = reader.texts(sink, "publishers", "sink", notes);
        if !used.contains(&name.as_str()) {
            notes.find(&reader.at(sink), about, "no source uses it, and it is left out");
            continue;
        }
        if let Some(transformers) = sink.get("transformers").filter(|transformers| !is_nothing(transformers))
        {
            notes.find(&reader.at(transformers), format!("transformers of {about}"), TRANSFORMERS);
        }
        reader.stray(sink, &["name", "publishers", "transformers"], &about, notes);
        for publisher in publishers {
            let Some(url) = publisher.as_text() else { continue };
            // As Ceilometer reads what is no URL.
            let url = if url.contains("://") { url.into() } else { format!("{url}://") };
            pipeline.publishers.push(Publisher { place: reader.at(publisher), url });
        }
    }
    pipeline
}

/// The shortest interval in which the polling agents measure something, in seconds.
pub(super) fn polling_interval(file: &Path, text: &str, notes: &mut Notes) -> Option<u64> {
    let (yaml, reader) = parse(file, text, notes)?;
    let mut shortest = None;
    for source in reader.entries(&yaml, "sources", notes) {
        let interval = source.get("interval").and_then(|interval| reader.seconds(interval, notes));
        shortest = shortest.into_iter().chain(interval).min();
    }
    shortest
}

fn parse<'f>(file: &'f Path, text: &str, notes: &mut Notes) -> Option<(Yaml, Reader<'f>)> {
    match Yaml::parse(text) {
        Ok(yaml) => Some((yaml, Reader { file })),
        Err(wrong) => {
            notes.mistake(&Place::new(file, wrong.place.line), wrong.problem);
            None
        }
    }
}

fn is_nothing(yaml: &Yaml) -> bool {
    matches!(&yaml.value, YamlValue::Null) || matches!(&yaml.value, YamlValue::List(list) if list.is_empty())
}

/// Takes values out of a file, and tells what they should be.
struct Reader<'f> {
    file: &'f Path,
}

impl Reader<'_> {
    fn at(&self, yaml: &Yaml) -> Place {
        Place::new(self.file, yaml.place.line)
    }

    /// The entries of a list of the file, which are maps.
    fn entries<'y>(&self, yaml: &'y Yaml, key: &str, notes: &mut Notes) -> Vec<&'y Yaml> {
        let Some(Yaml { value: YamlValue::List(list), .. }) = yaml.get(key) else {
            let at = self.at(yaml.get(key).unwrap_or(yaml));
            notes.mistake(&at, format!("expected a map in which `{key}` is a list"));
            return Vec::new();
        };
        let (maps, others): (Vec<_>, Vec<_>) =
            list.iter().partition(|entry| matches!(entry.value, YamlValue::Map(_)));
        for other in others {
            notes.mistake(
                &self.at(other),
                format!("an entry of `{key}` is a map, and this is {}", other.kind()),
            );
        }
        maps
    }

    fn name(&self, entry: &Yaml, what: &str, notes: &mut Notes) -> String {
        match entry.get("name").and_then(Yaml::as_text) {
            Some(name) => name.into(),
            None => {
                notes.mistake(&self.at(entry), format!("this {what} has no `name`"));
                String::new()
            }
        }
    }

    fn texts<'y>(&self, entry: &'y Yaml, key: &str, what: &str, notes: &mut Notes) -> &'y [Yaml] {
        match entry.get(key).map(|list| &list.value) {
            Some(YamlValue::List(list)) if !list.is_empty() => list,
            _ => {
                notes.mistake(&self.at(entry), format!("this {what} has no list `{key}`"));
                &[]
            }
        }
    }

    fn seconds(&self, yaml: &Yaml, notes: &mut Notes) -> Option<u64> {
        let seconds = match yaml.value {
            YamlValue::Integer(seconds) => u64::try_from(seconds).ok().filter(|seconds| *seconds > 0),
            _ => None,
        };
        if seconds.is_none() {
            notes.mistake(&self.at(yaml), "`interval` is a number of seconds");
        }
        seconds
    }

    /// What a source chooses, which has to be everything.
    fn choice(&self, source: &Yaml, what: &str, name: &str, notes: &mut Notes) {
        let patterns = self.texts(source, what, "source", notes);
        let everything = patterns.iter().any(|pattern| pattern.as_text() == Some("*"));
        let some_out =
            patterns.iter().any(|pattern| pattern.as_text().is_some_and(|text| text.starts_with('!')));
        if let (Some(first), true) = (patterns.first(), !everything || some_out) {
            notes.find(&self.at(first), format!("`{what}` of source `{name}`"), NO_CHOICE);
        }
    }

    fn stray(&self, entry: &Yaml, known: &[&str], about: &str, notes: &mut Notes) {
        let YamlValue::Map(entries) = &entry.value else { return };
        for (key, _) in entries {
            let name = key.as_text().unwrap_or_default();
            if !known.contains(&name) {
                notes.find(&self.at(key), format!("`{name}` of {about}"), OF_POLLING);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_meters(text: &str) -> (Pipeline, Notes) {
        let mut notes = Notes::default();
        (read(Path::new("p.yaml"), text, "meters", &mut notes), notes)
    }

    #[test]
    fn what_is_broken_is_told_with_its_line() {
        for (text, told) in [
            ("sources: [\n  x", "p.yaml:"),
            ("- name: s\n", "p.yaml:1: expected a map in which `sinks`"),
            (
                "sources:\n  - 5\nsinks: []\n",
                "p.yaml:2: an entry of `sources` is a map, and this is a number",
            ),
            (
                "sources:\n  - meters: ['*']\n    sinks: []\nsinks: []\n",
                "p.yaml:2: this source has no `name`",
            ),
            (
                "sources:\n  - name: a\n    sinks: [s]\nsinks: []\n",
                "p.yaml:2: this source has no list `meters`",
            ),
            (
                "sources:\n  - name: a\n    meters: ['*']\n    sinks:\n      - s\nsinks: []\n",
                "p.yaml:5: no sink is called `s`",
            ),
            (
                "sources:\n  - name: a\n    interval: often\n    meters: ['*']\n    sinks: [s]\nsinks:\n  - name: s\n",
                "p.yaml:3: `interval` is a number of seconds\np.yaml:7: this sink has no list `publishers`",
            ),
        ] {
            let (_, notes) = read_meters(text);
            assert!(notes.mistakes.join("\n").contains(told), "{told} is not in {:?}", notes.mistakes);
        }
    }

    #[test]
    fn what_has_no_equivalent_is_found() {
        let (pipeline, notes) = read_meters(
            "sources:\n  - {name: a, interval: 600, meters: ['!cpu'], sinks: [s], discovery: [x]}\n\
             \x20 - {name: b, interval: 60, meters: ['*'], sinks: [s]}\n\
             sinks:\n  - name: s\n    transformers: [{name: rate}]\n    publishers: [gnocchi]\n\
             \x20 - {name: t, publishers: [udp://h]}\n",
        );
        assert_eq!(pipeline.interval, Some(60));
        let urls: Vec<_> = pipeline.publishers.iter().map(|publisher| publisher.url.as_str()).collect();
        assert_eq!(urls, ["gnocchi://"]);
        let found: Vec<_> = notes.findings.iter().map(ToString::to_string).collect();
        for told in [
            "p.yaml:2: `meters` of source `a`",
            "p.yaml:2: `discovery` of source `a`",
            "p.yaml:6: transformers of sink `s`",
            "p.yaml:8: sink `t`: no source uses it",
        ] {
            assert!(found.iter().any(|found| found.starts_with(told)), "{told} is not in {found:?}");
        }
        assert_eq!((found.len(), notes.mistakes.len()), (4, 0));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z:\\-\\[\\]{} \n!*'/]{0,80}") {
            let (_pipeline, _notes) = read_meters(&text);
        }
    }
}
