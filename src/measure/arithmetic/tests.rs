//! Every definition on a case that can be reckoned by hand, and what must hold of all cases.

use proptest::prelude::*;

use super::*;
use crate::measure::{memory::Memory, tally::numbers_of};
use Modulation::{Ofdma, Qam16, Qam32, Qam64, Qam256, Qpsk, Unknown};

/// Midnight; the window of the tests is the day from here.
const DAY: i64 = 1_777_593_600;
const MINUTE: i64 = 60;

fn frame() -> Frame {
    Frame {
        window: Window { from: Timestamp(DAY), to: Timestamp(DAY + 86_400) },
        end: Timestamp(DAY + 86_400),
        hold: 25 * MINUTE,
        expected_days: 90,
        hourly: true,
        before: None,
        step_s: None,
    }
}

fn at_minutes(samples: &[(i64, Modulation)]) -> impl Iterator<Item = (Timestamp, Modulation)> + '_ {
    samples.iter().map(|&(minute, modulation)| (Timestamp(DAY + minute * MINUTE), modulation))
}

/// The numbers of samples at minutes from the begin of the day.
fn numbers(frame: &Frame, samples: &[(i64, Modulation)]) -> Numbers {
    numbers_of(frame, None, &[], at_minutes(samples))
}

/// As [`numbers`], with what the user expects.
fn numbers_told(told: Modulation, samples: &[(i64, Modulation)]) -> Numbers {
    numbers_of(&frame(), Some(told), &[], at_minutes(samples))
}

fn hops(samples: &[(i64, Modulation)]) -> (u32, u32, u32, u32) {
    let n = numbers(&frame(), samples);
    (n.hops, n.hops_down, n.hops_up, n.hops_seed)
}

#[test]
fn hops_are_changes_against_the_last_known_sample() {
    // hops, down, up, seed
    for (case, samples, expected) in [
        ("the first sample alone", &[(0, Qam64)][..], (0, 0, 0, 1)),
        ("down and up", &[(0, Qam64), (10, Qam16), (20, Qam64)], (2, 1, 1, 3)),
        ("against the carried-in sample", &[(-10, Qam64), (0, Qam16)], (1, 1, 0, 1)),
        ("carried in across a gap of hours", &[(-1440, Qam64), (300, Qam16)], (1, 1, 0, 1)),
        ("older than 24 h is not carried in", &[(-1441, Qam64), (0, Qam16)], (0, 0, 0, 1)),
        ("across a gap in the window", &[(0, Qam64), (900, Qpsk)], (1, 1, 0, 2)),
        ("to and from UNKNOWN is none", &[(0, Qam64), (10, Unknown), (20, Qpsk)], (0, 0, 0, 2)),
        ("OFDMA is neither down nor up", &[(0, Qam64), (10, Ofdma), (20, Qpsk)], (2, 0, 0, 2)),
        ("the seed passes over what it does not know", &[(0, Qam64), (10, Qam32), (20, Qam64)], (2, 1, 1, 1)),
        ("the first of one moment stands", &[(0, Qam64), (10, Qam16), (10, Qpsk)], (1, 1, 0, 2)),
        ("after the window", &[(0, Qam64), (1440, Qpsk)], (0, 0, 0, 1)),
    ] {
        assert_eq!(hops(samples), expected, "{case}");
    }
}

#[test]
fn a_sample_holds_until_the_next_and_for_two_and_a_half_intervals_at_most() {
    let observed = |samples: &[(i64, Modulation)]| numbers(&frame(), samples).observed_s();
    assert_eq!(observed(&[(0, Qam64)]), 1500);
    assert_eq!(observed(&[(0, Qam64), (10, Qam16)]), 600 + 1500);
    assert_eq!(observed(&[(0, Qam64), (60, Qam16)]), 1500 + 1500);
    // The carried-in sample holds into the window, the last one not out of it.
    assert_eq!(observed(&[(-10, Qam64), (1435, Qam16)]), 900 + 300);
    let n = numbers(&frame(), &[(-10, Qam64), (60, Qam16), (1435, Qpsk)]);
    assert_eq!((n.time[Qam64.index()], n.time[Qam16.index()], n.time[Qpsk.index()]), (900, 1500, 300));
    assert_eq!(n.coverage_pct(), 100.0 * 2700.0 / 86_400.0);
    assert_eq!((n.measurements(), n.counts[Qam64.index()]), (2, 0));
}

