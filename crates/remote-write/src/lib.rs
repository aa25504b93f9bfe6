//! What Prometheus' remote write 1.0 has on the wire: a message of Protocol Buffers, packed with Snappy.
//!
//! Source of the form: Prometheus, "Remote-Write 1.0 specification", `prompb/remote.proto` and `prompb/types.proto`.

use prost::Message;

/// `prometheus.WriteRequest`. Its metadata are not read.
#[derive(Clone, PartialEq, Message)]
pub struct WriteRequest {
    /// Each series once.
    #[prost(message, repeated, tag = "1")]
    pub timeseries: Vec<TimeSeries>,
}

/// `prometheus.TimeSeries`. Its exemplars and histograms are not read.
#[derive(Clone, PartialEq, Message)]
pub struct TimeSeries {
    /// What the series is, `__name__` among them; sorted by name.
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    /// In order of time.
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
}

/// `prometheus.Label`
#[derive(Clone, PartialEq, Message)]
pub struct Label {
    /// The name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The value; one that is empty says the same as no label.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// `prometheus.Sample`
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Sample {
    /// The value.
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Milliseconds after 1970.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

/// Why a body cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no block of Snappy.
    #[error("the body is not packed with Snappy")]
    NotPacked,
    /// It says that it is longer when it is unpacked than it may be.
    #[error("the body is too long when it is unpacked")]
    TooLong,
    /// What is packed is something else.
    #[error("the body is no request of remote write 1.0")]
    NoRequest,
}

impl WriteRequest {
    /// The body of a request.
    ///
    /// # Panics
    /// When it is longer than the 4 GiB that a block of Snappy can have.
    pub fn pack(&self) -> Vec<u8> {
        let packed = snap::raw::Encoder::new().compress_vec(&self.encode_to_vec());
        packed.expect("requests are cut long before that")
    }

    /// Reads a body, of which no more than so many bytes are unpacked.
    pub fn unpack(body: &[u8], limit: usize) -> Result<Self, Unreadable> {
        let length = snap::raw::decompress_len(body).map_err(|_| Unreadable::NotPacked)?;
        if length > limit {
            return Err(Unreadable::TooLong);
        }
        let unpacked = snap::raw::Decoder::new().decompress_vec(body).map_err(|_| Unreadable::NotPacked)?;
        Self::decode(unpacked.as_slice()).map_err(|_| Unreadable::NoRequest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(name: &str, value: f64, timestamp: i64) -> WriteRequest {
        let labels = vec![Label { name: "__name__".into(), value: name.into() }];
        WriteRequest { timeseries: vec![TimeSeries { labels, samples: vec![Sample { value, timestamp }] }] }
    }

    #[test]
    fn the_bytes_are_those_of_prometheus() {
        // Made by hand of the specification: field 1 of the request, 1 and 2 of the series, and so on.
        let message = b"\x0a\x1e\x0a\x0e\x0a\x08__name__\x12\x02up\x12\x0c\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\xe8\x07";
        let body = request("up", 1.0, 1000).pack();
        assert_eq!(snap::raw::Decoder::new().decompress_vec(&body).unwrap(), message);
    }

    #[test]
    fn what_is_no_request_is_told() {
        let packed = request("up", 1.0, 1000).pack();
        assert_eq!(WriteRequest::unpack(&packed, 31), Err(Unreadable::TooLong));
        assert_eq!(WriteRequest::unpack(b"nonsense", 1 << 20), Err(Unreadable::NotPacked));
        let other = snap::raw::Encoder::new().compress_vec(b"\xff\xff").unwrap();
        assert_eq!(WriteRequest::unpack(&other, 1 << 20), Err(Unreadable::NoRequest));
    }

    proptest! {
        #[test]
        fn it_survives(name in ".*", value: f64, timestamp: i64) {
            let request = request(&name, value, timestamp);
            prop_assert_eq!(WriteRequest::unpack(&request.pack(), 1 << 20), Ok(request));
        }

        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _outcome = WriteRequest::unpack(&body, 1 << 20);
            let _outcome = WriteRequest::unpack(&snap::raw::Encoder::new().compress_vec(&body).unwrap(), 1 << 20);
        }
    }
}
