//! OTLP/gRPC.
//!
//! Source of the form and of what a code means: the OTLP specification, "OTLP/gRPC".

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use nephoscope_http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use nephoscope_telemetry::{ConnectionString, Error, ErrorKind, Result};
use tonic::client::Grpc;
use tonic::codec::CompressionEncoding;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::Signal;

/// The port that IANA gave to OTLP/gRPC.
const PORT: u16 = 4317;

pub(crate) struct GrpcClient {
    client: Grpc<Channel>,
    /// Address and port, for errors.
    place: String,
    timeout: Duration,
    /// What goes with every request: secrets.
    metadata: MetadataMap,
}

impl GrpcClient {
    pub(crate) fn new(to: &ConnectionString, encrypted: bool) -> Result<Self> {
        if to.database().is_some() {
            return Err(to.wrong("gRPC knows no path"));
        }
        let place = match to.hosts() {
            [] => format!("127.0.0.1:{PORT}"),
            [host] if host.name.contains(':') => format!("[{}]:{}", host.name, host.port_or(PORT)),
            [host] => format!("{}:{}", host.name, host.port_or(PORT)),
            _ => return Err(to.wrong("gRPC takes one address")),
        };
        let timeout = nephoscope_http::timeout(to)?;
        let scheme = if encrypted { "https" } else { "http" };
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{place}"))
            .map_err(|_| to.wrong(format!("{place} is no address")))?
            .connect_timeout(nephoscope_http::connect_timeout(to)?)
            .timeout(timeout);
        if let Some(tls) = tls(to, encrypted)? {
            endpoint = endpoint
                .tls_config(tls)
                .map_err(|error| to.wrong(format!("no TLS is possible: {}", cause(&error))))?;
        }
        // Servers answer with gzip when they were asked with it.
        let channel = endpoint.connect_lazy();
        let mut client = Grpc::new(channel).accept_compressed(CompressionEncoding::Gzip);
        if crate::gzip(to)? {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        Ok(Self { client, place, timeout, metadata: metadata(to)? })
    }

    pub(crate) async fn export<S: Signal>(
        &self,
        operation: &'static str,
        message: S::Request,
    ) -> Result<S::Response> {
        self.call::<S>(message).await.map_err(|status| self.refused(operation, &status))
    }

    async fn call<S: Signal>(&self, message: S::Request) -> Result<S::Response, Status> {
        let request = Request::from_parts(self.metadata.clone(), Default::default(), message);
        let mut client = self.client.clone();
        client.ready().await.map_err(|error| Status::from_error(error.into()))?;
        let codec = ProstCodec::<S::Request, S::Response>::default();
        let answer = client.unary(request, PathAndQuery::from_static(S::METHOD), codec).await?;
        Ok(answer.into_inner())
    }

    /// The error that a status means. Which codes may be tried again is in the specification.
    fn refused(&self, operation: &'static str, status: &Status) -> Error {
        use ErrorKind::{Config, Invalid, Other, Unavailable};
        if sources(status).any(is_tls) {
            let message = format!("the OTLP receiver at {} and we have no TLS connection", self.place);
            return Error::new(Config, operation, message).with_source(cause(status));
        }
        let late = status.code() == Code::Cancelled && status.message().contains("Timeout");
        let (kind, cure) = match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => (Config, "; mend login or headers"),
            Code::Unimplemented => (Config, "; is it a receiver of OTLP/gRPC?"),
            Code::ResourceExhausted if !asks_to_retry(status) => (Invalid, ""),
            Code::InvalidArgument | Code::FailedPrecondition => (Invalid, ""),
            Code::Cancelled if late => (Unavailable, " (option `timeout`)"),
            Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss
            | Code::ResourceExhausted => (Unavailable, ""),
            // The connection broke: a status that was sent has no source.
            _ if status.source().is_some() => (Unavailable, ""),
            _ => (Other, ""),
        };
        let what = if late {
            format!("did not answer within {} s", self.timeout.as_secs_f64())
        } else {
            format!("answers {:?}: {}", status.code(), status.message())
        };
        let error = Error::new(kind, operation, format!("the OTLP receiver at {} {what}{cure}", self.place));
        if status.source().is_some() { error.with_source(cause(status)) } else { error }
    }
}

impl fmt::Debug for GrpcClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcClient").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Login and headers.
fn metadata(to: &ConnectionString) -> Result<MetadataMap> {
    let mut headers = HeaderMap::new();
    let login = to.user().map(|user| nephoscope_http::basic_auth(user, to.password().unwrap_or_default()));
    let login = login.map(|login| (AUTHORIZATION, login));
    for (name, value) in login.into_iter().chain(nephoscope_http::headers(to)?) {
        let mut value = HeaderValue::from_str(&value).expect("it was checked to be a header's value");
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(MetadataMap::from_headers(headers))
}

/// TLS, by the options of every HTTP backend.
fn tls(to: &ConnectionString, encrypted: bool) -> Result<Option<ClientTlsConfig>> {
    if to.flag("insecure")? {
        return Err(to.wrong("option `insecure` is not for gRPC; name the authority with `cacert`"));
    }
    let read = |option: &str| match to.option(option) {
        None => Ok(None),
        Some(_) if !encrypted => {
            Err(to.wrong(format!("option `{option}` is for TLS, and {}:// has none", to.scheme())))
        }
        Some(file) => std::fs::read(file)
            .map(Some)
            .map_err(|error| to.wrong(format!("cannot read {file} of option `{option}`: {error}"))),
    };
    let (authority, certificate, key) = (read("cacert")?, read("cert")?, read("key")?);
    if !encrypted {
        return Ok(None);
    }
    let mut tls = match authority {
        Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    match (certificate, key) {
        (Some(certificate), Some(key)) => tls = tls.identity(Identity::from_pem(certificate, key)),
        (Some(both), None) => tls = tls.identity(Identity::from_pem(&both, &both)),
        (None, Some(_)) => return Err(to.wrong("option `key` needs `cert`")),
        (None, None) => {}
    }
    Ok(Some(tls))
}

/// Whether the details of a status hold a `google.rpc.RetryInfo`: only then is a receiver exhausted for a while, and
/// not asked for too much.
fn asks_to_retry(status: &Status) -> bool {
    const NAME: &[u8] = b"google.rpc.RetryInfo";
    status.details().windows(NAME.len()).any(|window| window == NAME)
}

fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&error| error.source())
}

/// The innermost reason.
fn cause(error: &(dyn StdError + 'static)) -> String {
    sources(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Whether the handshake failed. An I/O error hides the error that it was made of from its sources.
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    error.is::<rustls::Error>() || inner.is_some_and(|inner| is_tls(inner))
}