#[test]
fn time_ends_at_now() {
    let noon = Frame { end: Timestamp(DAY + 720 * MINUTE), ..frame() };
    let n = numbers(&noon, &[(700, Qam64), (715, Qam64)]);
    assert_eq!((n.observed_s(), n.elapsed_s), (20 * 60, 43_200));
    assert_eq!(n.hours().as_deref(), Some("-----------6"));
    let half_past = Frame { end: Timestamp(DAY + 90 * MINUTE), ..frame() };
    assert_eq!(numbers(&half_past, &[(60, Qam16)]).hours().as_deref(), Some("-4"));
    let tomorrow = Frame { end: Timestamp(DAY - 1), ..frame() };
    let n = numbers(&tomorrow, &[(60, Qam16)]);
    assert_eq!((n.measurements(), n.observed_s(), n.coverage_pct(), n.hours()), (1, 0, 0.0, None));
}

#[test]
fn the_strip_tells_the_lowest_held_in_each_hour() {
    let hourly =
        [(-10, Qpsk), (10, Qam64), (59, Qam16), (65, Qam64), (125, Ofdma), (185, Unknown), (300, Qam256)];
    let strip = numbers(&frame(), &hourly).hours().expect("a day");
    assert_eq!(strip, "24O?-8".to_owned() + &"-".repeat(18));
    // UNKNOWN is told only where nothing else is.
    assert!(numbers(&frame(), &[(0, Unknown), (10, Ofdma)]).hours().expect("a day").starts_with("O-"));
    assert!(numbers(&frame(), &[(185, Unknown)]).hours().expect("a day").starts_with("---?-"));
    let long = Window { from: Timestamp(DAY), to: Timestamp(DAY + 90_000) };
    let october =
        Span { window: long, end: long.to, hold: 25 * MINUTE, carry: CARRY_S, hourly: true, step_s: None };
    assert_eq!(Upstream::new(&october).finish(&october).0.hours.len(), 25);
    let week = Frame { hourly: false, ..frame() };
    assert_eq!(numbers(&week, &[(0, Qam64)]).hours(), None);
}

#[test]
fn flapping_is_six_changes_in_twenty_samples() {
    let at = |changes: &[usize]| {
        let mut modulation = Qam64;
        let samples: Vec<_> = (0..60)
            .map(|n| {
                if changes.contains(&n) {
                    modulation = if modulation == Qam64 { Qam16 } else { Qam64 };
                }
                (n as i64 * 10, modulation)
            })
            .collect();
        numbers(&frame(), &samples).flapping
    };
    assert!(at(&[20, 23, 27, 31, 35, 39]));
    assert!(!at(&[20, 23, 27, 31, 35, 40]));
    assert!(!at(&[1, 2, 3, 4, 5]));
    assert!(at(&[1, 2, 3, 4, 5, 6]));
}

#[test]
fn expected_is_the_best_held_for_a_hundredth_of_the_window_or_a_tenth_of_a_day_before() {
    let expected = |samples: &[(i64, Modulation)]| numbers(&frame(), samples).expected;
    assert_eq!(expected(&[(0, Qam16), (10, Qam64), (20, Qam16)]), Some(Qam64));
    // Of the window: 10 minutes of QAM256 against 99 times as much, and against a little more.
    let window = |minutes: i64| {
        let mut samples = vec![(0, Qam256)];
        samples.extend((1..=minutes / 10).map(|n| (n * 10, Qam64)));
        samples
    };
    assert_eq!(expected(&window(970)), Some(Qam256));
    assert_eq!(expected(&window(980)), Some(Qam64));
    // Of a day before it: ten minutes of QAM256 are a tenth of a hundred, and no yardstick in a longer day.
    let before = |days: i64, others: i64| {
        let begin = -days * 1440;
        let mut samples = vec![(begin, Qam256)];
        samples.extend((1..=others).map(|n| (begin + n * 10, Qam64)));
        samples.extend([(begin + others * 10 + 10, Unknown), (0, Qam16)]);
        samples
    };
    assert_eq!(expected(&before(1, 6)), Some(Qam256));
    assert_eq!(expected(&before(1, 8)), Some(Qam64));
    assert_eq!(expected(&before(90, 6)), Some(Qam256));
    assert_eq!(expected(&before(91, 6)), Some(Qam16));
    assert_eq!(expected(&[(0, Ofdma), (10, Unknown)]), None);
    assert_eq!(numbers_told(Qam32, &[(0, Qam64)]).expected, Some(Qam32));
}

