//! Values of one column in bytes: many with pco, few with what differs from one to the next.

use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};

use nephoscope_disk::fields::Fields;

use super::rows::{absent, is_present};

/// From how many values on pco is worth its header.
const ENOUGH_FOR_PCO: usize = 48;
/// Within 1.5 % of the best, at twice the speed.
const LEVEL: usize = 4;

/// All values are the same.
const SAME: u8 = 1;
const XOR: u8 = 2;
const PCO: u8 = 3;
/// Some are absent: a bit for each tells which are there.
const SPARSE: u8 = 0x80;

/// Appends values, of which some may be absent. Nothing is appended if all are.
pub(super) fn put(out: &mut Vec<u8>, values: &[f64]) {
    let present = values.iter().filter(|value| is_present(**value)).count();
    if present == 0 {
        return;
    }
    let at = out.len();
    out.push(0);
    if present == values.len() {
        out[at] = put_present(out, values);
        return;
    }
    let bits = out.len();
    out.resize(bits + values.len().div_ceil(8), 0);
    for (number, value) in values.iter().enumerate() {
        out[bits + number / 8] |= u8::from(is_present(*value)) << (number % 8);
    }
    let there: Vec<_> = values.iter().copied().filter(|value| is_present(*value)).collect();
    out[at] = put_present(out, &there) | SPARSE;
}

fn put_present(out: &mut Vec<u8>, values: &[f64]) -> u8 {
    let first = values[0].to_bits();
    if values.iter().all(|value| value.to_bits() == first) {
        out.extend(first.to_le_bytes());
        return SAME;
    }
    if values.len() >= ENOUGH_FOR_PCO {
        let config = ChunkConfig::default().with_compression_level(LEVEL);
        if let Ok(compressed) = simple_compress(values, &config)
            && compressed.len() < 8 * values.len()
        {
            out.extend(compressed);
            return PCO;
        }
    }
    let mut before = 0;
    for value in values {
        let different = value.to_bits() ^ before;
        before = value.to_bits();
        // How many of the bytes are not needed, at the top and at the bottom.
        let (top, bottom) = (different.leading_zeros() / 8, different.trailing_zeros() / 8);
        let (top, bottom) = if different == 0 { (8, 0) } else { (top, bottom) };
        let bytes = different.to_le_bytes();
        out.push((top << 4 | bottom) as u8);
        out.extend(&bytes[bottom as usize..8 - top as usize]);
    }
    XOR
}

/// Reads that many values. Nothing if they do not stand there.
pub(super) fn read(bytes: &[u8], count: usize) -> Option<Vec<f64>> {
    let mut input = Fields(bytes);
    let kind = input.byte()?;
    if kind & SPARSE == 0 {
        return read_present(kind, input, count);
    }
    let bits = input.bytes(count.div_ceil(8))?;
    let is_there = |number: usize| bits[number / 8] >> (number % 8) & 1 == 1;
    let present = (0..count).filter(|number| is_there(*number)).count();
    let mut values = read_present(kind & !SPARSE, input, present)?.into_iter();
    (0..count).map(|number| if is_there(number) { values.next() } else { Some(absent()) }).collect()
}

fn read_present(kind: u8, mut input: Fields<'_>, count: usize) -> Option<Vec<f64>> {
    match kind {
        SAME => Some(vec![input.f64()?; count]),
        PCO => simple_decompress(input.0).ok().filter(|values: &Vec<f64>| values.len() == count),
        XOR => {
            let mut before = 0;
            let mut value = |_| {
                let cut = input.byte()?;
                let (top, bottom) = (usize::from(cut >> 4), usize::from(cut & 15));
                let mut bytes = [0; 8];
                let middle = bytes.get_mut(bottom..8usize.checked_sub(top)?)?;
                middle.copy_from_slice(input.bytes(middle.len())?);
                before ^= u64::from_le_bytes(bytes);
                Some(f64::from_bits(before))
            };
            (0..count).map(&mut value).collect()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn values_come_out_as_they_went_in(
            bits in prop::collection::vec(prop_oneof![any::<u64>(), Just(absent().to_bits()), Just(5f64.to_bits())], 0..150),
        ) {
            let values: Vec<_> = bits.iter().map(|bits| f64::from_bits(*bits)).collect();
            let mut out = Vec::new();
            put(&mut out, &values);
            if out.is_empty() {
                prop_assert!(values.iter().all(|value| !is_present(*value)));
            } else {
                let read: Vec<_> = read(&out, values.len()).unwrap().into_iter().map(f64::to_bits).collect();
                prop_assert_eq!(read, bits);
            }
        }

        #[test]
        fn no_bytes_are_a_reason_to_panic(bytes: Vec<u8>, count in 0..100usize) {
            let _values = read(&bytes, count);
        }
    }
}
