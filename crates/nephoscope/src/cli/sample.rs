//! `nephoscope sample …` and `nephoscope event …`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use nephoscope_telemetry::{Json, Timestamp, json};

use super::{DaemonArgs, Place};
use crate::time;

/// `nephoscope sample …`
#[derive(Debug, Subcommand)]
pub enum SampleCommand {
    /// Send samples from JSON lines
    Import(LinesArgs),
    /// Send one sample
    Send(SampleArgs),
}

/// `nephoscope event …`
#[derive(Debug, Subcommand)]
pub enum EventCommand {
    /// Send events from JSON lines
    Import(LinesArgs),
    /// Send one event
    Send(EventArgs),
}

/// Where samples and events are sent.
#[derive(Args, Clone, Debug)]
pub struct TargetArgs {
    /// The dispatcher, such as http://127.0.0.1:8041 for a daemon, or embedded:// for the store of this machine
    #[arg(long, value_name = "CS", default_value = "embedded://")]
    pub to: Place,
    /// Where embedded:// is.
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `nephoscope sample import` and `nephoscope event import`
#[derive(Args, Debug)]
pub struct LinesArgs {
    /// Files of JSON lines, each an object or an array of them: what file:// writes, dead letters, what Ceilometer posts;
    /// `-` for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub files: Vec<PathBuf>,
    /// Where they are sent.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// `nephoscope sample send`
#[derive(Args, Debug)]
pub struct SampleArgs {
    /// What was measured, such as cpu
    #[arg(long, value_name = "NAME")]
    pub meter: String,
    /// Id of the resource it was measured at
    #[arg(long, value_name = "ID")]
    pub resource: String,
    /// The value, a number
    #[arg(long, value_name = "NUMBER", value_parser = number, allow_negative_numbers = true)]
    pub volume: Json,
    /// How values follow each other
    #[arg(long = "type", value_name = "TYPE", default_value = "gauge")]
    pub kind: SampleType,
    /// What the value counts, such as ns
    #[arg(long, value_name = "UNIT", default_value = "", hide_default_value = true)]
    pub unit: String,
    /// Id of the project that the resource belongs to
    #[arg(long, value_name = "ID")]
    pub project: Option<String>,
    /// Id of the user that the resource belongs to
    #[arg(long, value_name = "ID")]
    pub user: Option<String>,
    /// When it was measured: 2026-01-31T12:00:00 (UTC), or 2h for two hours ago; now, unless told
    #[arg(long, value_name = "T", value_parser = time::parse_moment)]
    pub timestamp: Option<Timestamp>,
    /// What is known of the resource: a text under a key, or a JSON object; may be given several times
    #[arg(long, value_name = "KEY=VALUE|JSON", value_parser = metadata)]
    pub metadata: Vec<Metadata>,
    /// Where it is sent.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// How the values of a meter follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SampleType {
    /// Each stands for itself
    Gauge,
    /// Each is what was added since the one before
    Delta,
    /// Each is all that was ever added
    Cumulative,
}

/// Keys and values of metadata.
#[derive(Clone, Debug)]
pub struct Metadata(pub Vec<(String, Json)>);

/// `nephoscope event send`
#[derive(Args, Debug)]
pub struct EventArgs {
    /// What happened, such as compute.instance.delete.start
    #[arg(long = "type", value_name = "TYPE")]
    pub event_type: String,
    /// What is known of it: a text under a name; may be given several times
    #[arg(long = "trait", value_name = "NAME=VALUE", value_parser = key_and_value)]
    pub traits: Vec<(String, String)>,
    /// When it happened: 2026-01-31T12:00:00 (UTC), or 2h for two hours ago; now, unless told
    #[arg(long, value_name = "T", value_parser = time::parse_moment)]
    pub timestamp: Option<Timestamp>,
    /// Where it is sent.
    #[command(flatten)]
    pub target: TargetArgs,
}

fn number(text: &str) -> Result<Json, String> {
    let json = Json::parse(text).ok();
    let finite = json.filter(|_| text.parse().is_ok_and(f64::is_finite));
    finite.ok_or_else(|| "expected a number as JSON has it, such as 5, -0.5 or 1e9".into())
}

fn metadata(text: &str) -> Result<Metadata, String> {
    if !text.starts_with('{') {
        return key_and_value(text).map(|(key, value)| Metadata(vec![(key, Json::string(&value))]));
    }
    let object = Json::parse(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let entries = json::entries(object.as_str());
    let entries = entries.map(|(key, value)| (key.into_owned(), Json::written(value)));
    Ok(Metadata(entries.collect()))
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.into(), value.into())),
        _ => Err("expected a name, `=` and a value".into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_those_of_json_and_finite() {
        for text in ["0", "-5.50", "1e9", "12345678901234567890"] {
            assert_eq!(number(text).unwrap().as_str(), text);
        }
        for text in ["", "5 ", "+5", ".5", "1_0", "NaN", "-Infinity", "1e400", "\"5\"", "true", "[5]"] {
            assert!(number(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_stands_behind_a_key_is_its_value(key in "[^={][^=]*", value in ".*") {
            let Metadata(entries) = metadata(&format!("{key}={value}")).unwrap();
            prop_assert_eq!(entries, [(key, Json::string(&value))]);
        }

        #[test]
        fn an_object_gives_its_entries(key in ".*", number: i64, text in ".*") {
            let object = serde_json::json!({ key.as_str(): { "inner": [number, text.as_str()] } });
            for written in [object.to_string(), format!("{object:#}")] {
                let Metadata(entries) = metadata(&written).unwrap();
                let read = |json: &Json| serde_json::from_str::<serde_json::Value>(json.as_str()).unwrap();
                prop_assert_eq!(entries.len(), 1);
                prop_assert_eq!(&entries[0].0, &key);
                prop_assert_eq!(&read(&entries[0].1), &object[&key]);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in r#"[{}\[\]",:=a-z0-9 .\n-]*"#) {
            let _outcome = (metadata(&text), metadata(&format!("{{{text}")), number(&text));
        }
    }
}
