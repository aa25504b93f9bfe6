//! The daemon beside a real Keystone, which tells it whose tokens are.

use nephoscope_http::{Answer, Http};
use nephoscope_keystone::Keystone;
use nephoscope_telemetry::ConnectionString;
use nephoscope_testkit::server::{KeystoneServer, Missing, Server};
use nephoscope_testkit::{Trial, trial};
use serde_json::{Value, json};

const REFUSALS: &[u16] = &[401, 403, 503];

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("keystone::tokens_let_their_owners_in", tokens_let_their_owners_in)]
}

fn to(keystone: &KeystoneServer, login: &str, scope: &str) -> ConnectionString {
    let text = format!("keystone://{login}?auth_url={}{scope}", keystone.url());
    ConnectionString::parse(&text).expect("it is one")
}

async fn token(to: &ConnectionString) -> String {
    let keystone = Keystone::of(to).expect("it is complete").expect("it names a Keystone");
    keystone.session().await.expect("it logs in").token().to_owned()
}

async fn get(daemon: &Http, path: &str, token: Option<&str>) -> Answer {
    let request = daemon.get("ask", path).accept(REFUSALS);
    let request = match token {
        Some(token) => request.secret_header("x-auth-token", token),
        None => request,
    };
    request.send().await.expect("it answers")
}

fn tokens_let_their_owners_in() -> Result<(), Missing> {
    let mut keystone = KeystoneServer::start("http://panko:8977")?;
    let service = to(&keystone, &KeystoneServer::administrator(), "&project=admin");
    let user =
        to(&keystone, &KeystoneServer::login(), "&project=weather&user_domain=clouds&project_domain=clouds");
    let auth_url = keystone.url();
    let daemon = super::serve(&format!(
        "[http]\nauth = \"keystone\"\n[keystone]\nurl = \"keystone://{}?auth_url={auth_url}&project=admin\"\n\
         public_url = \"https://cloud:5000/v3\"\n",
        KeystoneServer::administrator()
    ));
    let url = format!("http://127.0.0.1:{}", daemon.port());
    let http = Http::at("Nephoscope", &service, &url).expect("it is an address");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("it can be made").block_on(async {
        let (administrator, other) = (token(&service).await, token(&user).await);
        let user = token(&user).await;
        let stranger = get(&http, "/v1/metric", None).await;
        assert_eq!(stranger.status(), 401);
        assert_eq!(stranger.header("www-authenticate"), Some("Keystone uri=\"https://cloud:5000/v3\""));
        assert_eq!(get(&http, "/v1/metric", Some("nonsense")).await.status(), 401);
        assert_eq!(get(&http, "/", None).await.status(), 200);
        for (token, wanted) in [(&administrator, 200), (&user, 403)] {
            assert_eq!(get(&http, "/v1/status", Some(token)).await.status(), wanted);
        }
        let post = http.post("make a resource", "/v1/resource/generic").json(&json!({ "id": "cirrus" }));
        let made = post.secret_header("x-auth-token", &user).send().await.expect("it is made");
        let made: Value = made.json().expect("it is JSON");
        let creator = made["creator"].as_str().expect("it has one");
        let (person, project) = creator.split_once(':').expect("a user in a project");
        assert!(person.len() == 32 && project.len() == 32, "{creator}");
        for token in [&administrator, &user] {
            let listed = get(&http, "/v1/resource/generic", Some(token)).await;
            let listed: Value = listed.json().expect("it is JSON");
            assert_eq!(listed[0]["original_resource_id"], "cirrus");
        }
        // What is known is believed for a while; what is not cannot be found out.
        keystone.kill();
        assert_eq!(get(&http, "/v1/metric", Some(&user)).await.status(), 200);
        let away = get(&http, "/v1/metric", Some(&other)).await;
        assert_eq!((away.status().as_u16(), away.header("retry-after").is_some()), (503, true));
    });
    Ok(())
}
