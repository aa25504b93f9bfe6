//! The real Keystone.

use std::process::ExitCode;
use std::sync::OnceLock;

use nephoscope_http::Http;
use nephoscope_keystone::{Bearers, DEFAULT_CACHE_TIME, Keystone, Service};
use nephoscope_telemetry::{ConnectionString, ErrorKind};
use nephoscope_testkit::server::{KeystoneServer, Missing};
use nephoscope_testkit::{conclude, trial};

type Test = (&'static str, fn(&KeystoneServer));

fn main() -> ExitCode {
    let tests: [Test; 7] = [
        ("a_password_logs_in_and_finds_endpoints", a_password_logs_in_and_finds_endpoints),
        ("an_application_credential_logs_in", an_application_credential_logs_in),
        ("a_token_logs_in", a_token_logs_in),
        ("a_revoked_token_is_replaced", a_revoked_token_is_replaced),
        ("a_token_tells_who_has_it", a_token_tells_who_has_it),
        ("a_project_is_found_by_its_name_in_a_domain", a_project_is_found_by_its_name_in_a_domain),
        ("a_wrong_login_is_a_mistake_in_the_connection_string", a_wrong_login_is_a_mistake),
    ];
    conclude(tests.into_iter().map(|(name, test)| trial(name, move || server().map(test))).collect())
}

/// One for all tests.
fn server() -> Result<&'static KeystoneServer, Missing> {
    static SERVER: OnceLock<Result<KeystoneServer, Missing>> = OnceLock::new();
    let server = SERVER.get_or_init(|| KeystoneServer::start("http://panko:8977"));
    server.as_ref().map_err(|missing| *missing)
}

fn to(server: &KeystoneServer, login: &str, options: &str) -> ConnectionString {
    let text = format!("event://{login}?auth_url={}{options}", server.url());
    ConnectionString::parse(&text).expect("it is one")
}

fn keystone(to: &ConnectionString) -> Keystone {
    Keystone::of(to).expect("it is complete").expect("it names a Keystone")
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("it can be made").block_on(future)
}

const SCOPE: &str = "&project=weather&user_domain=clouds&project_domain=clouds";
const EVENTS: Service<'_> =
    Service { types: &["event"], name: Some("panko"), region: None, interface: "public" };

fn a_password_logs_in_and_finds_endpoints(server: &KeystoneServer) {
    run(async {
        let session =
            keystone(&to(server, &KeystoneServer::login(), SCOPE)).session().await.expect("it logs in");
        let at = |service| session.endpoint(&service).expect("it is in the catalog");
        assert_eq!(at(Service { region: Some("north"), ..EVENTS }), "http://panko:8977");
        assert_eq!(at(Service { region: Some("south"), ..EVENTS }), "http://panko:8977/south");
        assert_eq!(at(Service { interface: "internal", ..EVENTS }), "http://panko:8977/internal");
        assert_eq!(at(Service { types: &["identity"], name: None, ..EVENTS }), server.url());
    });
}

fn an_application_credential_logs_in(server: &KeystoneServer) {
    let (id, secret) = server.application_credential();
    let options = format!("&application_credential={id}&application_credential_secret={secret}");
    run(async {
        let session = keystone(&to(server, "", &options)).session().await.expect("it logs in");
        session.endpoint(&EVENTS).expect("it is of the project");
        let wrong = options.replace(&secret, "wrong");
        let error = keystone(&to(server, "", &wrong)).session().await.expect_err("it is wrong");
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    });
}

fn a_token_logs_in(server: &KeystoneServer) {
    run(async {
        let unscoped = to(server, &KeystoneServer::login(), "&user_domain=clouds");
        let unscoped = keystone(&unscoped).session().await.expect("it logs in");
        let error = unscoped.endpoint(&EVENTS).expect_err("it has no catalog");
        assert!(error.to_string().contains("a login without a project"), "{error}");
        let options = format!("&token={}&project=weather&project_domain=clouds", unscoped.token());
        let session = keystone(&to(server, "", &options)).session().await.expect("it logs in");
        session.endpoint(&EVENTS).expect("it is of the project");
    });
}

