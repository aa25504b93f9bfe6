//! The page and the data in it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nephoscope_telemetry::{Id, Timestamp, TracePoint};
use sha2::{Digest, Sha256};

use super::data::{FAILED, WITHOUT_START, WITHOUT_STOP};
use super::*;
use crate::show::tests::{golden_cases, golden_report, html};

/// The data of a page, read as any JSON parser reads it.
pub(in crate::show) fn data(page: &str) -> serde_json::Value {
    let (_, data) = page.split_once("<script id=\"data\" type=\"application/json\">").unwrap();
    serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn the_policy_names_the_style_and_the_script_of_the_page() {
    for (content, hash) in [(STYLE, STYLE_HASH), (SCRIPT, SCRIPT_HASH)] {
        assert_eq!(
            hash,
            format!("sha256-{}", STANDARD.encode(Sha256::digest(content))),
            "put this hash into html.rs"
        );
    }
    let page = html(&Report::build(Vec::new()));
    let policy = format!("default-src 'none'; style-src '{STYLE_HASH}'; script-src '{SCRIPT_HASH}';");
    assert!(page.contains(&policy) && page.contains(&format!("<style>{STYLE}</style>")));
    assert!(page.contains(&format!("<script>{SCRIPT}</script>")));
}

#[test]
fn the_page_names_nothing_to_fetch() {
    let page = html(&Report::build(Vec::new()));
    for reference in [
        "http:",
        "https:",
        "//cdn",
        "src=",
        "href",
        "url(",
        "@import",
        "fetch(",
        "XMLHttpRequest",
        "style=\"",
    ] {
        assert!(!page.contains(reference), "{reference}");
    }
}

#[test]
fn the_data_of_every_golden_case_is_the_tree() {
    for case in golden_cases() {
        let report = golden_report(&case);
        let data = data(&html(&report));
        let depth_of = |at: usize| {
            let above = |at: &usize| usize::try_from(data["parent"][*at].as_i64().unwrap()).ok();
            std::iter::successors(Some(at), above).count() - 1
        };
        let operations: Vec<_> = report.walk().collect();
        assert_eq!(data["parent"].as_array().unwrap().len(), operations.len(), "{case}");
        let looked_at = operations.iter().enumerate().step_by(1 + operations.len() / 500);
        for (at, &(depth, node)) in looked_at {
            assert_eq!(depth_of(at), depth, "{case} {at}");
            assert_eq!(data["id"][at], node.trace_id.to_string());
            assert_eq!(data["start"][at], node.started_us);
            assert_eq!(data["duration"][at], node.finished_us - node.started_us);
            let name = data["name"][at].as_u64().unwrap() as usize;
            assert_eq!(data["names"][name], report.full_name(node));
        }
    }
}

#[test]
fn what_ended_the_page_of_osprofiler_is_text_here() {
    let page = html(&golden_report("unicode"));
    assert_eq!(page.matches("</script>").count(), 2);
    let data = data(&page);
    assert_eq!(data["subject"][1], "SELECT 'ß</script> '");
    assert_eq!(data["subject"][0], "GET /v2/日本語/😀é?q= \u{0}\u{1f}\"\\/");
    let infos = data["info"].as_array().unwrap();
    let params = r#"[\"\\u0416\", 1, 1.5, null, true, Infinity, -0.0, 1180591620717411303424]"#
        .replace("\\\"", "\"")
        .replace("\\\\", "\\");
    assert!(infos.iter().any(|info| info.as_str().unwrap().contains(&params)), "{infos:?}");
}

#[test]
fn oddities_are_flags() {
    let flags = |case: &str| data(&html(&golden_report(case)))["flags"].clone();
    assert_eq!(flags("exceptions"), serde_json::json!([FAILED, FAILED, FAILED, FAILED]));
    assert_eq!(flags("unfinished"), serde_json::json!([WITHOUT_STOP, WITHOUT_STOP, 0]));
    assert_eq!(flags("stop_only"), serde_json::json!([0, WITHOUT_START]));
    for flag in ["FAILED = 1", "WITHOUT_STOP = 2", "WITHOUT_START = 4"] {
        assert!(SCRIPT.contains(flag), "{flag}");
    }
}

#[test]
fn without_script_the_tree_and_what_is_missing_are_told() {
    let page = html(&golden_report("bad_cycle_plus_root"));
    let (_, noscript) = page.split_once("<noscript>").unwrap();
    let noscript = noscript.split_once("</noscript>").unwrap().0;
    assert!(noscript.contains("needs JavaScript") && noscript.contains("GET /"), "{noscript}");
    assert!(page.contains("<p class=\"note\">2 operations not shown"));
    let long = html(&golden_report("wide_10k"));
    assert!(long.contains("9,000 more") && long.len() < 2_500_000, "{}", long.len());
}

#[test]
fn a_long_list_of_names_is_cut() {
    let point = |number: i64| {
        let id = Id::new(&number.to_string());
        TracePoint::new(
            &format!("name{number}-start"),
            "b".into(),
            id,
            "b".into(),
            Timestamp::from_micros(number),
        )
    };
    let page = html(&Report::build((0..300).map(point).collect()));
    assert_eq!(page.matches("<th scope=\"row\">").count(), NAMES_SHOWN);
    assert!(page.contains("<td>100 more</td>"));
}
