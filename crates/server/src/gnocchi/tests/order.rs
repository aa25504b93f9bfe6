//! What Gnocchi looks at first, and what it finds on its way there.

use super::kept::Served;
use super::*;

const NOBODY: &str = "5a301761-aaaa-46e2-8900-8b4f6fe6675a";

/// As [`Served::filled`], and with a type `vm` and a resource `two` of it whose host changed once.
async fn filled() -> Served {
    let served = Served::filled().await;
    let host = json!({ "type": "string", "required": false });
    let since = json!({ "type": "datetime", "required": false });
    let kind = json!({ "name": "vm", "attributes": { "host": host, "since": since } });
    assert_eq!(served.post("/v1/resource_type", ADMIN, kind).await.status, 201);
    let two = json!({ "id": "two", "host": "a", "metrics": { "mem": { "archive_policy_name": "low" } } });
    assert_eq!(served.post("/v1/resource/vm", ADMIN, two).await.status, 201);
    let headers = [ADMIN, JSON, ("content-type", "application/json")];
    let changed = served.ask(Method::PATCH, "/v1/resource/vm/two", &headers, &json!({ "host": "b" })).await;
    assert_eq!(changed.status, 200);
    served
}

#[tokio::test]
async fn details_of_a_history_are_the_attributes_of_the_type() {
    let served = filled().await;
    let path = "/v1/resource/generic/two/history?sort=revision_end";
    let hosts = async |path: &str| {
        let revisions = served.ask(Method::GET, path, &[ADMIN, JSON], &Value::Null).await.json();
        [0, 1].map(|at| revisions[at]["host"].clone())
    };
    assert_eq!(hosts(&format!("{path}&details=true")).await, ["a", "b"]);
    assert_eq!(hosts(path).await, [Value::Null, Value::Null]);
}

#[tokio::test]
async fn a_metric_is_found_by_its_resource_whatever_the_type_is_called() {
    let served = filled().await;
    let get = async |path: &str| served.ask(Method::GET, path, &[ADMIN, JSON], &Value::Null).await;
    let found = served.get("/v1/resource/vm/one/metric/cpu").await;
    assert_eq!((found.status.as_u16(), &found.json()["name"]), (200, &json!("cpu")));
    let one = get("/v1/resource/generic/one").await;
    assert_eq!(one.status, 404, "text stands for a resource of each user's own");
    let one = served.get("/v1/resource/generic/one").await.json()["id"].as_str().unwrap().to_owned();
    for (resource_type, sentence) in [
        ("generic", "Metric mem does not exist".to_owned()),
        ("vm", format!("Resource {one} does not exist")),
        ("nosuch", "Resource type nosuch does not exist".to_owned()),
    ] {
        let refused = get(&format!("/v1/resource/{resource_type}/{one}/metric/mem")).await;
        assert_eq!(
            (refused.status.as_u16(), refused.json()["description"].as_str()),
            (404, Some(&*sentence))
        );
    }
}

#[tokio::test]
async fn what_a_path_names_is_looked_for_before_its_method() {
    let served = filled().await;
    let one = served.get("/v1/resource/generic/one").await.json();
    let (id, one) = (one["metrics"]["cpu"].as_str().unwrap(), one["id"].as_str().unwrap());
    for (method, path, status, allowed) in [
        (Method::GET, format!("/v1/metric/{id}/nothing"), 405, Some("DELETE, GET")),
        (Method::POST, format!("/v1/metric/{id}/measures/more"), 405, Some("DELETE, GET")),
        (Method::GET, format!("/v1/metric/{NOBODY}/nothing"), 404, None),
        (Method::GET, "/v1/metric/no-uuid/nothing".into(), 404, None),
        (Method::PUT, format!("/v1/metric/{id}"), 405, Some("DELETE, GET")),
        (Method::PUT, format!("/v1/metric/{NOBODY}"), 404, None),
        (Method::GET, format!("/v1/resource/generic/{one}/metric/cpu/nothing"), 405, Some("DELETE, GET")),
        (Method::PUT, format!("/v1/resource/generic/{one}/metric/mem"), 404, None),
        (Method::PUT, "/v1/resource/nosuch".into(), 404, None),
        (Method::PUT, "/v1/resource/vm".into(), 405, Some("DELETE, GET, POST")),
        (Method::GET, "/v1/search/resource/nosuch".into(), 404, None),
        (Method::HEAD, "/v1/search/resource/vm".into(), 405, Some("POST")),
        (Method::PUT, "/v1/archive_policy_rule/nosuch".into(), 404, None),
        (Method::PUT, "/v1/archive_policy/nosuch".into(), 405, Some("DELETE, GET, PATCH")),
    ] {
        let answer = served.ask(method.clone(), &path, &[ADMIN, JSON], &Value::Null).await;
        let found = (answer.status.as_u16(), answer.header("allow"));
        assert_eq!(found, (status, allowed), "{method} {path}");
    }
    let path = format!("/v1/resource/generic/{one}/metric/cpu/nothing");
    assert_eq!(served.ask(Method::GET, &path, &[JSON], &Value::Null).await.status, 401);
}

