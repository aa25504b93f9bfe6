//! `http://` and `https://`: samples and events as Ceilometer's HTTP publisher posts them, to another Nephoscope or to
//! anything else that takes them.
//!
//! ```text
//! http://nephoscope:8041                            samples to /samples, events to /events of another Nephoscope
//! http://proxy/prefix/samples                       the same behind a proxy: events to /prefix/events
//! https://user:password@billing/in?verify_ssl=False&q=foo    both to https://billing/in?q=foo
//! ```
//!
//! | option | meaning |
//! |---|---|
//! | `batch` | `False`: a request for each sample and each event. Without it a request has a JSON array |
//! | `raw_only` | `True`: of an event only the payload of the notification is posted, where there is one |
//! | `verify_ssl` | `False`: takes any certificate; a path: the authorities to trust |
//! | `clientcert`, `clientkey` | who we are, in PEM files |
//! | `max_retries` | taken and without effect: what fails is sent again until it succeeds |
//! | `timeout`, `connect_timeout`, `cacert`, `cert`, `key`, `insecure` | as of every HTTP backend |
//!
//! Every other option stays in the address, as with Ceilometer.
//!
//! Source of the form: Ceilometer 27, `ceilometer/publisher/http.py`.

mod settings;

use std::ops::Range;
use std::sync::Arc;

use nephoscope_http::Http;
use nephoscope_telemetry::{
    BoxFuture, ConnectionString, Dispatcher, Event, Refused, Result, Sample, SampleForm, in_halves,
};

use settings::Settings;

/// A body has no more bytes unless it is of one item: the least that a common server takes by default (nginx, 1 MiB).
const BODY_BYTES: usize = 1 << 20;

#[derive(Debug)]
struct HttpDispatcher {
    http: Http,
    settings: Settings,
}

/// What is at the address is met when there is something to send.
pub(crate) fn connect(to: &ConnectionString) -> Result<Arc<dyn Dispatcher>> {
    let (http, settings) = settings::read(to)?;
    Ok(Arc::new(HttpDispatcher { http, settings }))
}

/// One item: which of those that were given, and what is posted of it.
type Item = (usize, String);

impl HttpDispatcher {
    async fn send(&self, operation: &'static str, path: &str, items: Vec<Item>) -> Result<Vec<Refused>> {
        let items = &items;
        let mut refused = Vec::new();
        for part in self.parts(items) {
            let post = |part| -> BoxFuture<'_, _> { Box::pin(self.post(operation, path, &items[part])) };
            refused.extend(in_halves(part, post).await?);
        }
        Ok(refused.into_iter().map(|told| Refused { at: items[told.at].0, ..told }).collect())
    }

    /// Cuts items into requests.
    fn parts(&self, items: &[Item]) -> Vec<Range<usize>> {
        let (mut parts, mut from, mut bytes) = (Vec::new(), 0, 0);
        for (at, (_, text)) in items.iter().enumerate() {
            if at > from && (!self.settings.batch || bytes + text.len() > BODY_BYTES) {
                parts.push(from..at);
                (from, bytes) = (at, 0);
            }
            bytes += text.len() + ", ".len();
        }
        if from < items.len() {
            parts.push(from..items.len());
        }
        parts
    }

    async fn post(&self, operation: &'static str, path: &str, items: &[Item]) -> Result<Vec<Refused>> {
        let texts: Vec<_> = items.iter().map(|(_, text)| text.as_str()).collect();
        let body = if self.settings.batch { format!("[{}]", texts.join(", ")) } else { texts.concat() };
        let mut request = self.http.post(operation, path).body("application/json", body);
        for (name, value) in &self.settings.query {
            request = request.query(name, value.as_str());
        }
        request.send().await?;
        Ok(Vec::new())
    }
}

impl Dispatcher for HttpDispatcher {
    fn samples<'a>(&'a self, samples: &'a [Sample]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        let texts = samples.iter().map(|sample| sample.to_json(SampleForm::Dictionary));
        Box::pin(self.send("post samples", &self.settings.samples, texts.enumerate().collect()))
    }

    fn events<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        let text = |event: &Event| match self.settings.raw_only {
            false => Some(event.to_json()),
            true => payload(event),
        };
        let texts = events.iter().enumerate().filter_map(|(at, event)| Some((at, text(event)?)));
        Box::pin(self.send("post events", &self.settings.events, texts.collect()))
    }
}

/// The payload of the notification that an event was made of, unless there is nothing in it.
fn payload(event: &Event) -> Option<String> {
    const NOTHING: [&str; 6] = ["null", "{}", "[]", "\"\"", "0", "false"];
    event.raw.get("payload").filter(|payload| !NOTHING.contains(payload)).map(str::to_owned)
}

#[cfg(test)]
mod tests;
