//! A certificate for 127.0.0.1.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::daemon::run;
use super::{Missing, find};

/// A key and its certificate, which is its own authority.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) key: PathBuf,
    pub(super) certificate: PathBuf,
}

/// Makes one that is valid from now on, for as long as a test could last.
pub(super) fn make(directory: &Path) -> Result<Certificate, Missing> {
    let (key, certificate) = (directory.join("key.pem"), directory.join("certificate.pem"));
    let mut openssl = Command::new(find("openssl", "openssl")?);
    openssl
        .args(["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"])
        // An authority is refused as a server's certificate by strict clients.
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate);
    run(openssl);
    Ok(Certificate { key, certificate })
}
