//! ClickHouse's format `RowBinary`: values one after the other, without names and types.
//!
//! Source: <https://clickhouse.com/docs/interfaces/formats/RowBinary>. Lengths are LEB128, numbers little-endian, and
//! a nullable value has a byte before it that is 1 for null.

/// Appends a text with its length.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    let mut length = text.len();
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a text or null.
pub(super) fn write_nullable(out: &mut Vec<u8>, text: Option<&str>) {
    out.push(u8::from(text.is_none()));
    if let Some(text) = text {
        write_text(out, text);
    }
}

/// Takes values from the front of what came so far; nothing where a value has not come whole.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    /// A length; one that no address space holds is as if it had not come whole.
    fn length(&mut self) -> Option<usize> {
        let mut length = 0_usize;
        for shift in (0..usize::BITS).step_by(7) {
            let byte = self.byte()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(length);
            }
        }
        None
    }

    /// A text, which ClickHouse does not promise to be UTF-8.
    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        self.bytes(length)
    }

    /// The outer option is whether it came whole, the inner whether it is not null.
    pub(super) fn nullable(&mut self) -> Option<Option<&'a [u8]>> {
        if self.byte()? == 0 { self.text().map(Some) } else { Some(None) }
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        self.bytes(4).map(|bytes| i32::from_le_bytes(bytes.try_into().expect("there are four")))
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.bytes(8).map(|bytes| i64::from_le_bytes(bytes.try_into().expect("there are eight")))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.i64().map(i64::cast_unsigned)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(texts in vec(proptest::option::of(".{0,300}"), 0..5), number: i64) {
            let mut bytes = Vec::new();
            for text in &texts {
                write_nullable(&mut bytes, text.as_deref());
            }
            bytes.extend_from_slice(&number.to_le_bytes());
            let mut reader = Reader::new(&bytes);
            for text in &texts {
                prop_assert_eq!(reader.nullable(), Some(text.as_deref().map(str::as_bytes)));
            }
            prop_assert_eq!(reader.i64(), Some(number));
            prop_assert_eq!(reader.left(), 0);
        }

        #[test]
        fn half_a_text_has_not_come(text in ".{1,300}", cut in 0.0..1.0) {
            let mut bytes = Vec::new();
            write_text(&mut bytes, &text);
            bytes.truncate((bytes.len() as f64 * cut) as usize);
            prop_assert_eq!(Reader::new(&bytes).text(), None);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..50)) {
            let mut reader = Reader::new(&bytes);
            while reader.nullable().is_some() {}
        }
    }

    #[test]
    fn lengths_are_leb128() {
        let mut bytes = Vec::new();
        write_text(&mut bytes, &"x".repeat(300));
        assert_eq!(bytes[..3], [0xac, 0x02, b'x']);
        assert_eq!(Reader::new(&[0xff; 11]).text(), None);
    }
}
