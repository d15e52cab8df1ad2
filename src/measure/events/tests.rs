use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;

use super::*;
use crate::language::Language;

const STEP: i64 = 600;
const HOLD: i64 = 1500;

/// Everything is expected at QAM64, but the nodes by the letter of an upstream's name, and works at given moments.
#[derive(Default)]
struct Known {
    works: Vec<Timestamp>,
    nodes: bool,
}

impl Knows for Known {
    fn expected(&self, _: &str, _: &str) -> Option<Modulation> {
        Some(Modulation::Qam64)
    }

    fn node(&self, _: &str, upstream: &str) -> Option<String> {
        self.nodes.then(|| upstream[..1].to_owned())
    }

    fn is_maintained(&self, _: &str, _: &str, ts: Timestamp) -> bool {
        self.works.contains(&ts)
    }
}

/// Nobody says what to expect.
struct Nothing;

impl Knows for Nothing {
    fn expected(&self, _: &str, _: &str) -> Option<Modulation> {
        None
    }

    fn node(&self, _: &str, _: &str) -> Option<String> {
        None
    }

    fn is_maintained(&self, _: &str, _: &str, _: Timestamp) -> bool {
        false
    }
}

fn of_digit(digit: char) -> Option<Modulation> {
    Modulation::ALL.into_iter().find(|m| m.bits().is_some_and(|bits| char::from(b'0' + bits) == digit))
}

fn at(scan: usize) -> Timestamp {
    Timestamp(1_700_000_000 + STEP * scan as i64)
}

