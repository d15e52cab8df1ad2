//! The inner loops of mod-parse: JSON in, the parser of each platform, JSON out. Whole processes beside their
//! peers are in `bench.py`.

use std::fmt::Write;

use divan::{Bencher, counter::BytesCount};
use modtools::{
    platform::{Answer, Platform, ProfileBook, Reading, family},
    record::{self, Record},
};

fn main() {
    divan::main();
}

/// Upstreams of each device.
const UPSTREAMS: usize = 500;

/// Commands and answers of one scan of a device.
fn answers(platform: Platform) -> Vec<(String, String)> {
    let mut text = String::new();
    let answers = match platform {
        Platform::E6000 => {
            text.push_str("US          Cable     Oper  Chan   Freq Low-High   Center  Channel   Mini Mod  Pwr(dBmV/  LBal\n");
            text.push_str("S/CG/CH     Mac  Conn State Type    (MHz.KHz)      Freq(MHz) Width   Slot Prof  1.6 MHz)  Group\n");
            for n in 0..UPSTREAMS {
                let _ = writeln!(
                    text,
                    "2/scq/{n:<5} 127     -    IS atdma  55.600-62.000    58.800   6.400     2  202    -6.0     1073747968"
                );
            }
            let profile =
                "configure cable modulation-profile 202 iuc 10 mod qam64 pre-len 104 docsis-mode atdma\n";
            [
                ("show interface cable-upstream", text),
                ("show running-config verbose | include modulation-profile", profile.repeat(50)),
            ]
        }
        Platform::Casa => {
            let mut config = String::new();
            for n in 0..UPSTREAMS {
                let _ = writeln!(
                    text,
                    "1/{}.{}/0     Mon  11/23/2026  08:15:00 PM  M       0.42       1.90  316   364   fec",
                    n / 8,
                    n % 8
                );
                let _ = writeln!(
                    config,
                    "interface upstream 1/{}.{}\n  frequency 58000000\n  channel-width 6400000\n  logical-channel 0 profile 364\n  no shutdown\n",
                    n / 8,
                    n % 8
                );
            }
            [("show spectrum hop-history", text), ("show interface upstream", config)]
        }
        Platform::Cbr8 => {
            let mut blocks = String::new();
            text.push_str("Interface                   Cable Modem                      Description\n             Total  Reg   Oper  Unreg Offline\n");
            for n in 0..UPSTREAMS {
                let _ = writeln!(text, "C1/0/0/U{n}    120    118   118   0     2       Node {n}");
                let _ = writeln!(
                    blocks,
                    "Controller 1/0/0 upstream {n}  AdminState:UP OpState: UP\n  Bind to Cable1/0/0 US{n}\n  US phy MER(SNR)_estimate for good packets - 36.1230 dB\n  US timing offset adjustment type 0, value 0\n  US throttling off\n  Modulation Profile Group 224"
                );
            }
            [
                ("show cable modem summary", text),
                ("show controller c1/0/0 Upstream | i Profile|Upstream|US|up|UP", blocks),
            ]
        }
        Platform::Snmp => {
            let mut names = String::new();
            for n in 0..UPSTREAMS {
                let index = 843_087_001 + 8 * n;
                let _ =
                    writeln!(names, ".1.3.6.1.2.1.2.2.1.2.{index} = STRING: \"cable-upstream 1/scq/{n}.0\"");
                for column in ["2.2.1.8", "10.127.1.1.2.1.4", "10.127.1.1.2.1.18"] {
                    let _ = writeln!(text, ".1.3.6.1.2.1.{column}.{index} = INTEGER: 1");
                }
            }
            [("", names), ("", text)]
        }
    };
    answers.map(|(command, output)| (command.to_owned(), output)).into()
}

/// The line of a capture.
fn capture(platform: Platform) -> String {
    let commands: Vec<_> = answers(platform)
        .into_iter()
        .map(|(command, output)| {
            serde_json::json!({"command": command, "output": output, "elapsed_ms": 1, "complete": true})
        })
        .collect();
    let commands = serde_json::json!(commands);
    format!(
        r#"{{"v":1,"type":"capture","ts":"2026-11-24T12:00:00Z","cmts":"CCAP001","platform":"{platform}","host":"10.0.0.1","port":22,"status":"ok","commands":{commands}}}"#
    )
}

#[divan::bench(args = Platform::ALL)]
fn json_in(bencher: Bencher<'_, '_>, platform: Platform) {
    let line = capture(platform);
    bencher.counter(BytesCount::new(line.len())).bench(|| record::decode(&line));
}

#[divan::bench(args = Platform::ALL)]
fn text(bencher: Bencher<'_, '_>, platform: Platform) {
    let answers = answers(platform);
    let answers: Vec<_> =
        answers.iter().map(|(command, output)| Answer { command, output, complete: true }).collect();
    let bytes: usize = answers.iter().map(|answer| answer.output.len()).sum();
    let book = ProfileBook::default();
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        let mut reading = Reading { cmts: "CCAP001", book: &book, explain: None };
        family(platform).parse(&answers, &mut reading).upstreams.len()
    });
}

#[divan::bench]
fn json_out(bencher: Bencher<'_, '_>) {
    let line = r#"{"v":1,"type":"sample","ts":"2026-11-24T12:00:00Z","cmts":"CCAP001","upstream":"2/scq/0","modulation":"QAM64","profile":364,"source":"state","explained_by":"device","platform":"e6000","channel_type":"atdma","center_hz":58800000,"width_hz":6400000}"#;
    let Ok(Record::Sample(sample)) = record::decode(line) else { return };
    let mut lines = Vec::with_capacity(1 << 20);
    bencher.counter(BytesCount::new(line.len() * UPSTREAMS)).bench_local(|| {
        lines.clear();
        for _ in 0..UPSTREAMS {
            let _ = record::append(&mut lines, &sample);
        }
        lines.len()
    });
}
