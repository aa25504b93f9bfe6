//! TLS, as the options of the connection string ask for it.

use nephoscope_telemetry::{ConnectionString, Result};
use reqwest::{Certificate, ClientBuilder, Identity};
use rustls::crypto::{CryptoProvider, ring};

/// `cacert`: the authorities to trust instead of the system's. `cert`, `key`: who we are. `insecure`: take any
/// certificate.
pub(crate) fn configure(
    mut builder: ClientBuilder,
    to: &ConnectionString,
    encrypted: bool,
) -> Result<ClientBuilder> {
    choose_cryptography();
    if !encrypted {
        // Whom to trust is not asked, and reading the hundreds of files that say it takes as long as a request.
        return Ok(builder.tls_certs_only([]));
    }
    if to.flag("insecure")? {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    if let Some(file) = to.option("cacert") {
        let authorities = Certificate::from_pem_bundle(&read(to, "cacert", file)?);
        let authorities = authorities.ok().filter(|found| !found.is_empty());
        let authorities = authorities
            .ok_or_else(|| to.wrong(format!("{file} of option `cacert` holds no certificate in PEM form")))?;
        builder = builder.tls_certs_only(authorities);
    }
    if let Some(identity) = identity(to)? {
        builder = builder.identity(identity);
    }
    Ok(builder)
}

/// Refuses the options where there is no TLS.
pub(crate) fn refuse_options(to: &ConnectionString) -> Result<()> {
    match ["cacert", "cert", "insecure", "key"].into_iter().find(|name| to.option(name).is_some()) {
        None => Ok(()),
        Some(name) => Err(to.wrong(format!("option `{name}` is for TLS, and {}:// has none", to.scheme()))),
    }
}

fn identity(to: &ConnectionString) -> Result<Option<Identity>> {
    let Some(certificate) = to.option("cert") else {
        return match to.option("key") {
            None => Ok(None),
            Some(_) => Err(to.wrong("option `key` needs `cert`")),
        };
    };
    let mut pem = read(to, "cert", certificate)?;
    if let Some(key) = to.option("key") {
        pem.push(b'\n');
        pem.append(&mut read(to, "key", key)?);
    }
    match Identity::from_pem(&pem) {
        Ok(identity) => Ok(Some(identity)),
        Err(_) => {
            Err(to.wrong("the files of options `cert` and `key` hold no certificate and key in PEM form"))
        }
    }
}

fn read(to: &ConnectionString, option: &str, file: &str) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(|error| to.wrong(format!("cannot read {file} of option `{option}`: {error}")))
}

/// rustls panics when it is left to choose between several providers that happen to be linked.
fn choose_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // An error says that somebody was faster: then there is one, which is all that is wanted.
        drop(ring::default_provider().install_default());
    }
}
