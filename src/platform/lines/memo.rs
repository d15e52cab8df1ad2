//! What lines said. A device prints most of its lines once for each upstream, so what they say is read once.

/// So many lines are remembered.
const PLACES: usize = 128;

/// What lines said, as far as it depends on nothing but their text.
pub(in crate::platform) struct Memo<'a, T>(Vec<Option<(&'a str, T)>>);

impl<'a, T: Copy> Memo<'a, T> {
    /// What a line said when it came before.
    #[inline]
    pub fn get(&self, line: &str) -> Option<T> {
        self.0.get(place(line)).copied().flatten().filter(|&(known, _)| known == line).map(|(_, said)| said)
    }

    /// Remembers a line in place of another.
    pub fn put(&mut self, line: &'a str, said: T) {
        if self.0.is_empty() {
            self.0.resize(PLACES, None);
        }
        self.0[place(line)] = Some((line, said));
    }
}

impl<T> Default for Memo<'_, T> {
    fn default() -> Self {
        Memo(Vec::new())
    }
}

/// By how a line begins and ends, and how long it is. Shorter ones share one place.
#[inline]
fn place(line: &str) -> usize {
    let bytes = line.as_bytes();
    let (Some(&head), Some(&tail)) = (bytes.first_chunk(), bytes.last_chunk()) else { return 0 };
    let mixed = (u64::from_le_bytes(head) ^ u64::from_be_bytes(tail)).wrapping_add(bytes.len() as u64);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - PLACES.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_remembered_until_another_takes_its_place() {
        let mut memo = Memo::default();
        assert_eq!(memo.get(""), None);
        memo.put("no shutdown", 1);
        memo.put("short", 2);
        assert_eq!(
            (memo.get("no shutdown"), memo.get("short"), memo.get("no shutdowm")),
            (Some(1), Some(2), None)
        );
        memo.put("other", 3);
        assert_eq!((memo.get("short"), memo.get("other")), (None, Some(3)));
    }
}
