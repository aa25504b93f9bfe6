//! The connection string as the options of a client.

use std::fs::File;
use std::time::Duration;

use mongodb::options::{Acknowledgment, ClientOptions, WriteConcern};
use nephoscope_telemetry::{ConnectionString, Result};

use super::failure;

/// The database of OSProfiler, whatever the connection string says.
const DATABASE: &str = "osprofiler";
/// The collection of OSProfiler. Its error records are in another one, with `_error` behind the name.
const COLLECTION: &str = "profiler";
/// How long to look for a server that takes the operation, unless `serverSelectionTimeoutMS` says otherwise: a replica
/// set elects a new primary in less, and whoever waits for an answer does not wait for half a minute as by default.
const SELECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to connect to a server, unless `connectTimeoutMS` says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What the log of the server calls us, unless `appName` says otherwise.
const APP_NAME: &str = "nephoscope";

/// Options of our own.
const OURS: [&str; 3] = ["database", "collection", "filter_error_trace"];

/// Options of MongoDB that the client reads. As everywhere with MongoDB, their case does not matter.
const CLIENTS: [&str; 31] = [
    "appName",
    "authMechanism",
    "authSource",
    "connectTimeoutMS",
    "directConnection",
    "heartbeatFrequencyMS",
    "journal",
    "loadBalanced",
    "localThresholdMS",
    "maxConnecting",
    "maxIdleTimeMS",
    "maxPoolSize",
    "maxStalenessSeconds",
    "minPoolSize",
    "readConcernLevel",
    "readPreference",
    "readPreferenceTags",
    "replicaSet",
    "retryReads",
    "retryWrites",
    "serverMonitoringMode",
    "serverSelectionTimeoutMS",
    "srvMaxHosts",
    "srvServiceName",
    "ssl",
    "tls",
    "tlsAllowInvalidCertificates",
    "tlsCAFile",
    "tlsCertificateKeyFile",
    "w",
    "wtimeoutMS",
];

/// Options that PyMongo takes and that people carry in their strings: how it encodes and compresses, and time limits
/// that are the caller's here. No answer differs by them.
const IGNORED: [&str; 7] = [
    "compressors",
    "zlibCompressionLevel",
    "socketTimeoutMS",
    "waitQueueTimeoutMS",
    "uuidRepresentation",
    "tz_aware",
    "unicode_decode_error_handler",
];

/// What a connection needs. Holds the password, so it cannot be printed.
pub(super) struct Settings {
    pub(super) client: ClientOptions,
    pub(super) database: String,
    pub(super) collection: String,
    pub(super) error_records: bool,
}

impl Settings {
    /// Reads a connection string; of `mongodb+srv` it looks up the servers.
    pub(super) async fn read(to: &ConnectionString) -> Result<Self> {
        expect_options(to)?;
        if to.hosts().is_empty() {
            return Err(to.wrong("it names no server; write mongodb://host:27017"));
        }
        for option in ["tlsCAFile", "tlsCertificateKeyFile"] {
            check_file(to, option)?;
        }
        let text = to.expose(to.scheme(), |option| is_one_of(option, &CLIENTS));
        let mut client =
            ClientOptions::parse(&text).await.map_err(|error| failure::of_options(to, &error))?;
        client.server_selection_timeout.get_or_insert(SELECTION_TIMEOUT);
        client.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
        client.app_name.get_or_insert_with(|| APP_NAME.into());
        client.write_concern = Some(write_concern(to, client.write_concern.take())?);
        Ok(Self {
            client,
            database: name(to, "database", DATABASE)?,
            collection: name(to, "collection", COLLECTION)?,
            error_records: to.flag("filter_error_trace")?,
        })
    }
}

fn is_one_of(option: &str, known: &[&str]) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(option))
}

/// As [`ConnectionString::expect_options`], in any case.
fn expect_options(to: &ConnectionString) -> Result<()> {
    let known =
        |option: &str| OURS.contains(&option) || is_one_of(option, &CLIENTS) || is_one_of(option, &IGNORED);
    match to.options().iter().find(|(option, _)| !known(option)) {
        None => Ok(()),
        Some((option, _)) => {
            let known = [&OURS[..], &CLIENTS].concat().join(", ");
            Err(to.wrong(format!("option `{option}` is not known; known: {known}")))
        }
    }
}

/// The client would say that it cannot be read only when it connects, and not as a mistake.
fn check_file(to: &ConnectionString, option: &str) -> Result<()> {
    match to.options().iter().find(|(given, _)| given.eq_ignore_ascii_case(option)) {
        None => Ok(()),
        Some((_, file)) => File::open(file).map(drop).map_err(|error| {
            to.wrong(format!("option `{option}` names a file that cannot be read: {error}"))
        }),
    }
}

