//! Which part of a cluster's keys a key belongs to.

/// How many slots the keys of a cluster are divided into.
pub(super) const SLOTS: u16 = 16384;

/// The slot of a key: CRC16 (XMODEM) of it, or of what stands in its first braces, as the specification of Redis
/// Cluster has it.
pub(super) fn of(key: &[u8]) -> u16 {
    crc16(tag(key)) % SLOTS
}

/// What stands between the first `{` and the next `}`, unless that is nothing; else all.
fn tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|&byte| byte == b'{') else { return key };
    let inner = &key[open + 1..];
    match inner.iter().position(|&byte| byte == b'}') {
        None | Some(0) => key,
        Some(length) => &inner[..length],
    }
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_specification_is_met() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }

    #[test]
    fn slots_are_those_that_redis_tells() {
        // As `CLUSTER KEYSLOT` of Redis 7.0 answered.
        for (key, slot) in [
            ("", 0),
            ("osprofiler_opt:7f4c1a04-3d5e-4a0a-9a3f-0c6d2b1e8f00", 6034),
            ("foo{bar}", 5061),
            ("foo{}{bar}", 8363),
            ("foo{{bar}}zap", 4015),
            ("foo{bar}{zap}", 5061),
            ("{bar", 4015),
        ] {
            assert_eq!(of(key.as_bytes()), slot, "{key}");
        }
    }
}
