//! Tables that people write, out of spreadsheets and editors, by the flags that take them.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use crate::support::tool;

const UPSTREAMS: &str = "\
US          Cable     Oper  Chan   Freq Low-High   Center  Channel   Mini Mod  Pwr(dBmV/  LBal
S/CG/CH     Mac  Conn State Type    (MHz.KHz)      Freq(MHz) Width   Slot Prof  1.6 MHz)  Group
2/scq/0     127     -    IS atdma  55.600-62.000    58.800   6.400     2  999    -6.0     1
";

#[test]
fn the_first_line_of_profiles_counts_whatever_wrote_the_file() {
    let capture = json!({
        "v": 1, "type": "capture", "ts": "2026-05-01T12:00:00Z", "cmts": "CCAP001", "platform": "e6000",
        "host": "h", "port": 22, "status": "ok", "attempts": 1, "elapsed_ms": 1,
        "commands": [{"command": "show interface cable-upstream", "output": UPSTREAMS, "elapsed_ms": 1, "complete": true}],
    });
    let dir = TempDir::new().unwrap();
    let parse = |content: &[u8]| {
        fs::write(dir.path().join("p.csv"), content).unwrap();
        tool("mod-parse").args(["--profiles", "p.csv"]).dir(dir.path()).stdin(format!("{capture}\n")).run()
    };
    for content in [
        "e6000;999;QAM32\r\n",
        "\u{feff}e6000;999;QAM32\r\n",
        "\u{feff}Platform\tnumber\tmodulation\r\nE6000\t999\tq32\r\n",
        "# ours, of 2026; checked\n\"CCAP{001,002}\",999,32-QAM # a, b\n",
    ] {
        let run = parse(content.as_bytes());
        assert!(run.stdout.contains("\"modulation\":\"QAM32\""), "{content:?}: {run:?}");
    }
    for (content, words) in [
        (&b"e6000;99x;QAM32\n"[..], ["p.csv line 1", "invalid profile number"]),
        (b"e6000;999;QAM32\ncasa;7;Z\xfc\n", ["p.csv line 2", "UTF-8"]),
        (b"\xff\xfee\x006\x00", ["p.csv line 1", "UTF-16"]),
        (b"e6000;999;QAM32\ncasa,7,QAM16\n", ["p.csv line 2", "1 cells"]),
    ] {
        parse(content).says(2, &["--profiles", words[0], words[1]]);
    }
}

#[test]
fn maintenance_is_read_from_any_spreadsheet_or_refused_with_the_line() {
    let dir = TempDir::new().unwrap();
    let sample = |minute: u32| {
        format!(
            "{{\"v\":1,\"type\":\"sample\",\"ts\":\"2026-05-01T02:{minute:02}:00Z\",\"cmts\":\"CCAP001\",\
             \"upstream\":\"1/0\",\"modulation\":\"QAM64\"}}\n"
        )
    };
    let samples: String = [0, 10, 20].map(sample).concat();
    let report = |content: &[u8]| {
        fs::write(dir.path().join("m.csv"), content).unwrap();
        let report =
            tool("mod-report").args(["--input", "-", "--tz", "UTC", "--format", "ndjson"]).dir(dir.path());
        report.args(["--maintenance", "m.csv"]).stdin(samples.clone()).run()
    };
    for content in [
        "\u{feff}cmts;from;to\r\nCCAP001;2026-05-01 02:00;2026-05-01 04:00\r\n;;\r\n",
        "\u{feff}cmts,from,to\r\nCCAP001,2026-05-01 02:00,2026-05-01 04:00\r\n",
        "From\tTo\tCMTS\n2026-05-01 02:00\t2026-05-01 04:00\t\"CCAP001\"\n",
        "CCAP001;2026-05-01 02:00;2026-05-01 04:00",
    ] {
        let run = report(content.as_bytes());
        assert!(run.stdout.contains("\"maintenance\":[{\"cmts\":\"CCAP001\""), "{content:?}: {run:?}");
    }
    for (content, words) in [
        (&b"cmts;from;to\nCCAP001;2026-05-01 02:00\n"[..], ["m.csv line 2", "to: "]),
        (b"cmts;from;to\nZ\xfcrich;2026-05-01;2026-05-02\n", ["m.csv line 2", "UTF-8"]),
        (b"cmts;from;to\nCCAP001;2026-05-01;2026-05-02;3\n", ["m.csv line 2", "4 cells under 3 columns"]),
    ] {
        report(content).says(2, &["--maintenance", words[0], words[1]]);
    }
}
