//! What a few bytes of a device may become: the cleaned text, its memory and its time are bounded by what came.

use modtools::text::clean;
use proptest::prelude::*;

use crate::{
    sshd::{Login, Sshd, me},
    support::{in_package, tool},
};

/// Pieces of hostile output, each of which may stand in any place.
const PIECES: [&[u8]; 24] = [
    b"\x1b[999C",
    b"\x1b[1024C",
    b"\x1b[99999999999999999999C",
    b"\x1b[C",
    b"\x9b999C",
    b"\xc2\x9b999C",
    b"\x1b[2K",
    b"\x1b[K",
    b"\x1b[999D",
    b"\x1b[5;5H",
    b"\x1b]0;title",
    b"\x07",
    b"\x1b\\",
    b"\x1b",
    b"\x08",
    b"\r",
    b"\n",
    b"\r\n",
    b"\t",
    b"\xff",
    b"x",
    b" --More-- ",
    "\u{20ac}".as_bytes(),
    b"          ",
];

fn bounded(bytes: &[u8]) -> Result<(), TestCaseError> {
    let text = clean(bytes);
    prop_assert!(text.len() <= 4 * bytes.len() + 1024, "{} of {}", text.len(), bytes.len());
    // What was reserved for it is bounded as well.
    prop_assert!(text.capacity() <= 8 * bytes.len() + 4096, "{} of {}", text.capacity(), bytes.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Eight bytes became a thousand blanks, and 8 MB of them 5 GiB.
    #[test]
    fn cleaned_text_is_bounded_by_what_came_in(
        picks in proptest::collection::vec((0..PIECES.len(), 1_usize..40), 0..40),
        junk in proptest::collection::vec(any::<u8>(), 0..200),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes: Vec<u8> = picks.iter().flat_map(|&(piece, times)| PIECES[piece].repeat(times)).collect();
        bytes.extend(junk);
        let cut = cut.index(bytes.len() + 1);
        for part in [&bytes[..cut], &bytes[cut..], &bytes[..]] {
            bounded(part)?;
        }
    }
}

#[test]
fn what_stood_apart_stays_apart_and_a_long_line_stays_whole() {
    let text = clean(&b"a\x1b[999Cx\n".repeat(5000));
    assert!(text.lines().all(|line| line.split_whitespace().eq(["a", "x"])), "words never grow together");
    let line = "ab".repeat(100_000);
    assert_eq!(clean(format!("{line}z\u{8}c\n").as_bytes()), format!("{line}c\n"));
    let table = "1/scq/0\u{1b}[40C64\n";
    assert_eq!(clean(table.as_bytes()), format!("1/scq/0{}64\n", " ".repeat(40)));
}

/// Memory under a limit of the system's, and time: each piece repeated to 2 MiB.
#[test]
fn megabytes_of_one_piece_take_little_memory_and_time() {
    for piece in PIECES.iter().copied().chain([&b"\x1b[999Cx\n"[..], b"ab\x1b[2Kc", b"x\x1b[999D\x1b[999C"]) {
        let run = tool("mod-parse")
            .args(["--raw", "--platform", "e6000", "--cmts", "CCAP001"])
            .under(&["prlimit", "--as=268435456", "--cpu=30"])
            .stdin(piece.repeat((2 << 20) / piece.len()))
            .run();
        assert!(matches!(run.code, Some(0 | 3)), "{piece:?}: {:?} {}", run.code, run.stderr);
    }
}

#[test]
fn max_output_counts_the_cleaned_text_too() {
    let script = in_package("tests/it/devices/wide.sh");
    let sshd = Sshd::start(Login::Forced(&script.display().to_string()));
    let known_hosts = sshd.known_hosts();
    let fetch = |most: &str| {
        tool("ccap-fetch")
            .args(["--user", &me(), "--command", "show it", "--max-output", most, "--identity"])
            .args([sshd.key()])
            .arg("--known-hosts", &known_hosts)
            .stdin(format!("{{\"cmts\":\"CCAP001\",\"host\":\"127.0.0.1\",\"port\":{}}}\n", sshd.port))
            .run()
    };
    let run = fetch("32MiB").clean(0);
    let output = run.records()[0]["commands"][0]["output"].as_str().unwrap().len();
    assert!((3_300_000..10_000_000).contains(&output), "{output} bytes of 3,120,000");
    // All of it comes in, and stands for more.
    let run =
        fetch("3200000").says(3, &["CCAP001: output_too_large: more than 3200000 bytes (--max-output)"]);
    let command = &run.records()[0]["commands"][0];
    assert_eq!(command["complete"], false);
    assert!(command["output"].as_str().unwrap().len() <= 3_200_000);
}
