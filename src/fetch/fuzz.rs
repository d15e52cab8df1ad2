//! Properties of what ccap-fetch reads, for any bytes.

use std::time::Duration;

use super::{
    exchange::{Exchange, Step},
    inventory::Reading,
};
use crate::fuzz::bounded;

const SETUP: [&str; 2] = ["terminal length 0", "terminal width 0"];
const COMMANDS: [&str; 3] = ["show interface", "show profile | i x", "exit"];

/// A device that sends these bytes with these pauses makes us type no more than its bytes account for, and no answer
/// is longer than what was cleaned. A byte of two high bits is a pause.
pub fn exchange(bytes: &[u8]) {
    let mut exchange = Exchange::login(Duration::from_secs(60));
    let (mut setup, mut commands, mut typed) = (Some(SETUP), COMMANDS.into_iter(), 0);
    for piece in bytes.split_inclusive(|&byte| byte >= 0xc0) {
        let quiet = Duration::from_millis(piece.last().map_or(0, |&byte| u64::from(byte & 0x3f) * 100));
        let text =
            if piece.last().is_some_and(|&byte| byte >= 0xc0) { &piece[..piece.len() - 1] } else { piece };
        exchange.received(text, Duration::from_millis(20));
        for _ in 0..8 {
            match exchange.step(quiet) {
                Step::Wait(_) => break,
                Step::Type(keys) => typed += keys.len(),
                Step::Stuck(_) => return,
                Step::Done => {
                    bounded("an answer", exchange.answer().len(), 4, bytes);
                    exchange = if let Some([ahead, command]) = setup.take() {
                        exchange.pair(ahead, command)
                    } else {
                        let Some(command) = commands.next() else { return };
                        exchange.command(command)
                    };
                }
            }
        }
        // Looked at whenever a session ends.
        let _ = (exchange.prompt(), exchange.late(), exchange.last_words(), exchange.asked_password());
    }
    assert!(typed <= 64 + 2 * bytes.len(), "{typed} bytes typed");
}

/// Whatever form an inventory has, each device has a name, without separators, and no other device has it.
pub fn inventory(bytes: &[u8]) {
    let Ok(text) = crate::text::encoding::utf8(bytes) else { return };
    let reading = Reading { detect: true, ..Reading::default() };
    let Ok(inventory) = reading.inventory("inventory", text, &[]) else { return };
    let mut names: Vec<_> = inventory.devices.iter().map(|device| device.cmts.as_str()).collect();
    for name in &names {
        assert!(!name.is_empty() && !name.contains([',', ';', '\t', '\n']), "{name:?}");
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a name twice");
}

crate::fuzz::held! {
    exchange: any_device_is_talked_to_within_bounds,
    inventory: any_inventory_is_read_or_refused,
}
