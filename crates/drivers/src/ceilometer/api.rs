//! Where the event API is, and asking it.

use nephoscope_http::header::HeaderName;
use nephoscope_http::{Http, OPTIONS, Request, StatusCode};
use nephoscope_keystone::{ENDPOINT_OPTIONS, Keystone, refuse_options, with_cloud};
use nephoscope_telemetry::{ConnectionString, Error, ErrorKind, Result};

use super::event::{Events, read};

/// What it is called in errors.
const BACKEND: &str = "Ceilometer";
const PORT: u16 = 8777;
/// Panko's type of service, and Ceilometer's.
const SERVICE_TYPES: [&str; 2] = ["event", "metering"];

/// The API, and how to log in to it.
#[derive(Debug)]
pub(super) struct Api {
    http: Http,
    keystone: Option<Keystone>,
}

/// A condition that events have to fulfil: field, operator and value.
pub(super) type Query<'a> = (&'static str, &'static str, &'a str);

impl Api {
    pub(super) async fn open(to: &ConnectionString) -> Result<Self> {
        let to = &with_cloud(to)?;
        let own = ["filter_error_trace", "transport_url"];
        let of_keystone = [nephoscope_keystone::OPTIONS.as_slice(), &ENDPOINT_OPTIONS].concat();
        to.expect_options(&[OPTIONS.as_slice(), &of_keystone, &own].concat())?;
        to.flag("filter_error_trace")?;
        let keystone = Keystone::of(to)?;
        let http = match &keystone {
            None => without_keystone(to)?,
            Some(keystone) => Http::at(BACKEND, to, &keystone.address(to, &SERVICE_TYPES, PORT).await?)?,
        };
        Ok(Self { http: http.with_meaning(meaning), keystone })
    }

    /// The events that fulfil all queries, oldest first, and not more than this; nothing when the other side does not
    /// answer such queries.
    pub(super) async fn try_events(
        &self,
        operation: &'static str,
        queries: &[Query<'_>],
        limit: usize,
    ) -> Result<Option<Events>> {
        let make = || write(self.http.get(operation, "/v2/events"), queries, limit).accept(&[400, 501]);
        let answer = match &self.keystone {
            Some(keystone) => keystone.send(make).await?,
            None => make().open().await?,
        };
        if answer.status() != StatusCode::OK {
            return match answer.refused().await {
                error if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported) => Ok(None),
                error => Err(error),
            };
        }
        let answer = answer.whole().await?;
        read(&answer).map(Some)
    }

    /// As [`try_events`](Self::try_events), where queries that are not answered are an error.
    pub(super) async fn events(
        &self,
        operation: &'static str,
        queries: &[Query<'_>],
        limit: usize,
    ) -> Result<Events> {
        let told = "this Ceilometer does not answer such queries; is it a Nephoscope? use http:// for it";
        let events = self.try_events(operation, queries, limit).await?;
        events.ok_or_else(|| Error::new(ErrorKind::Unsupported, operation, told))
    }
}

fn write<'a>(request: Request<'a>, queries: &[Query<'_>], limit: usize) -> Request<'a> {
    let request = queries.iter().fold(request, |request, (field, op, value)| {
        let request = request.query("q.field", *field).query("q.op", *op);
        request.query("q.type", "").query("q.value", *value)
    });
    request.query("limit", limit.to_string())
}

fn without_keystone(to: &ConnectionString) -> Result<Http> {
    refuse_options(to, Some("token"))?;
    if to.user().is_some() {
        return Err(to.wrong("a user is for Keystone, which option `auth_url` has to name"));
    }
    if to.hosts().is_empty() {
        return Err(to.wrong("it names no host, and no Keystone (option `auth_url`) whose catalog has one"));
    }
    let path = format!("/{}", to.database().unwrap_or_default());
    let http = Http::new(BACKEND, to, to.scheme().ends_with("+https"), PORT, &path)?;
    match to.option("token") {
        None => Ok(http),
        Some(token) if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(http.with_header(HeaderName::from_static("x-auth-token"), token))
        }
        Some(_) => Err(to.wrong("option `token` is no token: it has letters, digits and signs")),
    }
}

/// An API without events, as Ceilometer's since 9 and Gnocchi's.
fn meaning(status: StatusCode, _: &str) -> Option<(ErrorKind, &'static str)> {
    let cure = "; it has no event API (/v2/events)";
    matches!(status.as_u16(), 404 | 410).then_some((ErrorKind::Config, cure))
}