#[test]
fn a_stretch_below_goes_on_across_days_and_ends_with_what_was_not_observed() {
    let since = |samples: &[(i64, Modulation)]| {
        numbers_told(Qam64, samples).since.map(|since| (since.0 - DAY) / MINUTE)
    };
    assert_eq!(since(&[(-30, Qam64), (-20, Qam16), (0, Qpsk), (10, Qam16)]), Some(-20));
    assert_eq!(since(&[(-20, Qam16), (0, Qam64)]), None);
    assert_eq!(since(&[(-20, Qam16), (0, Unknown), (10, Qam16)]), Some(10));
    // A sample holds for 25 minutes, and as much may be missing.
    assert_eq!(since(&[(-40, Qam16), (10, Qam16)]), Some(-40));
    assert_eq!(since(&[(-41, Qam16), (10, Qam16)]), Some(10));
    // Days on end.
    let days: Vec<_> = (-8 * 144..30).map(|n| (n * 10, if n < -1000 { Qam64 } else { Qam16 })).collect();
    assert_eq!(since(&days), Some(-10_000));
}

#[test]
fn a_window_of_days_carries_in_across_its_first_one() {
    let long = Window { from: Timestamp(DAY), to: Timestamp(DAY + 3 * 86_400) };
    let days = Frame { window: long, end: long.to, hourly: false, ..frame() };
    let hops = |samples: &[(i64, Modulation)]| numbers_of(&days, None, &[], at_minutes(samples)).hops_down;
    assert_eq!(hops(&[(-1400, Qam64), (1500, Qpsk)]), 1);
    assert_eq!(hops(&[(-1441, Qam64), (1500, Qpsk)]), 0);
    assert_eq!(hops(&[(10, Qam64), (3000, Qpsk), (3010, Qpsk)]), 1);
}

#[test]
fn chronic_days_are_those_of_fourteen_that_were_below_for_half_of_their_time() {
    let chronic = |low: &dyn Fn(i64, i64) -> bool| {
        let samples: Vec<_> = (-20 * 144_i64..144)
            .map(|n| (n * 10, if low(n.div_euclid(144), n.rem_euclid(144)) { Qam16 } else { Qam64 }))
            .collect();
        numbers_told(Qam64, &samples).chronic_days
    };
    assert_eq!(chronic(&|_, _| true), 14);
    assert_eq!(chronic(&|day, _| day == 0), 1);
    assert_eq!(chronic(&|day, _| day >= -6), 7);
    assert_eq!(chronic(&|_, step| step < 72), 14);
    assert_eq!(chronic(&|_, step| step < 71), 0);
    assert_eq!(chronic(&|day, _| day < -13), 0);
}

