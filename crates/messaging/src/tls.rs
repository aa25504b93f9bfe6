//! TLS, by the options of oslo.messaging.

use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use nephoscope_telemetry::Result;
use rustls::crypto::{CryptoProvider, ring};

use crate::transport::Options;

/// What `ssl=true` and the files beside it say. The certificate of the broker is always checked, by `ssl_ca_file` and
/// by the authorities of the system; oslo.messaging checks nothing when `ssl_ca_file` is absent.
pub(crate) fn read(options: &Options<'_>) -> Result<Option<OwnedTLSConfig>> {
    if !options.flag("ssl")? {
        let unused = ["ssl_ca_file", "ssl_cert_file", "ssl_key_file"];
        return match unused.into_iter().find(|name| options.get(name).is_some()) {
            Some(name) => Err(options.wrong(format!("option `{name}` needs `ssl=true`"))),
            None => Ok(None),
        };
    }
    choose_cryptography();
    let identity = match (options.get("ssl_cert_file"), options.get("ssl_key_file")) {
        (None, None) => None,
        (None, Some(_)) => return Err(options.wrong("option `ssl_key_file` needs `ssl_cert_file`")),
        (Some(certificate), key) => Some(OwnedIdentity::PKCS8 {
            pem: file(options, "ssl_cert_file", certificate)?,
            key: file(options, "ssl_key_file", key.unwrap_or(certificate))?,
        }),
    };
    let authorities =
        options.get("ssl_ca_file").map(|name| file(options, "ssl_ca_file", name)).transpose()?;
    let cert_chain = authorities.map(String::from_utf8).transpose();
    let cert_chain = cert_chain.map_err(|_| options.wrong("the file of `ssl_ca_file` is not in PEM form"))?;
    Ok(Some(OwnedTLSConfig { identity, cert_chain }))
}

/// rustls panics when it is left to choose between several providers that happen to be linked.
fn choose_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // An error says that somebody was faster: then there is one, which is all that is wanted.
        drop(ring::default_provider().install_default());
    }
}

fn file(options: &Options<'_>, option: &str, name: &str) -> Result<Vec<u8>> {
    std::fs::read(name)
        .map_err(|error| options.wrong(format!("cannot read {name} of option `{option}`: {error}")))
}
