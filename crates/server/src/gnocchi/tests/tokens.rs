//! Who comes with a token of Keystone's, and what they may see.

use nephoscope_keystone::{Bearers, DEFAULT_CACHE_TIME, Keystone};
use nephoscope_telemetry::ConnectionString;
use nephoscope_testkit::http::{HttpDouble, Received, Reply};

use super::kept::Served;
use super::*;

const NOBODY: Value = Value::Null;

/// A Keystone that knows tokens such as `jd@nova:member`: a user in a project with a role.
fn keystone() -> HttpDouble {
    HttpDouble::start(|request: &Received| {
        let token = |user: &str, project: &str, role: &str| {
            let project = if project.is_empty() { NOBODY } else { json!({ "id": project }) };
            json!({ "token": {
                "issued_at": "2026-01-01T00:00:00.000000Z",
                "expires_at": "2250-01-01T00:00:00.000000Z",
                "user": { "id": user },
                "project": project,
                "roles": [{ "name": role }],
            } })
            .to_string()
        };
        let Some(subject) = request.header("x-subject-token").filter(|_| request.method == "GET") else {
            let body = token("service", "service", "service").into_bytes();
            return Reply::Answer(201, vec![("x-subject-token", "ours".into())], body);
        };
        let known = subject.split_once('@').and_then(|(user, rest)| Some((user, rest.split_once(':')?)));
        match known {
            Some((user, (project, role))) => Reply::json(200, token(user, project, role)),
            None if subject == "broken" => Reply::empty(503),
            None => Reply::json(404, "{}"),
        }
    })
}

fn served(keystone: &HttpDouble, policy: &str) -> Served {
    let to = format!("keystone://u:p@?auth_url=http://127.0.0.1:{}", keystone.port());
    let to = ConnectionString::parse(&to).unwrap();
    let bearers = Bearers::new(Keystone::of(&to).unwrap().unwrap(), DEFAULT_CACHE_TIME);
    let auth = Auth::Keystone(Tokens::new(bearers, "https://cloud:5000/v3").unwrap());
    let policy = Policy::with_overrides(policy).unwrap();
    Served::with(GnocchiSettings { auth, policy, ..GnocchiSettings::default() })
}

async fn ask(served: &Served, method: Method, path: &str, token: &str, body: Value) -> Answer {
    let headers = [JSON, ("content-type", "application/json"), ("x-auth-token", token)];
    served.ask(method, path, &headers, &body).await
}

async fn get(served: &Served, path: &str, token: &str) -> Answer {
    ask(served, Method::GET, path, token, Value::Null).await
}

async fn post(served: &Served, path: &str, token: &str, body: Value) -> Value {
    let answer = ask(served, Method::POST, path, token, body).await;
    assert!(answer.status.is_success(), "{path}: {:?}", answer.body);
    answer.json()
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let keystone = keystone();
    let served = served(&keystone, "");
    for path in ["/v1", "/v1/", "/v1/metric", "/v1/resource", "/v1/capabilities"] {
        for headers in [
            &[][..],
            &[("x-auth-token", "nonsense")],
            &[("authorization", "basic YWRtaW46"), ("x-roles", "admin")],
        ] {
            let answer = served.ask(Method::GET, path, headers, &Value::Null).await;
            assert_eq!(answer.status, 401, "{path} {headers:?}");
            assert_eq!(answer.header("www-authenticate"), Some("Keystone uri=\"https://cloud:5000/v3\""));
            assert_eq!(answer.json()["error"]["code"], 401);
        }
    }
    for path in ["/", "/healthcheck"] {
        assert_eq!(served.ask(Method::GET, path, &[], &Value::Null).await.status, 200, "{path}");
    }
    let away = get(&served, "/v1/metric", "broken").await;
    assert_eq!((away.status.as_u16(), away.header("retry-after").is_some()), (503, true));
    assert_eq!(away.json()["description"], "The Keystone service is temporarily unavailable.");
    assert_eq!(get(&served, "/v1/metric", "jd@nova:member").await.status, 200);
    let storage = [("x-storage-token", "jd@nova:member")];
    assert_eq!(served.ask(Method::GET, "/v1/metric", &storage, &Value::Null).await.status, 200);
}

