//! Where the daemon answers otherwise than the real Gnocchi on purpose, and where the real one does not answer twice the same.

use std::collections::BTreeSet;

use super::json;
use crate::conversation::{Answer, Request};

/// One reason to differ.
struct Departure {
    name: &'static str,
    /// Whether two answers that differ do so for this reason.
    is_why: fn(&Call<'_>) -> bool,
    /// Whether both servers still have the same things.
    goes_on: fn(&Call<'_>) -> bool,
}

/// A call, with what the real one answered and what ours did.
struct Call<'a> {
    request: &'a Request,
    real: &'a Answer,
    ours: &'a Answer,
    /// Ids of resources that were changed as `generic`, though they have a type.
    changed_as_generic: &'a BTreeSet<String>,
}

const ALL: [Departure; 16] = [
    // It is a mistake of its own. What it left behind nobody knows, unless there was nothing to leave.
    Departure {
        name: "the real one fails",
        is_why: |call| call.real.status == 500 && call.ours.status < 500,
        goes_on: |call| {
            let may_leave = call.request.target.ends_with("create_metrics=true");
            call.only_reads() || call.ours.status >= 400 && !may_leave
        },
    },
    // Null, "", NaN and what is after 2262 it takes for a moment that numpy calls no time. A measure at that moment costs others
    // of its metric, an attribute becomes a day in 1677, and no client can read the answers. We refuse it.
    Departure {
        name: "what is no moment",
        is_why: |call| {
            let is_refused =
                ["Unable to convert timestamps", "unexpected measures format", "Invalid value: `"]
                    .iter()
                    .any(|words| call.ours.body.contains(words));
            // It also takes a number among texts for nanoseconds.
            let of_a_list =
                call.request.target.contains("/measures") && !call.real.body.contains("timestamp");
            call.ours.status == 400
                && is_refused
                && (of_a_list || call.request_has(&["null", "\"\"", "%22%22"]))
        },
        goes_on: |call| call.only_reads() || call.real.status >= 400,
    },
    // Of several metrics it takes the granularities of that whose id is the least, and ids are random.
    Departure {
        name: "granularities of one of several metrics",
        is_why: |call| {
            let target = &call.request.target;
            target.starts_with("/v1/search/metric?")
                && target.matches("metric_id=").count() > 1
                && !target.contains("granularity=")
        },
        goes_on: |_| true,
    },
    // A metric is there to its storage when it has a directory for that aggregate, which depends on what was processed. To us
    // a metric is there once it was made.
    Departure {
        name: "a metric without measures",
        is_why: |call| {
            call.request.target.starts_with("/v1/search/metric?")
                && call.statuses() == (400, 200)
                && call.real.body.contains("\"cause\": \"Metric does not exist\"")
        },
        goes_on: |_| true,
    },
    // A deleted metric has its policy until it is expunged, some time later.
    Departure {
        name: "the policy of a deleted metric",
        is_why: |call| {
            call.request.method == "DELETE"
                && call.request.target.starts_with("/v1/archive_policy/")
                && matches!(call.statuses(), (204, 400) | (400, 204))
        },
        goes_on: |_| false,
    },
    // It holds lists of values against a table that does not have the attribute, and answers with the name of a Python class. We
    // search.
    Departure {
        name: "values of an attribute in history",
        is_why: |call| call.real.body.contains("gnocchi.indexer.sqlalchemy_base.ResourceHistory"),
        goes_on: |_| true,
    },
    // Where a resource was changed as `generic`, it keeps what its type adds of the earlier revision nowhere, and that revision is
    // not in the history of the type. We keep whole revisions, and lose none.
    Departure {
        name: "a revision that ended as generic",
        is_why: |call| {
            let target = &call.request.target;
            let asks = target.contains("history") && !target.contains("/resource/generic");
            // A group of resources does not say whose revisions are in it.
            let may_have = |id: &String| call.ours.body.contains(id) || target.contains("use_history=true");
            asks && call.changed_as_generic.iter().any(may_have)
        },
        goes_on: |_| true,
    },
    // For details it looks all resources of a type up again, and takes them as its database happens to find them. We keep the
    // order that was asked for.
    Departure {
        name: "the order of details",
        is_why: |call| {
            let (real, ours) = (call.ids_of(call.real), call.ids_of(call.ours));
            let in_order = |mut ids: Vec<String>| {
                ids.sort();
                ids
            };
            call.request.target.contains("details=true") && real != ours && in_order(real) == in_order(ours)
        },
        goes_on: |_| true,
    },
    // Which it tells first depends on the hashes of that process.
    Departure {
        name: "one of several keys that are missing",
        is_why: |call| call.both_say("required key not provided @ data["),
        goes_on: |_| true,
    },
    // To Python they are numbers, and it goes on to answer `true` where a limit is asked for. We refuse them.
    Departure {
        name: "a truth value for a limit",
        is_why: |call| {
            let is_limit =
                |name: &str| call.request_has(&[&format!("\"{name}\":true"), &format!("\"{name}\":false")]);
            call.request.target.starts_with("/v1/resource_type")
                && call.ours.status == 400
                && ["min", "max", "min_length", "max_length"].into_iter().any(is_limit)
        },
        goes_on: |call| call.real.status >= 400,
    },
    // It sees that they are missing when it is about to store them, and fails. We see it before anything else is looked at.
    Departure {
        name: "measures that are missing",
        is_why: |call| {
            call.request.target.starts_with("/v1/batch/resources/")
                && call.ours.body.contains("required key not provided")
                && call.ours.body.contains("['measures']")
        },
        goes_on: |_| false,
    },
    // The library under it takes keys of a body for arguments of the query, and they are in the address of the next part.
    Departure {
        name: "a body in a link",
        is_why: |call| {
            call.request.method == "POST"
                && !call.request.body.is_empty()
                && call.real.header("link") != call.ours.header("link")
        },
        goes_on: |_| true,
    },
    // It tells everybody what there is. To us nobody is told anything before we know who they are.
    Departure {
        name: "who does not say who they are",
        is_why: |call| {
            call.statuses() == (404, 401)
                && call.request.headers.iter().all(|(name, _)| *name != "Authorization")
        },
        goes_on: |_| true,
    },
    // What only its database finds wrong with a condition is a failure there, which comes after all else that it may refuse.
    Departure {
        name: "a value that only its database refuses",
        is_why: |call| {
            let later = [
                "Invalid pagination: `",
                "Invalid groupby attribute",
                " attribute\"}",
                "Invalid value: `",
                "Unable to parse",
            ];
            later.iter().any(|words| call.real.body.contains(words))
                && call.ours.body.contains("Invalid value: `")
        },
        goes_on: |_| true,
    },
    // It has made metrics by the time it finds out that the user may not write to others. A refusal of ours makes nothing.
    Departure {
        name: "metrics made by who may not write",
        is_why: |call| call.request.target.ends_with("create_metrics=true") && call.ours.status == 403,
        goes_on: |_| false,
    },
    // Which of those that a pattern finds it looks at first depends on how its database has them.
    Departure {
        name: "one of those that a pattern finds",
        is_why: |call| {
            call.request.body.contains("-*") && call.both_say("\"Metrics with unknown aggregation\"")
        },
        goes_on: |_| true,
    },
];

impl Call<'_> {
    fn statuses(&self) -> (u16, u16) {
        (self.real.status, self.ours.status)
    }

