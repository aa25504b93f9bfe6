//! Where strings end, found for many bytes at once.

/// How many bytes are looked at together: one bit each in a word.
pub(super) const BLOCK: usize = 64;

/// Which bytes of a block mean something in a string: a quote, a backslash or a control character. Kept from one look to
/// the next: a block holds several strings, and to find the next mark in it takes a few cycles alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    /// The place behind the block; none was looked at while it is 0.
    end: usize,
    /// A bit for each of its bytes, the first one lowest.
    bits: u64,
}

/// What is marked in the rest of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    /// How many bytes there are.
    pub length: usize,
    /// A bit for each byte, the one that was asked for lowest.
    pub bits: u64,
}

impl Marks {
    /// What is marked from `at` on in the block that `at`, a place in the text, is in.
    #[inline]
    pub(super) fn ahead(&mut self, text: &[u8], at: usize) -> Ahead {
        let end = (at / BLOCK + 1) * BLOCK;
        if self.end != end {
            *self = Self { end, bits: bits_of(&text[end - BLOCK..]) };
        }
        Ahead { length: end.min(text.len()) - at, bits: self.bits >> (at % BLOCK) }
    }

    /// The place of the first byte at or behind `at` that means something, or the end of the text.
    #[inline]
    pub(super) fn next(&mut self, text: &[u8], at: usize) -> usize {
        let mut at = at;
        while at < text.len() {
            let Ahead { length, bits } = self.ahead(text, at);
            if bits != 0 {
                return at + bits.trailing_zeros() as usize;
            }
            at += length;
        }
        text.len()
    }
}

/// The bits of a block, of which there may be less than a whole one.
fn bits_of(rest: &[u8]) -> u64 {
    if let Some(block) = rest.first_chunk() {
        return bits(block);
    }
    let mut block = [b'.'; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    bits(&block)
}

fn bits(block: &[u8; BLOCK]) -> u64 {
    let mut flags = [0; BLOCK];
    for (flag, &byte) in flags.iter_mut().zip(block) {
        *flag = u8::from(byte == b'"') | u8::from(byte == b'\\') | u8::from(byte < b' ');
    }
    let (words, _) = flags.as_chunks();
    // Multiplying brings the lowest bits of all eight bytes into the highest byte, in their order.
    let together = |word: &[u8; 8]| u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    words.iter().enumerate().fold(0, |bits, (at, word)| bits | together(word) << (8 * at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_mark_is_found_wherever_it_is(
            text in prop::collection::vec(prop_oneof![9 => any::<u8>(), 1 => Just(b'"'), 1 => Just(b'\\')], 0..200),
            looks in prop::collection::vec(0usize..200, 1..9),
        ) {
            let mut marks = Marks::default();
            for at in looks {
                let at = at.min(text.len());
                let means_something = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
                let expected = text[at..].iter().position(means_something).map_or(text.len(), |ahead| at + ahead);
                prop_assert_eq!(marks.next(&text, at), expected);
            }
        }
    }
}
