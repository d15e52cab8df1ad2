//! A second thread for the middle of a long way: what is made on this one goes there in batches, and what becomes of
//! each is taken on this one again, in their order.

use std::{mem, sync::mpsc::sync_channel, thread};

/// Batches that were given and not taken yet: all of them are in memory.
const UNDER_WAY: usize = 4;
/// Items of an iterator that go over at once.
const ITEMS: usize = 256;

/// Hands what `give` gives to `middle`, which runs on the other thread, and what comes of it to `take`.
///
/// # Errors
/// Those of `give` and of `take`; nothing is taken after one.
pub fn through<Batch: Send, Made: Send, E>(
    give: impl FnOnce(&mut dyn FnMut(Batch) -> Result<(), E>) -> Result<(), E>,
    mut middle: impl FnMut(Batch) -> Made + Send,
    mut take: impl FnMut(Made) -> Result<(), E>,
) -> Result<(), E> {
    thread::scope(|scope| {
        let (to, batches) = sync_channel::<Batch>(UNDER_WAY);
        let (from, made) = sync_channel(UNDER_WAY);
        scope.spawn(move || batches.into_iter().try_for_each(|batch| from.send(middle(batch))));
        let mut under_way = 0;
        give(&mut |batch| {
            if under_way == UNDER_WAY {
                made.recv().map_or(Ok(()), &mut take)?;
                under_way -= 1;
            }
            under_way += 1;
            // The other thread ends before this one only by a panic, which the scope passes on.
            let _ = to.send(batch);
            Ok(())
        })?;
        drop(to);
        made.into_iter().try_for_each(take)
    })
}

/// As [`through`], with the items of an iterator.
///
/// # Errors
/// Those of `take`.
pub fn of_items<Item: Send, Made: Send, E>(
    items: impl IntoIterator<Item = Item>,
    middle: impl FnMut(Vec<Item>) -> Made + Send,
    take: impl FnMut(Made) -> Result<(), E>,
) -> Result<(), E> {
    let give = |to: &mut dyn FnMut(Vec<Item>) -> Result<(), E>| {
        let mut batch = Vec::with_capacity(ITEMS);
        for item in items {
            batch.push(item);
            if batch.len() == ITEMS {
                to(mem::replace(&mut batch, Vec::with_capacity(ITEMS)))?;
            }
        }
        to(batch)
    };
    through(give, middle, take)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_comes_back_in_its_order() {
        for count in [0, 1, 255, 256, 257, 5000] {
            let mut taken = Vec::new();
            let doubled = |items: Vec<u32>| items.into_iter().map(|item| 2 * item).collect::<Vec<_>>();
            let done = of_items(0..count, doubled, |items| {
                taken.extend(items);
                Ok::<_, ()>(())
            });
            assert_eq!(done, Ok(()));
            assert!(taken.into_iter().eq((0..count).map(|item| 2 * item)), "{count}");
        }
    }

    #[test]
    fn nothing_is_taken_after_a_fault() {
        let mut taken = 0;
        let refused = of_items(
            0..1_000_000,
            |items| items.len(),
            |_| {
                taken += 1;
                if taken == 3 { Err("full") } else { Ok(()) }
            },
        );
        assert_eq!((refused, taken), (Err("full"), 3));
        let mut taken = 0;
        let broken = through(
            |to| to(1).and(Err("broken")),
            |item: u8| item,
            |_| {
                taken += 1;
                Ok(())
            },
        );
        assert_eq!((broken, taken), (Err("broken"), 0));
    }
}