/// A store with a resource of the project `nova` and one of `tenant`, both made by `nova`, one of neither, and a metric
/// that has no resource.
async fn filled(served: &Served) {
    let definition = json!([{ "granularity": "5 minutes", "timespan": "30 days" }]);
    let policy = json!({ "name": "low", "definition": definition });
    post(served, "/v1/archive_policy", "root@admin:admin", policy).await;
    for (id, maker, project) in
        [("own", "jd@nova:member", "nova"), ("let", "jd@nova:member", "tenant"), ("other", "x@y:member", "y")]
    {
        let body = json!({ "id": id, "project_id": project, "metrics": { "cpu": { "archive_policy_name": "low" } } });
        let made = post(served, "/v1/resource/generic", maker, body).await;
        assert_eq!(made["creator"], maker.split(':').next().unwrap().replace('@', ":"));
    }
    post(served, "/v1/metric", "jd@nova:member", json!({ "name": "free", "archive_policy_name": "low" }))
        .await;
}

fn names(answer: &Answer, key: &str) -> Vec<String> {
    let listed = answer.json();
    let mut names: Vec<_> =
        listed.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn users_see_what_is_of_their_project() {
    let keystone = keystone();
    let served = served(&keystone, "");
    filled(&served).await;
    for (token, resources, metrics) in [
        ("root@admin:admin", vec!["let", "other", "own"], 4),
        ("jd@nova:member", vec!["let", "own"], 2),
        ("jane@tenant:member", vec!["let"], 1),
        ("jd@elsewhere:member", vec![], 0),
    ] {
        let listed = get(&served, "/v1/resource/generic", token).await;
        assert_eq!(names(&listed, "original_resource_id"), resources, "{token}");
        // As Gnocchi: what has no resource is listed to who may list all, and to nobody else.
        assert_eq!(
            get(&served, "/v1/metric", token).await.json().as_array().unwrap().len(),
            metrics,
            "{token}"
        );
        let search = ask(&served, Method::POST, "/v1/search/resource/generic", token, json!({})).await;
        assert_eq!(names(&search, "original_resource_id"), resources, "{token}");
    }
    let nowhere = get(&served, "/v1/resource/generic", "jd@:member").await;
    assert_eq!(
        (nowhere.status.as_u16(), &nowhere.json()["description"]),
        (403, &json!("Insufficient privileges"))
    );
    let all = get(&served, "/v1/resource/generic", "root@admin:admin").await.json();
    let id = |name: &str| {
        let found = all.as_array().unwrap().iter().find(|it| it["original_resource_id"] == name);
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    for (token, resource, sees, may_delete) in [
        ("jane@tenant:member", "let", 200, 403),
        ("jane@tenant:member", "own", 403, 403),
        ("jd@nova:member", "other", 403, 403),
        ("other@nova:member", "let", 200, 204),
    ] {
        let path = format!("/v1/resource/generic/{}", id(resource));
        assert_eq!(get(&served, &path, token).await.status, sees, "{token} {resource}");
        let measures = get(&served, &format!("{path}/metric/cpu/measures"), token).await;
        assert_eq!(measures.status, sees, "{token} {resource}");
        assert_eq!(
            ask(&served, Method::DELETE, &path, token, Value::Null).await.status,
            may_delete,
            "{token}"
        );
    }
}

#[tokio::test]
async fn a_policy_says_who_may_list_metrics() {
    let keystone = keystone();
    for (rule, of_nova, of_tenant) in [
        ("@", Some(4), Some(4)),
        ("!", None, None),
        ("role:admin or rule:metric_owner", Some(1), Some(1)),
        // Without a rule about resources Gnocchi lists nothing at all.
        ("role:admin or rule:creator", None, None),
        ("project_id:%(resource.created_by_project_id)s or rule:creator", Some(2), Some(0)),
    ] {
        let served = served(&keystone, &format!("\"list metric\": \"{rule}\""));
        filled(&served).await;
        for (token, wanted) in [("jd@nova:member", of_nova), ("jane@tenant:member", of_tenant)] {
            let listed = get(&served, "/v1/metric", token).await;
            let found = (listed.status == 200).then(|| listed.json().as_array().unwrap().len());
            assert_eq!(found, wanted, "{rule} {token}");
        }
    }
}

#[tokio::test]
async fn a_rule_that_says_not_is_held_against_each_metric() {
    let keystone = keystone();
    let served = served(&keystone, "\"post measures\": \"not project_id:%(created_by_project_id)s\"");
    filled(&served).await;
    let cpu = get(&served, "/v1/metric", "jd@nova:member").await.json()[0]["id"].as_str().unwrap().to_owned();
    let measures = json!({ cpu: [{ "timestamp": "2026-01-01T00:00:00", "value": 1 }] });
    for (token, wanted) in [("jd@nova:member", 403), ("x@y:member", 202)] {
        let path = "/v1/batch/metrics/measures";
        assert_eq!(ask(&served, Method::POST, path, token, measures.clone()).await.status, wanted, "{token}");
    }
}
