//! Gnocchi's own functional suite, which is to pass whole against the daemon: a trial a file, each with a store of its own.

use nephoscope_testkit::gnocchi::{functional_files, functional_suite};
use nephoscope_testkit::server::Missing;
use nephoscope_testkit::{Trial, trial};
use serde_json::{Value, json};

/// Every file, and how many tests the real Gnocchi passes in it.
const FILES: [(&str, usize); 28] = [
    ("aggregates-with-metric-ids.yaml", 51),
    ("aggregates-with-resources.yaml", 35),
    ("aggregation.yaml", 62),
    ("archive-rule.yaml", 25),
    ("archive.yaml", 50),
    ("async.yaml", 5),
    ("base.yaml", 13),
    ("batch-measures.yaml", 24),
    ("cors.yaml", 2),
    ("create-metric-with-resource-id.yaml", 5),
    ("healthcheck.yaml", 1),
    ("history.yaml", 10),
    ("http-proxy-to-wsgi.yaml", 1),
    ("influxdb.yaml", 18),
    ("metric-derived.yaml", 14),
    ("metric-granularity.yaml", 6),
    ("metric-list.yaml", 17),
    ("metric-timestamp-format.yaml", 5),
    ("metric.yaml", 50),
    ("pagination.yaml", 47),
    ("prometheus.yaml", 10),
    ("resample-calendar.yaml", 12),
    ("resource-aggregation.yaml", 12),
    ("resource-type.yaml", 39),
    ("resource.yaml", 101),
    ("search-metric.yaml", 11),
    ("search.yaml", 29),
    ("transformedids.yaml", 16),
];
/// How many tests there are.
const TESTS: usize = 671;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![trial("functional::the_table_has_every_file", the_table_has_every_file)];
    trials.extend(
        FILES
            .into_iter()
            .map(|(file, tests)| trial(format!("functional::{file}"), move || passes_whole(file, tests))),
    );
    trials
}

/// No file that the suite has is left out, and no test.
fn the_table_has_every_file() -> Result<(), Missing> {
    let there: Vec<String> = serde_json::from_str(&functional_files()?).expect("it is a list of names");
    assert_eq!(there, FILES.map(|(file, _)| file));
    assert_eq!(FILES.iter().map(|(_, tests)| tests).sum::<usize>(), TESTS);
    Ok(())
}

fn passes_whole(file: &str, tests: usize) -> Result<(), Missing> {
    let server = super::serve(super::FUNCTIONAL);
    let url = format!("http://127.0.0.1:{}", server.port());
    let told: Value = serde_json::from_str(&functional_suite(file, &url)?).expect("it is an object");
    let failed = told["failed"].as_array().expect("it is a list");
    let reasons: Vec<_> = failed.iter().map(reason).collect();
    assert!(failed.is_empty(), "{} of {tests} passed\n{}", told["passed"], reasons.join("\n"));
    assert_eq!(told["passed"], json!(tests));
    Ok(())
}

/// The last lines of what Python says are what is wrong.
fn reason(failed: &Value) -> String {
    let (name, reason) = (&failed["name"], failed["reason"].as_str().unwrap_or_default());
    let told = reason.rfind("\nAssertionError").map_or(reason, |at| &reason[at..]);
    format!("{name}:{}", told.trim_end())
}
