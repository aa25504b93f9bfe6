//! What is left of a request's body once its answer is there.
//!
//! Many an answer needs no body: its path is unknown, or its sender. On HTTP/1 the next request stands behind that body, and
//! hyper, where the rest of it has not come yet, hangs up without a word. A client that keeps its connection, as those of
//! Python do, then finds it gone in the middle of its next request. So a little more is read, or the client is told.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::{CONNECTION, EXPECT};
use axum::http::{HeaderValue, Version};
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_stream::StreamExt;

/// How much of a body is read for nothing: less work than a new connection with TLS is for its client.
const MAX_REST: u64 = 64 << 10;
/// How long a body is waited for that nobody needs. It is on its way already, behind its head.
const REST_TIME_LIMIT: Duration = Duration::from_secs(1);

/// Leaves a connection of HTTP/1 either behind the body, or with the word that it ends here.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    if request.version() > Version::HTTP_11 || request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Who waits for leave to send it has sent nothing of it.
    let is_held_back = request.headers().contains_key(EXPECT);
    let (give_back, mut given_back) = oneshot::channel();
    let lent = |body| Body::new(Lent { body: Some(body), give_back: Some(give_back) });
    let mut response = next.run(request.map(lent)).await;
    if let Ok(rest) = given_back.try_recv()
        && (is_held_back || !is_little(rest).await)
    {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Reads to the end, unless that is far away.
async fn is_little(rest: Body) -> bool {
    let read = async {
        let mut left = MAX_REST;
        left.checked_sub(rest.size_hint().lower())?;
        let mut rest = rest.into_data_stream();
        while let Some(data) = rest.next().await {
            left = left.checked_sub(data.ok()?.len() as u64)?;
        }
        Some(())
    };
    timeout(REST_TIME_LIMIT, read).await.is_ok_and(|read| read.is_some())
}

/// A body that comes back when it is dropped before its end.
struct Lent {
    body: Option<Body>,
    give_back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Some(give_back)) = (self.body.take(), self.give_back.take())
            && !body.is_end_stream()
        {
            let _whole_request_is_gone = give_back.send(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::post;
    use hyper::server::conn::http1;
    use hyper_util::rt::TokioIo;
    use hyper_util::service::TowerToHyperService;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    /// A connection to a server whose answer is there before the body.
    fn connect() -> DuplexStream {
        let (client, server) = duplex(1 << 20);
        let router = Router::new().route("/", post(|| async { "here" })).layer(from_fn(finish));
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(server), TowerToHyperService::new(router));
        tokio::spawn(connection);
        client
    }

    async fn send(client: &mut DuplexStream, text: &str) {
        client.write_all(text.as_bytes()).await.expect("the server reads");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    async fn answer(client: &mut DuplexStream) -> String {
        let mut answer = Vec::new();
        while !answer.ends_with(b"here") {
            let byte = client.read_u8().await.expect("an answer comes");
            answer.push(byte);
        }
        String::from_utf8(answer).expect("it is text")
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_goes_on_behind_a_body_that_comes_late() {
        let mut client = connect();
        for _ in 0..3 {
            send(&mut client, "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n").await;
            send(&mut client, "he").await;
            send(&mut client, "llo").await;
            assert!(!answer(&mut client).await.contains("connection: close"));
        }
        for _ in 0..3 {
            send(&mut client, "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n").await;
            send(&mut client, "5\r\nhello\r\n").await;
            send(&mut client, "0\r\n\r\n").await;
            assert!(!answer(&mut client).await.contains("connection: close"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_told_when_its_body_is_too_much_or_too_slow() {
        for head in
            ["content-length: 65537", "content-length: 5", "content-length: 5\r\nexpect: 100-continue"]
        {
            let mut client = connect();
            send(&mut client, &format!("POST / HTTP/1.1\r\nhost: h\r\n{head}\r\n\r\n")).await;
            assert!(answer(&mut client).await.contains("connection: close"), "{head}");
            assert_eq!(client.read(&mut [0]).await.unwrap(), 0, "{head}");
        }
    }
}