#[test]
fn what_is_below_the_expected_is_degraded_and_lost() {
    // 10 min QAM64, 10 min QPSK, 10 min QAM16, 25 min QAM64, a gap, 10 min QPSK, 25 min UNKNOWN.
    let samples = [(0, Qam64), (10, Qpsk), (20, Qam16), (30, Qam64), (100, Qpsk), (110, Unknown)];
    let n = numbers_told(Qam64, &samples);
    assert_eq!((n.degraded_s, n.longest_degraded_s, n.worst()), (1800, 1200, Some(Qpsk)));
    let (bits_lost, with_bits) =
        (600.0 * 4.0 + 600.0 * 2.0 + 600.0 * 4.0, 600.0 + 600.0 + 600.0 + 1500.0 + 600.0);
    let close = |a: Option<f64>, b: f64| assert!((a.expect("known") - b).abs() < 1e-9, "{a:?} {b}");
    close(n.lost_pct(), 100.0 * bits_lost / (with_bits * 6.0));
    // 6.4 MHz carry 5.12 million symbols a second.
    close(n.lost_mbps(6_400_000), 5.12 * bits_lost / with_bits);
    close(n.lost_gb(6_400_000), 5.12e6 * bits_lost / 8e9);
    // More than expected makes nothing good.
    let n = numbers_told(Qam16, &[(0, Qam256), (10, Qpsk)]);
    close(n.lost_pct(), 100.0 * (1500.0 * 2.0) / (2100.0 * 4.0));
    // Nothing to compare with: nothing is said.
    let n = numbers(&frame(), &[(0, Ofdma)]);
    assert_eq!((n.lost_pct(), n.lost_mbps(1), n.worst(), n.degraded_s), (None, None, None, 0));
}

#[test]
fn a_stretch_is_broken_by_what_was_not_observed() {
    let longest = |samples: &[(i64, Modulation)]| numbers_told(Qam64, samples).longest_degraded_s;
    assert_eq!(longest(&[(0, Qpsk), (10, Qam16), (20, Qam64)]), 1200);
    assert_eq!(longest(&[(0, Qpsk), (25, Qam16)]), 3000);
    assert_eq!(longest(&[(0, Qpsk), (26, Qam16)]), 1500);
    assert_eq!(longest(&[(0, Qpsk), (10, Unknown), (20, Qpsk)]), 1500);
    assert_eq!(longest(&[(-20, Qpsk), (0, Qpsk)]), 1500);
}

fn history() -> impl Strategy<Value = Vec<(i64, Modulation)>> {
    // Steps of 100 s; short gaps and long ones (none that a carried-in sample cannot bridge), moments twice.
    let step = prop_oneof![4 => 0_i64..30, 1 => 0_i64..430];
    let modulation = proptest::sample::select(Modulation::ALL.to_vec());
    proptest::collection::vec((step, modulation), 0..120).prop_map(|steps| {
        let mut at = DAY - 86_400;
        steps
            .into_iter()
            .map(|(step, m)| {
                at += step * 100;
                (at, m)
            })
            .collect()
    })
}

fn between(samples: &[(i64, Modulation)], from: i64, to: i64) -> Numbers {
    let window = Window { from: Timestamp(from), to: Timestamp(to) };
    let frame = Frame { window, end: window.to, hourly: false, ..frame() };
    numbers_of(&frame, None, &[], samples.iter().map(|&(ts, modulation)| (Timestamp(ts), modulation)))
}

/// What a span of time comes to by itself.
fn day_of(samples: &[(i64, Modulation)], from: i64, to: i64) -> Day {
    let window = Window { from: Timestamp(from), to: Timestamp(to) };
    let span =
        Span { window, end: window.to, hold: 25 * MINUTE, carry: CARRY_S, hourly: false, step_s: None };
    let mut upstream = Upstream::new(&span);
    for &(ts, modulation) in samples {
        upstream.feed(&span, Timestamp(ts), modulation);
    }
    upstream.finish(&span).0
}

/// As [`history`], with gaps of days.
fn sparse_history() -> impl Strategy<Value = Vec<(i64, Modulation)>> {
    let step = prop_oneof![8 => 0_i64..30, 1 => 0_i64..430, 1 => 0_i64..1500];
    let modulation = proptest::sample::select(vec![Qpsk, Qam16, Qam64, Ofdma, Unknown]);
    proptest::collection::vec((step, modulation), 0..200).prop_map(|steps| {
        let mut at = DAY - 86_400;
        let sample = |(step, m): (i64, Modulation)| {
            at += step * 100;
            (at, m)
        };
        steps.into_iter().map(sample).collect()
    })
}