#[tokio::test]
async fn metrics_that_are_not_there_are_told_before_those_of_others() {
    let served = filled().await;
    let ids = served.ask(Method::GET, "/v1/metric", &[ADMIN, JSON], &Value::Null).await.json();
    let other = ("authorization", "basic cGFzdGE6");
    let measures = json!([{ "timestamp": 1, "value": 1 }]);
    let batch = json!({ ids[0]["id"].as_str().unwrap(): measures, NOBODY: measures });
    let refused = served.post("/v1/batch/metrics/measures", other, batch).await;
    assert_eq!(refused.json()["description"], format!("Unknown metrics: {NOBODY}"));
    let one = served.get("/v1/resource/generic/one").await.json()["id"].as_str().unwrap().to_owned();
    let batch = json!({ one.as_str(): { "cpu": measures, "mem": measures } });
    let refused = served.post("/v1/batch/resources/metrics/measures", other, batch).await;
    assert_eq!(refused.json()["description"], format!("Unknown metrics: {one}/mem"));
    let batch = json!({ one: { "cpu": measures } });
    let refused = served.post("/v1/batch/resources/metrics/measures", other, batch).await;
    assert_eq!(refused.status, 403);
    let metrics = json!(["metric", [ids[0]["id"], "mean"], [NOBODY, "mean"]]);
    let refused = served.post("/v1/aggregates", other, json!({ "operations": metrics })).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["description"]["detail"]), (404, &json!([NOBODY])));
}

#[tokio::test]
async fn a_resolution_that_contradicts_itself_is_told_before_one_that_is_there_twice() {
    let served = Served::new();
    let minute = json!({ "granularity": 60, "points": 10 });
    for (third, sentence) in [
        (json!({ "granularity": 1, "points": 2, "timespan": 3 }), "timespan ≠ granularity × points"),
        (json!({ "granularity": true }), "More than one archive policy uses granularity `60.0'"),
    ] {
        let policy = json!({ "name": "p", "definition": [minute, minute, third] });
        let refused = served.post("/v1/archive_policy", ADMIN, policy).await;
        assert_eq!(refused.json()["description"], sentence);
    }
}

#[tokio::test]
async fn of_a_question_the_type_is_told_before_its_operation_unless_that_cannot_even_be_parsed() {
    let served = filled().await;
    for (operation, cause) in [
        (json!("(nothing (metric m mean))"), "Resource type does not exist"),
        (json!(["nothing"]), "Resource type does not exist"),
        (json!("(metric m mean"), "Invalid operations"),
    ] {
        let question = json!({ "operations": operation, "resource_type": "nosuch" });
        let refused = served.post("/v1/aggregates", ADMIN, question).await;
        assert_eq!(refused.json()["description"]["cause"], cause);
    }
    let question = json!({ "operations": ["nothing"], "resource_type": null });
    let refused = served.post("/v1/aggregates", ADMIN, question).await;
    let told = json!({ "cause": "Resource type does not exist", "detail": null });
    assert_eq!(refused.json()["description"], told);
    let refused = served.post("/v1/aggregates", ADMIN, json!({ "a": 1 })).await;
    assert_eq!(refused.json()["description"]["reason"], "extra keys not allowed @ data['a']");
    for (search, told) in
        [(json!({}), json!("extra keys not allowed @ data['resource_type']")), (json!("a >"), Value::Null)]
    {
        let question =
            json!({ "operations": "(metric m mean)", "resource_type": "vm", "search": search, "extra": 1 });
        let refused = served.post("/v1/aggregates", ADMIN, question).await.json();
        assert_eq!(refused["description"]["reason"], told, "{refused}");
    }
    // Metrics that a pattern found are told by their own names.
    let question = json!({ "operations": "(metric m* mean)", "resource_type": "vm", "search": {} });
    let refused = served.post("/v1/aggregates?granularity=7", ADMIN, question).await;
    assert_eq!(refused.json()["description"]["detail"], json!([["mem", "mean", 7.0]]));
}

