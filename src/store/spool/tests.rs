//! What the spool promises, on a real directory.

use super::*;
use crate::record::{self, Record};

const NOW: Timestamp = Timestamp(1_777_636_800);
const AGE: Duration = Duration::from_secs(60);

fn group(cmts: &str, upstreams: &[&str], scanned: bool) -> Group {
    let decode = |kind: &str, more: String| {
        let line = format!(r#"{{"v":1,"type":"{kind}","ts":"2026-05-01T12:00:00Z","cmts":"{cmts}",{more}}}"#);
        record::decode(&line).unwrap_or_else(|_| unreachable!("{line}"))
    };
    let sample = |upstream: &&str| {
        let more = format!(r#""upstream":"{upstream}","modulation":"QAM64","snr_db":36.5,"description":"ü""#);
        let Record::Sample(sample) = decode("sample", more) else { unreachable!("a sample") };
        sample
    };
    let samples = upstreams.iter().map(sample).collect();
    let Record::Scan(scan) = decode("scan", r#""platform":"casa","status":"ok","samples":2"#.into()) else {
        unreachable!("a scan")
    };
    Group { cmts: cmts.into(), ts: NOW, samples, scan: scanned.then_some(scan) }
}

fn open(dir: &Path, size: u64) -> Spool {
    Spool::open(dir, size, AGE).expect("a spool")
}

#[test]
fn what_is_put_is_read_back_oldest_first_by_the_next_run() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path().join("made/as needed");
    let groups = [group("A", &["u1", "u2"], true), group("B", &["u1"], false), group("C", &[], true)];
    let mut spool = open(&dir, 1 << 20);
    spool.put(&groups[1..], NOW + 1).expect("put");
    spool.put(&groups[..1], NOW).expect("put");
    drop(spool);
    let mut spool = open(&dir, 1 << 20);
    let depth = spool.depth();
    assert_eq!((depth.groups, depth.samples, depth.oldest), (3, 3, Some(NOW)));
    let entries: Vec<_> = spool.entries().cloned().collect();
    let read: Vec<_> =
        entries.iter().flat_map(|entry| spool.read(entry).expect("read").expect("there")).collect();
    assert_eq!(read, groups);
    for entry in &entries {
        spool.remove(entry).expect("removed");
        assert_eq!(spool.read(entry).expect("no fault"), None);
    }
    assert!(spool.is_empty() && open(&dir, 1 << 20).is_empty());
}

#[test]
fn a_full_spool_says_so_and_keeps_what_it_has() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut spool = open(dir.path(), 400);
    spool.put(&[group("A", &["u1"], true)], NOW).expect("put");
    let full = spool.put(&[group("B", &["u1"], true)], NOW).expect_err("full").to_string();
    assert!(full.contains("--spool-size") && full.contains("full"), "{full}");
    assert_eq!(open(dir.path(), 400).depth().groups, 1);
}

#[test]
fn what_waited_too_long_is_given_up_and_counted() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut spool = open(dir.path(), 1 << 20);
    for at in 0..=6 {
        spool.put(&[group("A", &["u1"], true)], NOW + 10 * at).expect("put");
    }
    // However late the clock says that it is.
    assert!(!spool.has_expired(NOW + 370 * 86_400));
    spool.put(&[group("B", &["u1"], true)], NOW + 61).expect("put");
    assert!(spool.has_expired(NOW + 61) && !spool.has_expired(NOW + 60));
    let lock = spool.lock().expect("no fault").expect("free");
    let gone = spool.expire(&lock, NOW + 61).expect("expired");
    assert_eq!((gone.groups, gone.oldest), (1, Some(NOW)));
    assert_eq!(open(dir.path(), 1 << 20).depth().oldest, Some(NOW + 10));
}

/// What was spooled before and after a jump of the clock, there and back, has waited for minutes.
#[test]
fn a_clock_that_jumps_gives_nothing_up() {
    const YEAR_S: i64 = 366 * 86_400;
    for jump in [3600, YEAR_S, -3600, -YEAR_S] {
        let dir = tempfile::tempdir().expect("a directory");
        let age = Duration::from_secs(4 * 3600 + 1800);
        let mut spool = Spool::open(dir.path(), 1 << 20, age).expect("a spool");
        for (minute, ahead) in [0, 0, jump, jump, 0, 0].into_iter().enumerate() {
            let now = NOW + 60 * minute as i64 + ahead;
            spool.put(&[group("A", &["u1"], true)], now).expect("put");
            spool.refresh().expect("refreshed");
            let lock = spool.lock().expect("no fault").expect("free");
            assert_eq!(spool.expire(&lock, now).expect("expired"), Depth::default(), "{jump}, {minute}");
        }
        assert_eq!(spool.depth().groups, 6, "{jump}");
    }
}

#[test]
fn only_one_replays_and_other_files_are_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join(".unfinished-x"), "{").expect("written");
    fs::write(dir.path().join("README"), "mine").expect("written");
    let spool = open(dir.path(), 1 << 20);
    assert!(spool.is_empty());
    let lock = spool.lock().expect("no fault");
    assert!(lock.is_some() && spool.lock().expect("no fault").is_none());
    drop(lock);
    assert!(spool.lock().expect("no fault").is_some());
    assert!(dir.path().join("README").exists());
}