/// The scans of one device: of each upstream a digit of bits per scan, `-` where it is missing.
fn scans<'a>(strips: &'a [(&'a str, String)]) -> Vec<Scan<'a>> {
    let length = strips.iter().map(|(_, strip)| strip.len()).max().unwrap_or(0);
    let held = |number: usize| {
        let at = move |(name, strip): &'a (&'a str, String)| {
            Some((*name, strip.chars().nth(number).and_then(of_digit)?))
        };
        strips.iter().filter_map(at).collect()
    };
    (0..length).map(|n| Scan { cmts: "CCAP001", ts: at(n), upstreams: held(n) }).collect()
}

fn feed(memory: &mut Memory, knows: &dyn Knows, scans: &[Scan<'_>]) -> Vec<Happening> {
    scans.iter().flat_map(|scan| memory.feed(scan, knows, HOLD).unwrap_or_default()).collect()
}

/// What is told of one upstream, as `opened@3 closed@7`, the numbers being those of scans.
fn of_one(strip: &str, knows: &dyn Knows) -> String {
    told(&[("a1", strip.to_owned())], knows)
}

fn told(strips: &[(&str, String)], knows: &dyn Knows) -> String {
    let happened = feed(&mut Memory::default(), knows, &scans(strips));
    let scan = |ts: Timestamp| (ts.0 - at(0).0) / STEP;
    let word = |h: &Happening| {
        let alone = h.event.upstream.is_some();
        let size = if alone { String::new() } else { format!("({})", h.event.upstreams) };
        format!("{}{size}@{}", h.event.what, scan(h.event.ts))
    };
    happened.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn two_scans_down_open_and_three_up_close() {
    let known = Known::default();
    for (strip, events) in [
        ("666666", ""),
        ("664666", ""),
        ("66446666", "opened@3 closed@6"),
        ("6644664666", "opened@3 closed@9"),
        // Up and down is one event, and counts from the second scan below.
        ("6646464646664666", "opened@4 closed@11"),
        ("664664664666", "opened@5 closed@11"),
        // Not read: neither.
        ("664----4666", "opened@7 closed@10"),
        ("6644--6-6-6", "opened@3 closed@10"),
        // Below from the first sample on: it did not fall.
        ("444444", ""),
        ("44444422666", "opened@7 closed@10"),
        ("4466644666", "opened@6 closed@9"),
    ] {
        assert_eq!(of_one(strip, &known), events, "{strip}");
    }
    // In the works nothing is below; what is not back after them fell.
    let works = Known { works: vec![at(2), at(3), at(4)], ..Known::default() };
    assert_eq!(of_one("66444666", &works), "");
    assert_eq!(of_one("664444444", &works), "opened@6");
}

#[test]
fn what_it_held_for_an_hour_is_expected_where_nobody_says_it() {
    assert_eq!(of_one("66666644", &Nothing), "opened@7");
    // A test of half an hour is not a yardstick, and a slow fall has none yet.
    assert_eq!(of_one("444444466644", &Nothing), "");
    assert_eq!(of_one("66644444", &Nothing), "");
}

/// `count` upstreams of a node that all do the same.
fn node<'a>(names: &'a [String], strip: &str) -> Vec<(&'a str, String)> {
    names.iter().map(|name| (name.as_str(), strip.to_owned())).collect()
}

fn names(node: char, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{node}{n:02}")).collect()
}

#[test]
fn a_burst_on_a_node_is_one_event_that_grows_and_closes() {
    let (first, later, others) = (names('a', 6), names('a', 16), names('b', 100));
    let mut strips = node(&first, "66444444444666");
    strips.extend(node(&later[6..], "66666444444666"));
    strips.extend(node(&others, "66666666666666"));
    let nodes = Known { nodes: true, ..Known::default() };
    assert_eq!(told(&strips, &nodes), "opened(6)@3 grew(16)@6 closed(16)@13");
    // Six of 116 are not a tenth of the device: without nodes they are six, and the ten together later.
    let alone = "opened@3 ".repeat(6);
    assert!(told(&strips, &Known::default()).starts_with(&alone));
    // Four of a node are four.
    let few = names('a', 4);
    assert_eq!(told(&node(&few, "6644"), &nodes), "opened@3 opened@3 opened@3 opened@3");
    // Twice the loss is news once; a single scan of it is not.
    assert_eq!(told(&node(&first, "66444424442222"), &nodes), "opened(6)@3 grew(6)@11");
}

#[test]
fn an_event_says_what_fell_and_what_it_lacks() {
    let few = names('a', 5);
    let strips = node(&few, "6644444666");
    let happened = feed(&mut Memory::default(), &Known { nodes: true, ..Known::default() }, &scans(&strips));
    let [opened, closed] = &happened[..] else { panic!("{happened:?}") };
    assert_eq!((opened.event.from, opened.event.to), (Some(Modulation::Qam64), Some(Modulation::Qam16)));
    assert_eq!(opened.event.since, Some(at(2)));
    assert!(opened.down.len() == 5 && opened.down.iter().all(|(_, bits)| *bits == 2));
    assert_eq!((closed.event.from, closed.event.to), (Some(Modulation::Qam16), Some(Modulation::Qam64)));
    assert_eq!((&closed.event.id, closed.event.upstreams), (&opened.event.id, 5));
    let mut event = opened.event.clone();
    (event.lost_mbps, event.modems) = (Some(122.88), Some(431));
    assert_eq!(
        says(&event, chrono_tz::Tz::UTC, Language::En),
        "5 upstreams of a on CCAP001 fell from QAM64 to QAM16 at 2023-11-14 22:33, 122.9 Mbit/s lost, 431 modems."
    );
    assert_eq!(
        says(&closed.event, chrono_tz::Tz::UTC, Language::Nl),
        "5 upstreams van a op CCAP001: voorbij om 2023-11-14 23:43, nu op QAM64, begonnen om 2023-11-14 22:33."
    );
}

#[test]
fn what_is_late_gone_or_forgotten_is_left_out() {
    let known = Known::default();
    let strips = [("a1", "66444".to_owned()), ("a2", "66666".to_owned())];
    let scans = scans(&strips);
    let mut memory = Memory::default();
    assert_eq!(feed(&mut memory, &known, &scans).len(), 1);
    assert!(memory.feed(&scans[2], &known, HOLD).is_none(), "it is older than the last one");
    // The device goes on without the upstream: after a day it is not there any more.
    let later = |hours: i64| Scan {
        cmts: "CCAP001",
        ts: at(4) + hours * 3600,
        upstreams: vec![("a2", Modulation::Qam64)],
    };
    assert_eq!(memory.feed(&later(23), &known, HOLD), Some(vec![]));
    let closed = memory.feed(&later(25), &known, HOLD).expect("newer");
    assert_eq!(closed.iter().map(|h| h.event.what).collect::<Vec<_>>(), [What::Closed]);
    // A device that others outlive by a week.
    let mut memory = Memory::default();
    feed(&mut memory, &known, &scans);
    let other = Scan { cmts: "CCAP002", ..later(6 * 24) };
    memory.feed(&other, &known, HOLD);
    assert!(memory.forget().is_empty());
    memory.feed(&Scan { ts: at(4) + 8 * 86_400, ..other }, &known, HOLD);
    assert_eq!(memory.forget().iter().map(|h| h.event.what).collect::<Vec<_>>(), [What::Closed]);
    assert_eq!(memory.devices.keys().collect::<Vec<_>>(), ["CCAP002"]);
}

#[test]
fn a_run_tells_the_thirty_largest_and_counts_the_rest() {
    let known = Known::default();
    let (all, quiet) = (names('a', 40), names('b', 500));
    let mut strips = node(&all, "664444");
    strips.extend(node(&quiet, "666666"));
    let mut memory = Memory::default();
    let mut happened = feed(&mut memory, &known, &scans(&strips));
    for (number, happening) in happened.iter_mut().enumerate() {
        happening.event.lost_mbps = Some(number as f64);
    }
    let run = memory.tell(happened);
    assert_eq!((run.told.len(), run.more, run.told[29].more), (30, 10, Some(10)));
    assert!(run.told.iter().all(|event| event.lost_mbps >= Some(10.0)));
    let told: BTreeSet<_> = run.told.iter().map(|event| event.id.clone()).collect();
    // All are back: the end of those that were told is told, and no other.
    let back: Vec<_> = (6..9)
        .map(|n| {
            let upstreams = all.iter().map(|name| (name.as_str(), Modulation::Qam64)).collect();
            Scan { cmts: "CCAP001", ts: at(n), upstreams }
        })
        .collect();
    let happened = feed(&mut memory, &known, &back);
    assert_eq!(happened.len(), 40);
    let run = memory.tell(happened);
    assert_eq!(run.told.iter().map(|event| event.id.clone()).collect::<BTreeSet<_>>(), told);
    assert!(run.told.iter().all(|event| event.what == What::Closed && event.more.is_none()));
}

#[test]
fn an_end_for_which_there_is_no_room_waits() {
    let mut memory = Memory::default();
    let event = |id: usize, what: What, is_told: bool| {
        let open = Open { is_told, ..Open::default() };
        let mut happening = open.close(&format!("{id:016}"), "CCAP001", at(id), None);
        happening.event.what = what;
        happening
    };
    let run = memory.tell((0..35).map(|id| event(id, What::Closed, true)).collect());
    assert_eq!((run.told.len(), memory.waiting.len()), (30, 5));
    let mut next = vec![event(40, What::Opened, false), event(40, What::Closed, false)];
    next.extend((50..74).map(|id| event(id, What::Closed, true)));
    let run = memory.tell(next);
    assert_eq!(run.told.len(), 30, "five that waited, 24 ends, one that opened; its end waits");
    assert_eq!(memory.waiting.iter().map(|event| event.what).collect::<Vec<_>>(), [What::Closed]);
    let run = memory.tell(Vec::new());
    assert_eq!(run.told.iter().map(|event| event.what).collect::<Vec<_>>(), [What::Closed]);
    assert_eq!(memory.tell(Vec::new()), Run::default());
}

/// The memory as it comes back from its file.
fn through_a_file(memory: &Memory) -> Memory {
    serde_json::from_str(&serde_json::to_string(memory).expect("JSON")).expect("a memory")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_split_into_runs_tells_the_same_and_each_opening_has_one_end(
        strips in prop::collection::vec("[62465-]{30}", 1..12),
        splits in prop::collection::vec(any::<bool>(), 30),
        nodes in any::<bool>(),
        works in prop::collection::vec(0_usize..30, 0..3),
    ) {
        let knows = Known { nodes, works: works.into_iter().map(at).collect() };
        let names = names('a', strips.len());
        let mut strips: Vec<_> =
            names.iter().map(String::as_str).zip(strips).collect();
        // In the end all are well.
        strips.iter_mut().for_each(|(_, strip)| strip.push_str("6666"));
        let scans = scans(&strips);
        let whole: Vec<_> = feed(&mut Memory::default(), &knows, &scans).into_iter().map(|h| h.event).collect();
        let (mut memory, mut parts, mut run) = (Memory::default(), Vec::new(), Vec::new());
        for (scan, split) in scans.iter().zip(splits.iter().chain(std::iter::repeat(&true))) {
            run.extend(memory.feed(scan, &knows, HOLD).expect("newer"));
            prop_assert!(memory.feed(scan, &knows, HOLD).is_none(), "a scan counts once");
            if *split {
                parts.extend(memory.tell(std::mem::take(&mut run)).told);
                memory = through_a_file(&memory);
            }
        }
        parts.extend(memory.tell(run).told);
        let order = |event: &Event| (event.ts, event.id.clone(), event.what);
        parts.sort_by_key(order);
        let mut sorted = whole.clone();
        sorted.sort_by_key(order);
        prop_assert_eq!(sorted, parts);
        let mut open: HashMap<&str, bool> = HashMap::new();
        for event in &whole {
            let was_open = open.insert(&event.id, event.what != What::Closed);
            let fits = match event.what {
                What::Opened => was_open.is_none(),
                What::Grew | What::Closed => was_open == Some(true),
            };
            prop_assert!(fits, "{:?}", whole);
        }
        prop_assert!(open.values().all(|is_open| !is_open), "{:?}", whole);
        prop_assert!(memory.devices["CCAP001"].open.is_empty());
        let told: BTreeMap<_, _> = whole.iter().map(|e| ((&e.id, e.what, e.ts), ())).collect();
        prop_assert_eq!(told.len(), whole.len(), "nothing is told twice");
    }
}