#[tokio::test]
async fn a_truth_value_is_a_moment_and_a_moment_is_rounded() {
    let served = filled().await;
    for (id, since, shown) in [
        ("no", json!(false), "1970-01-01T00:00:00+00:00"),
        ("yes", json!(true), "1970-01-01T00:00:01+00:00"),
        ("late", json!("2020-01-01T00:00:00.123456789Z"), "2020-01-01T00:00:00.123457+00:00"),
    ] {
        let made = served.post("/v1/resource/vm", ADMIN, json!({ "id": id, "since": since })).await;
        assert_eq!(made.json()["since"], shown, "{since}");
        let search = served.post("/v1/search/resource/vm", ADMIN, json!({ "=": { "since": since } })).await;
        assert_eq!(search.json()[0]["original_resource_id"], id);
    }
    let truth = json!({ "id": "truth", "user_id": "True" });
    assert_eq!(served.post("/v1/resource/vm", ADMIN, truth).await.status, 201);
    let search = served.post("/v1/search/resource/vm", ADMIN, json!({ "like": { "user_id": true } })).await;
    assert_eq!(search.json()[0]["original_resource_id"], "truth");
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_after_times_that_cannot_be_and_before_a_policy_that_is_not_there() {
    let served = Served::filled().await;
    let one = json!({ "id": "one", "started_at": "2020-01-02", "ended_at": "2020-01-01" });
    let refused = served.post("/v1/resource/generic", FOOBAR, one).await;
    assert_eq!(refused.json()["description"], "Start timestamp cannot be after end timestamp");
    let metric = json!({ "name": "cpu", "resource_id": "one", "archive_policy_name": "nosuch" });
    let refused = served.post("/v1/metric", FOOBAR, metric).await;
    assert_eq!(refused.json()["description"]["cause"], "Named metric already exists");
    let metrics = json!({ "cpu": { "archive_policy_name": "nosuch" } });
    let refused = served.post("/v1/resource/generic/one/metric", FOOBAR, metrics).await;
    assert_eq!(refused.status, 409);
}

#[tokio::test]
async fn what_is_wrong_with_metrics_is_told_by_its_place_in_the_body() {
    let served = Served::filled().await;
    for (metric, reason) in [
        (json!(false), "not a valid value for dictionary value @ data['metrics']['m']"),
        (json!({ "unit": 5 }), "expected str for dictionary value @ data['metrics']['m']['unit']"),
    ] {
        let metrics = json!({ "m": metric });
        let made =
            served.post("/v1/resource/generic", FOOBAR, json!({ "id": "a", "metrics": metrics })).await;
        assert_eq!(made.json()["description"]["reason"], reason);
        let added = served.post("/v1/resource/generic/one/metric", FOOBAR, metrics).await;
        assert_eq!(added.json()["description"]["reason"], reason.replace("['metrics']", ""));
    }
    let added = served.post("/v1/resource/generic/one/metric", FOOBAR, json!({ "a/b": {} })).await;
    assert_eq!(added.json()["description"], "'/' is not supported in metric name");
}

#[tokio::test]
async fn of_no_measures_nothing_is_asked() {
    let served = Served::filled().await;
    for body in [json!({}), json!({ "one": {} })] {
        let path = "/v1/batch/resources/metrics/measures?create_metrics=maybe";
        assert_eq!(served.post(path, FOOBAR, body).await.status, 202);
    }
}

#[tokio::test]
async fn a_star_stands_for_any_revision_only_alone() {
    let served = Served::filled().await;
    for (name, value, status) in [
        ("if-match", "*", 200),
        ("if-match", "\"a\", *", 412),
        ("if-match", "", 200),
        ("if-none-match", "*", 304),
        ("if-none-match", "\"a\", *", 200),
        ("if-none-match", "", 200),
    ] {
        let headers = [FOOBAR, JSON, (name, value)];
        let answer = served.ask(Method::GET, "/v1/resource/generic/one", &headers, &Value::Null).await;
        assert_eq!(answer.status, status, "{name}: {value}");
    }
}

#[tokio::test]
async fn an_attribute_is_told_what_is_wrong_with_it_as_the_kind_that_is_tried_first() {
    let served = filled().await;
    for (attribute, reason) in [
        (json!({ "type": "bool", "required": 1 }), "expected bool for dictionary value @ data['required']"),
        (json!({ "type": "uuid", "required": 1 }), "not a valid value for dictionary value @ data['type']"),
        (json!({ "min_length": "a", "type": "string" }), "extra keys not allowed @ data['min_length']"),
        (json!({ "required": true }), "required key not provided @ data['type']"),
        (json!({ "required": 1 }), "expected bool for dictionary value @ data['required']"),
    ] {
        let kind = json!({ "name": "disk", "attributes": { "a": attribute } });
        let refused = served.post("/v1/resource_type", ADMIN, kind).await;
        let reason = reason.replace("data", "data['attributes']['a']");
        assert_eq!(refused.json()["description"]["reason"], reason, "{attribute}");
    }
    for (steps, words) in [
        (json!([{ "op": "add", "path": "/attributes/a", "value": [1] }]), "expected dict for"),
        // What lies deeper is told whatever the kind.
        (json!([add("a", &json!({ "type": "string", "options": { "b": 1 } }))]), "extra keys not allowed"),
        (json!([add("id", &json!({ "type": "number", "min": 2, "max": 1 }))]), "value min"),
        (json!([add("id", &json!({ "type": "number", "min": 1, "max": 2 }))]), "name id is invalid"),
        (
            json!([
                add("host", &json!({ "type": "string", "max_length": 9 })),
                add("id", &json!({ "type": "bool" }))
            ]),
            "name id is invalid",
        ),
    ] {
        let headers = [ADMIN, JSON, ("content-type", "application/json-patch+json")];
        let refused = served.ask(Method::PATCH, "/v1/resource_type/vm", &headers, &steps).await.json();
        let told = refused["description"].to_string();
        assert!(told.contains(words), "{steps}: {told}");
    }
}

fn add(name: &str, attribute: &Value) -> Value {
    json!({ "op": "add", "path": format!("/attributes/{name}"), "value": attribute })
}

#[tokio::test]
async fn what_is_wrong_inside_of_an_element_is_told_before_an_element_that_is_wrong() {
    let served = Served::new();
    for (policy, reason) in [
        (
            json!({ "name": "p", "definition": [5, { "granularity": "junk" }] }),
            "Unable to parse timespan for dictionary value @ data['definition'][1]['granularity']",
        ),
        (json!({ "name": "p", "definition": [5, 5] }), "expected a dictionary @ data['definition'][0]"),
        (
            json!({ "name": "p", "aggregation_methods": ["mean", 5], "definition": [5] }),
            "not a valid value @ data['aggregation_methods'][1]",
        ),
    ] {
        let refused = served.post("/v1/archive_policy", ADMIN, policy).await;
        assert_eq!(refused.json()["description"]["reason"], reason);
    }
}

#[tokio::test]
async fn a_condition_that_says_nothing_is_none_inside_of_another() {
    let served = filled().await;
    assert_eq!(served.post("/v1/search/resource/vm", ADMIN, json!({})).await.status, 200);
    for condition in [json!({ "not": {} }), json!({ "and": [{ "not": {} }, { "=": { "size": 1 } }] })] {
        for query in ["", "?sort=nothing"] {
            let path = format!("/v1/search/resource/vm{query}");
            let refused = served.post(&path, ADMIN, condition.clone()).await;
            assert_eq!(refused.json()["description"], "Unable to parse this query", "{condition} {query}");
        }
    }
}