    fn only_reads(&self) -> bool {
        let searches = ["/v1/search/", "/v1/aggregat"];
        self.request.method == "GET" || searches.iter().any(|path| self.request.target.starts_with(path))
    }

    /// The ids of what is listed.
    fn ids_of(&self, answer: &Answer) -> Vec<String> {
        let list = json::parse(&answer.body).unwrap_or_default();
        let ids = list.as_array().into_iter().flatten().filter_map(|item| item["id"].as_str());
        ids.map(str::to_owned).collect()
    }

    fn request_has(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.request.body.contains(word) || self.request.target.contains(word))
    }

    fn both_say(&self, words: &str) -> bool {
        self.real.body.contains(words) && self.ours.body.contains(words)
    }
}

/// Why two answers that differ do so, and whether the program can go on, if it is meant to be.
pub(super) fn of(
    request: &Request,
    real: &Answer,
    ours: &Answer,
    changed_as_generic: &BTreeSet<String>,
) -> Option<(&'static str, bool)> {
    let call = Call { request, real, ours, changed_as_generic };
    let departure = ALL.iter().find(|departure| (departure.is_why)(&call))?;
    Some((departure.name, (departure.goes_on)(&call)))
}

/// Why the servers have other things after answers that are the same, if they have.
///
/// Of resources that are deleted by a condition, the real one leaves what is common to all types: they are still there as `generic`,
/// and nobody can make them again. We delete all of them.
pub(super) fn after(request: &Request, real: &Answer) -> Option<&'static str> {
    let of_a_type = request.target.starts_with("/v1/resource/") && request.target.matches('/').count() == 3;
    let is_one =
        request.method == "DELETE" && of_a_type && !request.target.starts_with("/v1/resource/generic");
    let are_some = real.status == 200 && !real.body.contains("\"deleted\": 0");
    (is_one && are_some).then_some("halves of deleted resources")
}
