//! The natural order of names: runs of digits compare as numbers, so `1/scq/2` comes before `1/scq/10`.

use std::cmp::Ordering;

/// Compares two names. Total: names that differ only in leading zeros compare by their bytes.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let (Some(x), Some(y)) = (left.first(), right.first()) {
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            compare_numbers(take_number(&mut left), take_number(&mut right))
        } else {
            (left, right) = (&left[1..], &right[1..]);
            x.cmp(y)
        };
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The leading digits, cut off from what follows.
fn take_number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    *text = rest;
    number
}

/// By value, without a limit to their length.
fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    let significant = |n: &[u8]| n.iter().position(|&d| d != b'0').unwrap_or(n.len());
    let (a, b) = (&a[significant(a)..], &b[significant(b)..]);
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::compare;

    #[test]
    fn numbers_in_names_count() {
        let mut names = ["1/scq/10", "1/scq/2", "10/scq/0", "1/1.1/0", "2/ofd/1", "1/scq/02", "", "1/1.10/0"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(
            names,
            ["", "1/1.1/0", "1/1.10/0", "1/scq/02", "1/scq/2", "1/scq/10", "2/ofd/1", "10/scq/0"]
        );
        assert!(compare(&"9".repeat(300), &format!("1{}", "0".repeat(300))).is_lt());
    }

    proptest! {
        #[test]
        fn it_is_a_total_order(a in "[0-3a/é.]{0,6}", b in "[0-3a/é.]{0,6}", c in "[0-3a/é.]{0,6}") {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            prop_assert_eq!(compare(&a, &b).is_eq(), a == b);
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                prop_assert!(compare(&a, &c).is_le());
            }
        }
    }
}
