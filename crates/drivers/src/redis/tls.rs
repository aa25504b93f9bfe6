//! The address of a server that is spoken to with TLS, by redis-py's `ssl_*` options.

use nephoscope_telemetry::{ConnectionString, Result};
use redis::{Client, ClientTlsConfig, ConnectionAddr, TlsCertificates};
use rustls::crypto::{CryptoProvider, ring};

/// Reads the files that the options name. The address checks what they ask for.
pub(super) fn address(to: &ConnectionString, host: String, port: u16) -> Result<ConnectionAddr> {
    choose_cryptography();
    let certificates = TlsCertificates {
        client_tls: client(to)?,
        root_cert: to.option("ssl_ca_certs").map(|file| read(to, "ssl_ca_certs", file)).transpose()?,
    };
    let address = ConnectionAddr::TcpTls { host, port, insecure: !verifies(to)?, tls_params: None };
    let client = Client::build_with_tls(address, certificates)
        .map_err(|error| to.wrong(format!("a file of the `ssl_` options is not in PEM form: {error}")))?;
    let mut address = client.get_connection_info().addr().clone();
    if to.option("ssl_check_hostname").is_some() {
        address.set_danger_accept_invalid_hostnames(!to.flag("ssl_check_hostname")?);
    }
    Ok(address)
}

/// rustls panics when it is left to choose between several providers that happen to be linked.
fn choose_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // An error says that somebody was faster: then there is one, which is all that is wanted.
        drop(ring::default_provider().install_default());
    }
}

fn verifies(to: &ConnectionString) -> Result<bool> {
    match to.option("ssl_cert_reqs") {
        // For a client, Python's `CERT_OPTIONAL` is the same as `CERT_REQUIRED`.
        None | Some("required" | "optional") => Ok(true),
        Some("none") => Ok(false),
        Some(_) => Err(to.wrong("option `ssl_cert_reqs` is either required or none")),
    }
}

fn client(to: &ConnectionString) -> Result<Option<ClientTlsConfig>> {
    match (to.option("ssl_certfile"), to.option("ssl_keyfile")) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(to.wrong("option `ssl_keyfile` needs `ssl_certfile`")),
        (Some(certificate), key) => Ok(Some(ClientTlsConfig {
            client_cert: read(to, "ssl_certfile", certificate)?,
            client_key: read(to, "ssl_keyfile", key.unwrap_or(certificate))?,
        })),
    }
}

fn read(to: &ConnectionString, option: &str, file: &str) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(|error| to.wrong(format!("cannot read {file} of option `{option}`: {error}")))
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    fn refusal(options: &str) -> String {
        let to = ConnectionString::parse(&format!("rediss://cache?{options}")).unwrap();
        let error = address(&to, "cache".into(), 6379).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    }

    #[test]
    fn certificates_are_checked_unless_told_otherwise() {
        for (options, checks) in
            [("", true), ("?ssl_cert_reqs=required", true), ("?ssl_cert_reqs=none", false)]
        {
            let to = ConnectionString::parse(&format!("rediss://cache{options}")).unwrap();
            let ConnectionAddr::TcpTls { insecure, .. } = address(&to, "cache".into(), 1).unwrap() else {
                panic!("an address with TLS");
            };
            assert_eq!(insecure, !checks, "{options}");
        }
    }

    #[test]
    fn wrong_files_and_values_are_refused_by_name() {
        assert!(refusal("ssl_ca_certs=/does/not/exist.pem").contains("/does/not/exist.pem"));
        assert!(refusal("ssl_cert_reqs=maybe").contains("`ssl_cert_reqs`"));
        assert!(refusal("ssl_check_hostname=maybe").contains("`ssl_check_hostname`"));
        assert!(refusal("ssl_keyfile=/key.pem").contains("`ssl_certfile`"));
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display();
        assert!(refusal(&format!("ssl_certfile={path}")).contains("PEM"));
    }
}