proptest! {
    #[test]
    fn parts_put_together_are_the_whole(samples in sparse_history(), cuts in [0_i64..259_200, 0..259_200]) {
        let (from, to) = (DAY, DAY + 259_200);
        // What is carried in is another matter: a part does not know what the whole may still carry in.
        let samples: Vec<_> = samples.into_iter().filter(|&(ts, _)| ts >= from).collect();
        let [a, b] = [DAY + cuts[0].min(cuts[1]), DAY + cuts[0].max(cuts[1])];
        let whole = day_of(&samples, from, to);
        let mut sum = day_of(&samples, from, a);
        let (mut by_parts, mut at_once) = (Memory::default(), Memory::default());
        by_parts.follow(&sum, 25 * MINUTE);
        for (from, to) in [(a, b), (b, to)] {
            let part = day_of(&samples, from, to);
            by_parts.follow(&part, 25 * MINUTE);
            sum.append(part, from, to - from);
        }
        at_once.follow(&whole, 25 * MINUTE);
        prop_assert_eq!(by_parts, at_once);
        // What is asked of a part only: how it begins, and what belongs to its own end.
        (sum.lead_s, sum.below_from) = (whole.lead_s, whole.below_from);
        prop_assert_eq!(sum, whole);
    }

    #[test]
    fn halves_with_their_carry_in_add_up_to_the_whole(samples in history(), cut in 0_i64..=86_400) {
        let whole = between(&samples, DAY, DAY + 86_400);
        let halves = [between(&samples, DAY, DAY + cut), between(&samples, DAY + cut, DAY + 86_400)];
        let sum = |of: fn(&Numbers) -> u64| halves.iter().map(of).sum::<u64>();
        prop_assert_eq!(sum(|n| n.measurements()), whole.measurements());
        prop_assert_eq!(sum(|n| n.observed_s()), whole.observed_s());
        prop_assert_eq!(sum(|n| n.hops.into()), u64::from(whole.hops));
        prop_assert_eq!(sum(|n| n.hops_down.into()), u64::from(whole.hops_down));
        prop_assert_eq!(sum(|n| n.hops_up.into()), u64::from(whole.hops_up));
        for m in Modulation::ALL {
            prop_assert_eq!(halves[0].counts[m.index()] + halves[1].counts[m.index()], whole.counts[m.index()]);
            prop_assert_eq!(halves[0].time[m.index()] + halves[1].time[m.index()], whole.time[m.index()]);
        }
    }

    #[test]
    fn numbers_keep_within_their_bounds(samples in history()) {
        let n = numbers_of_day(&samples);
        let distinct: std::collections::BTreeSet<_> =
            samples.iter().map(|s| s.0).filter(|ts| (DAY..DAY + 86_400).contains(ts)).collect();
        prop_assert_eq!(n.measurements(), distinct.len() as u64);
        prop_assert!(u64::from(n.hops) <= n.measurements());
        prop_assert!(u64::from(n.hops_seed) <= n.measurements());
        prop_assert!(n.hops_down + n.hops_up <= n.hops);
        prop_assert!(n.observed_s() <= n.elapsed_s);
        prop_assert!(n.longest_degraded_s <= n.degraded_s && n.degraded_s <= n.observed_s());
        prop_assert!(n.lost_pct().is_none_or(|pct| (0.0..=100.0).contains(&pct)));
        prop_assert_eq!(n.hours().map(|h| h.len()), Some(24));
        let in_strip = n.hours().expect("a day").bytes().any(|b| b != b'-');
        prop_assert_eq!(in_strip, n.observed_s() > 0);
    }
}

fn numbers_of_day(samples: &[(i64, Modulation)]) -> Numbers {
    let samples = samples.iter().map(|&(ts, modulation)| (Timestamp(ts), modulation));
    numbers_of(&frame(), None, &[], samples)
}

