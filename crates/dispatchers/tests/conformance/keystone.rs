//! `gnocchi://` behind a Keystone, which knows the project whose samples are left out.

use std::sync::Arc;

use nephoscope_dispatchers::Around;
use nephoscope_keystone::Keystone;
use nephoscope_telemetry::{ConnectionString, Dispatcher, ErrorKind, Sample};
use nephoscope_testkit::http::{HttpDouble, Reply};
use nephoscope_testkit::server::{KeystoneServer, Missing, Server};
use nephoscope_testkit::{Trial, trial};
use tempfile::TempDir;

pub(super) fn trials() -> Vec<Trial> {
    vec![trial("keystone::the_samples_of_a_project_are_left_out", || {
        let mut rig = Rig::start()?;
        tokio::runtime::Runtime::new().expect("threads can be started").block_on(rig.leaves_out());
        Ok(())
    })]
}

/// A Keystone, and a Gnocchi that takes everything.
struct Rig {
    keystone: KeystoneServer,
    gnocchi: HttpDouble,
    directory: TempDir,
}

const WEATHER: &str = "&filter_project=weather&filter_domain=clouds";

impl Rig {
    fn start() -> Result<Self, Missing> {
        let gnocchi = HttpDouble::start(|request| match request.method.as_str() {
            "GET" => Reply::json(200, "[]"),
            _ => Reply::json(202, request.text()),
        });
        let keystone = KeystoneServer::start("http://panko:8977")?;
        Ok(Self { keystone, gnocchi, directory: tempfile::tempdir().expect("it can be made") })
    }

    fn to(&self, login: &str, options: &str) -> ConnectionString {
        let (port, auth_url) = (self.gnocchi.port(), self.keystone.url());
        let text = format!("gnocchi://{login}127.0.0.1:{port}?auth_url={auth_url}{options}");
        ConnectionString::parse(&text).expect("it is one")
    }

    /// With the rights to ask for projects.
    async fn administrator(&self, options: &str) -> Arc<dyn Dispatcher> {
        let to = self.to(&KeystoneServer::administrator(), &format!("&project=admin{options}"));
        self.dispatcher(&to).await
    }

    /// Without.
    async fn member(&self, options: &str) -> Arc<dyn Dispatcher> {
        let scope = format!("&project=weather&user_domain=clouds&project_domain=clouds{options}");
        self.dispatcher(&self.to(&KeystoneServer::login(), &scope)).await
    }

    async fn dispatcher(&self, to: &ConnectionString) -> Arc<dyn Dispatcher> {
        let around = Around { directory: self.directory.path().to_owned(), embedded: None };
        nephoscope_dispatchers::connect(to, &around).await.expect("it is known")
    }

    /// Whether a sample of a project comes to Gnocchi.
    async fn arrives(&self, dispatcher: &dyn Dispatcher, sample: &Sample) -> bool {
        let before = self.gnocchi.received().len();
        assert_eq!(dispatcher.samples(std::slice::from_ref(sample)).await.expect("it is sent"), []);
        let received = self.gnocchi.received();
        received[before..].iter().any(|request| request.target.starts_with("/v1/batch/"))
    }

    async fn leaves_out(&mut self) {
        let to = self.to(&KeystoneServer::administrator(), "&project=admin");
        let keystone = Keystone::of(&to).expect("it is complete").expect("it names a Keystone");
        let weather =
            keystone.project_id("weather", "clouds").await.expect("we may ask").expect("it is there");
        let of = |project: &str| sample("cpu", "vm", project);

        let named = self.administrator(WEATHER).await;
        assert!(!self.arrives(&*named, &of(&weather)).await);
        assert!(!self.arrives(&*named, &sample("storage.objects", &weather, "another")).await);
        assert!(self.arrives(&*named, &of("another")).await);
        // A project elsewhere may have the same name.
        let mut elsewhere = of("another");
        elsewhere.project_name = Some("weather".into());
        assert!(self.arrives(&*named, &elsewhere).await);
        // Not found, among them `service`, as it is where nobody says otherwise.
        for options in ["", "&filter_project=weather"] {
            let dispatcher = self.administrator(options).await;
            assert!(self.arrives(&*dispatcher, &of(&weather)).await, "{options}");
        }
        let off = self.administrator(&format!("{WEATHER}&enable_filter_project=false")).await;
        assert!(self.arrives(&*off, &of(&weather)).await);
        // Who may not ask is kept from sending only where the project was named.
        let nobody_asked = self.member("").await;
        assert!(self.arrives(&*nobody_asked, &of(&weather)).await);
        let held = self.member(WEATHER).await;
        let error = held.samples(&[of("another")]).await.expect_err("it is not let");
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");

        self.keystone.kill();
        let patient = self.administrator(WEATHER).await;
        let both = [of(&weather), of("another")];
        let error = patient.samples(&both).await.expect_err("nobody is there");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        self.keystone.restart();
        assert!(!self.arrives(&*patient, &both[0]).await);
        assert!(self.arrives(&*patient, &both[1]).await);
    }
}

fn sample(meter: &str, resource: &str, project: &str) -> Sample {
    let text = format!(
        r#"{{"name": "{meter}", "volume": 1, "resource_id": "{resource}", "project_id": "{project}", "timestamp": "2026-01-01T00:00:00"}}"#
    );
    Sample::from_json(&text).expect("it is a sample")
}
