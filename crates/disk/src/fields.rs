//! The pieces that the records of a store are made of: numbers of variable length, and texts behind their length.

/// Appends a number: seven bits a byte, the lowest first, the highest bit set on all bytes but the last.
pub fn push_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Appends a number that may be negative: its sign in the lowest bit, so that small ones stay short.
pub fn push_signed(out: &mut Vec<u8>, number: i64) {
    push_number(out, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// Appends a text behind its length in bytes.
pub fn push_text(out: &mut Vec<u8>, text: impl AsRef<[u8]>) {
    let text = text.as_ref();
    push_number(out, text.len() as u64);
    out.extend_from_slice(text);
}

/// What is still to be read of a record. Every method gives nothing when the record does not hold it.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// What [`push_number`] appended.
    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// What [`push_signed`] appended.
    pub fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// A number of four bytes, the lowest first.
    pub fn u32(&mut self) -> Option<u32> {
        self.bytes(4).and_then(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)))
    }

    /// A number of eight bytes, the lowest first.
    pub fn u64(&mut self) -> Option<u64> {
        self.bytes(8).and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)))
    }

    /// A double of eight bytes, the lowest first.
    pub fn f64(&mut self) -> Option<f64> {
        self.u64().map(f64::from_bits)
    }

    /// A count of things that take at least so many bytes each: no more than there is room for, whatever is claimed.
    pub fn count(&mut self, bytes_each: usize) -> Option<usize> {
        let count = self.length()?;
        (count.checked_mul(bytes_each)? <= self.0.len()).then_some(count)
    }

    /// A number of bytes.
    pub fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// What a text is made of.
    pub fn text_bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        self.bytes(length)
    }

    /// What [`push_text`] appended.
    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.text_bytes()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_and_texts_come_back(number: u64, signed: i64, text in ".*") {
            let mut out = Vec::new();
            push_number(&mut out, number);
            push_signed(&mut out, signed);
            push_text(&mut out, &text);
            let mut fields = Fields(&out);
            prop_assert_eq!(fields.number(), Some(number));
            prop_assert_eq!(fields.signed(), Some(signed));
            prop_assert_eq!(fields.text(), Some(&*text));
            prop_assert_eq!(fields.byte(), None);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let mut fields = Fields(&bytes);
            let _ = (fields.number(), fields.signed(), fields.text(), fields.bytes(3), fields.byte());
        }
    }
}
