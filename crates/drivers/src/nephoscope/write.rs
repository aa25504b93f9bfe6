//! Sending points.

use nephoscope_http::Http;
use nephoscope_telemetry::{Error, ErrorKind, Result, TracePoint};

const OPERATION: &str = "store trace points";
/// A body is sent when it is so large: a batch goes at once, and the daemon begins to store before all of a large one
/// has come.
const BODY_BYTES: usize = 8 << 20;

/// Stores points, in as few requests as their size allows.
///
/// What the daemon cannot hold costs itself: the rest is sent, and then the first such error is returned.
pub(super) async fn store(http: &Http, points: &[TracePoint], max_body: usize) -> Result<()> {
    let mut refused = Ok(());
    let mut body = String::new();
    for (number, point) in points.iter().enumerate() {
        let before = body.len();
        point.write_json(&mut body);
        body.push('\n');
        let length = body.len() - before;
        if length > max_body {
            body.truncate(before);
            refused = refused.and(Err(too_long(length, max_body)));
        } else if body.len() > max_body {
            let rest = body.split_off(before);
            send(http, std::mem::replace(&mut body, rest), &mut refused).await?;
        }
        if body.len() >= BODY_BYTES || (number + 1 == points.len() && !body.is_empty()) {
            send(http, std::mem::take(&mut body), &mut refused).await?;
        }
    }
    refused
}

async fn send(http: &Http, body: String, refused: &mut Result<()>) -> Result<()> {
    let request = http.post(OPERATION, "/api/trace-points").body("application/x-ndjson", body);
    match request.send().await {
        Err(error) if error.kind() == ErrorKind::Invalid => {
            if refused.is_ok() {
                *refused = Err(error);
            }
            Ok(())
        }
        sent => sent.map(drop),
    }
}

fn too_long(length: usize, max_body: usize) -> Error {
    let told = format!("a trace point of {length} bytes is longer than the {max_body} that Nephoscope takes");
    Error::new(ErrorKind::Invalid, OPERATION, told)
}