#[test]
fn a_step_shows_what_is_held_in_its_middle() {
    let frame = Frame { step_s: Some(600), end: Timestamp(DAY + 3600), ..frame() };
    let steps = |samples: &[(i64, Modulation)]| {
        let numbers = numbers(&frame, samples);
        modulations(&numbers.steps)
            .map(|held| held.map_or('-', |m| char::from(b'a' + m as u8)))
            .collect::<String>()
    };
    // A scan a little late or early moves no stretch: each sample is one step long.
    assert_eq!(steps(&[(0, Qam64), (11, Qpsk), (19, Qam64), (30, Qam64)]), "eaeee-");
    assert_eq!(steps(&[(5, Qam64), (15, Qpsk), (25, Qam64)]), "eaeee-");
    assert_eq!(steps(&[(-10, Qam16), (10, Ofdma)]), "chh---");
    assert_eq!(steps(&[]), "------");
    assert_eq!(numbers(&self::frame(), &[(0, Qam64)]).steps.len(), 0);
}

#[test]
fn delta_is_against_the_day_before_by_todays_yardstick() {
    let before = Window { from: Timestamp(DAY - 86_400), to: Timestamp(DAY) };
    let frame = Frame { before: Some(before), ..frame() };
    let yesterday = |minute: i64| minute - 1440;
    let samples = [
        (yesterday(-10), Qpsk),
        (yesterday(0), Qam64),
        (yesterday(20), Qam16),
        (yesterday(40), Unknown),
        (0, Qam64),
        (20, Qpsk),
    ];
    let n = numbers(&frame, &samples);
    // From UNKNOWN is none; yesterday it went from QPSK to QAM64 to QAM16.
    assert_eq!((n.hops, n.before.expect("known").hops), (1, 2));
    // Lost: today 25 of 45 minutes at QPSK; yesterday 20 of 40 minutes at QAM16.
    let lost = 100.0 * (25.0 * 4.0 / 45.0 - 20.0 * 2.0 / 40.0) / 6.0;
    let (hops, pct) = n.delta().expect("a day before");
    assert!(hops == -1 && (pct.expect("bits on both") - lost).abs() < 1e-9, "{hops} {pct:?}");
    assert_eq!(numbers(&frame, &samples[4..]).delta(), None);
    assert_eq!(numbers(&super::tests::frame(), &samples).delta(), None);
    // Of an unfinished day, against as much of the day before.
    let early = Window { to: Timestamp(DAY - 86_400 + 30 * MINUTE), ..before };
    let half = Frame { before: Some(early), end: Timestamp(DAY + 30 * MINUTE), ..frame };
    let n = numbers(&half, &samples);
    assert_eq!(
        (n.delta().map(|(hops, _)| hops), n.before.map(|b| b.time.iter().sum::<u32>())),
        (Some(-1), Some(1800))
    );
}

#[test]
fn maintenance_is_observed_but_nothing_is_lost_in_it() {
    let at = |minute: i64| Timestamp(DAY + minute * MINUTE);
    let windows = [Window { from: at(15), to: at(25) }, Window { from: at(30), to: at(35) }];
    let of = |windows: &[Window]| {
        let samples = [(0, Qam64), (10, Qpsk), (20, Qpsk), (30, Qpsk)];
        numbers_of(&frame(), Some(Qam64), windows, at_minutes(&samples))
    };
    let (plain, n) = (of(&[]), of(&windows));
    assert_eq!((plain.degraded_s, plain.longest_degraded_s), (45 * 60, 45 * 60));
    assert_eq!((n.maintenance_s(), n.degraded_s, n.longest_degraded_s), (15 * 60, 30 * 60, 20 * 60));
    assert_eq!((n.observed_s(), n.hops), (plain.observed_s(), plain.hops));
    let lost = 100.0 * 30.0 * 4.0 / (40.0 * 6.0);
    assert!((n.lost_pct().expect("bits") - lost).abs() < 1e-9, "{:?}", n.lost_pct());
    let all = of(&[Window { from: at(-100), to: at(10_000) }]);
    assert_eq!((all.degraded_s, all.lost_pct(), all.maintenance_s()), (0, None, all.observed_s()));
}