fn name(to: &ConnectionString, option: &str, default: &str) -> Result<String> {
    match to.option(option) {
        None => Ok(default.into()),
        Some("") => Err(to.wrong(format!("option `{option}` is empty"))),
        Some(name) => Ok(name.into()),
    }
}

/// On most servers and in their journals, unless asked for otherwise: what was acknowledged outlives a fail-over.
fn write_concern(to: &ConnectionString, asked: Option<WriteConcern>) -> Result<WriteConcern> {
    let mut concern = asked.unwrap_or_default();
    if concern.w == Some(Acknowledgment::Nodes(0)) {
        return Err(to.wrong("option `w` is 0: nobody would know whether anything was stored"));
    }
    concern.w.get_or_insert(Acknowledgment::Majority);
    concern.journal.get_or_insert(true);
    Ok(concern)
}

#[cfg(test)]
mod tests {
    use mongodb::options::{ServerAddress, Tls};
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    async fn read(text: &str) -> Result<Settings> {
        Settings::read(&ConnectionString::parse(text).unwrap()).await
    }

    #[tokio::test]
    async fn the_defaults_are_those_of_osprofiler_and_lose_nothing() {
        let settings = read("mongodb://u:p@one").await.unwrap();
        assert_eq!((settings.database.as_str(), settings.collection.as_str()), ("osprofiler", "profiler"));
        assert!(!settings.error_records);
        let concern = settings.client.write_concern.unwrap();
        assert_eq!((concern.w, concern.journal), (Some(Acknowledgment::Majority), Some(true)));
        assert_eq!(settings.client.server_selection_timeout, Some(SELECTION_TIMEOUT));
        assert_eq!(settings.client.credential.unwrap().source.as_deref(), Some("admin"));
    }

    #[tokio::test]
    async fn every_part_reaches_the_client() {
        let settings = read(
            "mongodb://us%40er:p%2Fw@one:27018,[::1]/accounts?replicaset=rs0&authMechanism=SCRAM-SHA-256\
             &tls=true&tlsAllowInvalidCertificates=true&serverSelectionTimeoutMS=250&connectTimeoutMS=100&w=2\
             &journal=false&database=traces&collection=points&filter_error_trace=true&compressors=zstd",
        )
        .await
        .unwrap();
        let client = settings.client;
        assert_eq!(client.hosts.len(), 2);
        assert_eq!(client.hosts[0], ServerAddress::Tcp { host: "one".into(), port: Some(27_018) });
        assert_eq!(client.repl_set_name.as_deref(), Some("rs0"));
        assert_eq!(client.server_selection_timeout, Some(Duration::from_millis(250)));
        assert_eq!(client.connect_timeout, Some(Duration::from_millis(100)));
        assert!(matches!(client.tls, Some(Tls::Enabled(_))));
        let concern = client.write_concern.unwrap();
        assert_eq!((concern.w, concern.journal), (Some(Acknowledgment::Nodes(2)), Some(false)));
        let credential = client.credential.unwrap();
        assert_eq!(credential.username.as_deref(), Some("us@er"));
        assert_eq!(credential.password.as_deref(), Some("p/w"));
        // The path is where users are looked for, and not where traces are.
        assert_eq!(credential.source.as_deref().or(client.default_database.as_deref()), Some("accounts"));
        assert_eq!((settings.database.as_str(), settings.collection.as_str()), ("traces", "points"));
        assert!(settings.error_records);
    }

    #[tokio::test]
    async fn what_is_wrong_is_told_without_the_password() {
        for (text, told) in [
            ("mongodb://", "no server"),
            ("mongodb://u:s3cret@h/?tpyo=1", "`tpyo`"),
            ("mongodb://u:s3cret@h/?w=0", "`w`"),
            ("mongodb://u:s3cret@h/?w=-1", "`w`"),
            ("mongodb://u:s3cret@h/?database=", "`database`"),
            ("mongodb://u:s3cret@h/?tlsCAFile=/not/there", "tlsCAFile"),
            ("mongodb://u:s3cret@h/?tlscafile=/not/there", "tlsCAFile"),
            ("mongodb://u:s3cret@h/?tls=perhaps", "tls"),
            ("mongodb://u:s3cret@h/?authMechanism=SECRET", "mechanism"),
            ("mongodb://u:s3cret@h/?filter_error_trace=perhaps", "filter_error_trace"),
            ("mongodb://u:s3cret@h/?serverSelectionTimeoutMS=soon", "serverselectiontimeoutms"),
            ("mongodb+srv://u:s3cret@one.example,two.example/", "one host"),
        ] {
            let Err(error) = read(text).await else { panic!("{text} is taken") };
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert!(error.to_string().contains(told), "{error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }
}