/// Keystone is the service, too: it shows the projects of whoever asks.
fn a_revoked_token_is_replaced(server: &KeystoneServer) {
    run(async {
        let to = to(server, &KeystoneServer::login(), SCOPE);
        let keystone = keystone(&to);
        let http = Http::at("Keystone", &to, &server.url()).expect("it is an address");
        let projects = || http.get("list projects", "/auth/projects");
        assert_eq!(keystone.send(projects).await.expect("it answers").status(), 200);
        let session = keystone.session().await.expect("it is there");
        let revoke = || {
            http.delete("revoke a token", "/auth/tokens").secret_header("x-subject-token", session.token())
        };
        keystone.send(revoke).await.expect("it revokes");
        assert_eq!(keystone.send(projects).await.expect("it logs in again").status(), 200);
        assert_ne!(keystone.session().await.expect("it is there").token(), session.token());
    });
}

fn a_token_tells_who_has_it(server: &KeystoneServer) {
    run(async {
        let user =
            keystone(&to(server, &KeystoneServer::login(), SCOPE)).session().await.expect("it logs in");
        let administrator = keystone(&to(server, &KeystoneServer::administrator(), "&project=admin"));
        let bearers = Bearers::new(administrator, DEFAULT_CACHE_TIME);
        let bearer = bearers.bearer(user.token()).await.expect("it answers").expect("it is a token");
        // Whoever is a member may read, too: Keystone adds the roles that a role implies, in no order.
        assert!(bearer.roles.iter().any(|role| role == "member"), "{bearer:?}");
        assert!(bearer.roles.iter().all(|role| role != "admin"), "{bearer:?}");
        assert!(bearer.project_id.is_some() && bearer.domain_id.is_none() && !bearer.user_id.is_empty());
        assert!(bearer.lasts.as_secs() > 60, "{bearer:?}");
        assert_eq!(bearers.bearer("gAAAAA-nonsense").await.expect("it answers"), None);
        // Anybody else may not ask.
        let user = Bearers::new(keystone(&to(server, &KeystoneServer::login(), SCOPE)), DEFAULT_CACHE_TIME);
        let other = keystone(&to(server, &KeystoneServer::administrator(), "&project=admin"));
        let other = other.session().await.expect("it logs in");
        let error = user.bearer(other.token()).await.expect_err("it is not let");
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    });
}

fn a_project_is_found_by_its_name_in_a_domain(server: &KeystoneServer) {
    run(async {
        let keystone = keystone(&to(server, &KeystoneServer::administrator(), "&project=admin"));
        let find = async |project: &str, domain: &str| {
            keystone.project_id(project, domain).await.expect("an administrator may ask")
        };
        let weather = find("weather", "clouds").await.expect("it is there");
        assert_eq!(weather.len(), 32, "{weather}");
        assert_eq!(find(&weather, "clouds").await, Some(weather));
        let admin = find("admin", "Default").await.expect("it is there");
        // By its id, which every Keystone has for this domain.
        assert_eq!(find("admin", "default").await, Some(admin));
        for (project, domain) in [
            ("weather", "Default"),
            ("admin", "clouds"),
            ("Weather", "clouds"),
            ("weather", "nowhere"),
            ("no such/project?", "clouds"),
            ("weather*", "clouds"),
        ] {
            assert_eq!(find(project, domain).await, None, "{project} in {domain}");
        }
    });
    run(async {
        let member = keystone(&to(server, &KeystoneServer::login(), SCOPE));
        let error = member.project_id("weather", "clouds").await.expect_err("it is not let");
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    });
}

fn a_wrong_login_is_a_mistake(server: &KeystoneServer) {
    run(async {
        for (login, options) in [
            ("nephele:wrong@".to_owned(), SCOPE.to_owned()),
            (KeystoneServer::login(), String::new()),
            (KeystoneServer::login(), SCOPE.replace("weather", "politics")),
            (String::new(), "&token=wrong".into()),
        ] {
            let error = keystone(&to(server, &login, &options)).session().await.expect_err("it is wrong");
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        }
    });
}
