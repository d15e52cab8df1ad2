//! Chance that repeats itself: every choice of the simulator is a hash of what it is about, so that a
//! seed makes the same fleet on every machine, and any moment can be asked for without the ones before it.

/// A number that depends on all the parts and looks like nothing else (SplitMix64, chained).
pub fn hash(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |state, &part| {
        let mut z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// One of several, by a hash.
pub fn pick<T: Copy>(from: &[T], hash: u64) -> T {
    from[(hash % from.len() as u64) as usize]
}
