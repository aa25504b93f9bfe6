//! What operators run the daemon with, and look after it with.

use std::path::Path;
use std::process::Command;

use nephoscope_testkit::server::{Missing, RabbitmqServer};
use serde_json::Value;

/// systemd itself reads the unit, and has nothing to say.
pub(crate) fn systemd_takes_the_unit() -> Result<(), Missing> {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contrib/systemd/nephoscope.service");
    let text = std::fs::read_to_string(unit).expect("it is in the project");
    // The program that is tested, and not the manual page, which nobody installed.
    assert!(text.contains("ExecStart=/usr/bin/nephoscope serve "));
    let text = text.replace("/usr/bin/nephoscope", env!("CARGO_BIN_EXE_nephoscope"));
    let text = text.replace("Documentation=man:nephoscope(1)\n", "");
    let directory = tempfile::tempdir().expect("a directory can be made");
    let here = directory.path().join("nephoscope.service");
    std::fs::write(&here, text).expect("it can be written");
    let verified = Command::new("systemd-analyze").arg("verify").arg(&here).output();
    let missing = Missing::Program { program: "systemd-analyze", package: "systemd" };
    let verified = verified.map_err(|_| missing)?;
    let told = String::from_utf8_lossy(&verified.stderr);
    // Units of the machine itself may be told of, too.
    assert!(verified.status.success() && !told.contains("nephoscope.service"), "{told}");
    Ok(())
}

/// Queues are looked at: none is made, no message is taken, and who else consumes one is told.
pub(crate) fn a_doctor_looks_at_a_bus_and_leaves_it_as_it_is() -> Result<(), Missing> {
    let rabbit = RabbitmqServer::start()?;
    let url = rabbit.url();
    let queues = || rabbit.control(&["list_queues", "name", "messages", "consumers", "messages_ready"]);
    let (code, findings) = examine(&format!("{url}?topics=profiler"));
    assert_eq!((code, status(&findings, "source")), (Some(0), "ok".into()), "{findings:?}");
    assert_eq!(queues(), "");

    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../telemetry/tests/golden/nested.redis_list.jsonl");
    let sent =
        nephoscope(&["trace", "import", golden.to_str().expect("it is text"), "--connection-string", &url]);
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let before = queues();
    assert!(before.contains("profiler.info\t16\t0\t16"), "{before}");
    let (code, findings) = examine(&format!("{url}?topics=profiler"));
    assert!(code == Some(0) && findings.to_string().contains("16 messages wait"), "{findings}");
    assert_eq!(queues(), before);

    let other = crate::source::daemon(&format!("[[source]]\nurl = \"{url}?topics=profiler\"\n"));
    let began = std::time::Instant::now();
    while !queues().contains("profiler.info\t0\t1\t0") {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "{}", queues());
    }
    let (code, findings) = examine(&format!("{url}?topics=profiler"));
    assert_eq!((code, status(&findings, "source")), (Some(0), "warning".into()), "{findings}");
    assert!(findings.to_string().contains("profiler.info is consumed by 1 already"), "{findings}");
    drop(other);

    let (code, findings) = examine(&format!("rabbit://somebody:s3cret@127.0.0.1:{}/", rabbit.port()));
    assert!(!findings.to_string().contains("s3cret"), "{findings}");
    assert_eq!((code, status(&findings, "source")), (Some(1), "problem".into()), "{findings}");
    assert!(findings.to_string().contains("mend user and password"), "{findings}");
    Ok(())
}

fn nephoscope(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_nephoscope")).args(arguments).output().expect("it can be run")
}

/// The exit code and the findings of a doctor where no daemon runs.
fn examine(source: &str) -> (Option<i32>, Value) {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let config = directory.path().join("nephoscope.toml");
    let text = format!(
        "data_dir = \"{}\"\n[http]\nlisten = \"127.0.0.1:0\"\n[[source]]\nurl = \"{source}\"\n",
        directory.path().display()
    );
    std::fs::write(&config, text).expect("it can be written");
    let done = nephoscope(&["doctor", "--json", "--config", config.to_str().expect("it is text")]);
    let out = String::from_utf8_lossy(&done.stdout);
    let findings = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out} {done:?}"));
    (done.status.code(), findings)
}

/// The status of what begins so.
fn status(findings: &Value, subject: &str) -> String {
    let all = findings.as_array().expect("it is a list").iter();
    let mut of =
        all.filter(|finding| finding["subject"].as_str().is_some_and(|text| text.starts_with(subject)));
    of.next().and_then(|finding| finding["status"].as_str()).unwrap_or_default().to_owned()
}
