//! The seed layout against a second, straightforward implementation, and what must hold of every report.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use modtools::{modulation::Modulation, record::Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    report::at,
    support::{records, tool},
};

const MORNING: Timestamp = Timestamp(1_746_162_000);
const MIDNIGHT: i64 = 1_746_050_400; // 2025-05-01T00:00+02:00

/// The seed layout has the first three.
const WORDS: [&str; 6] = ["QAM64", "QAM16", "QPSK", "QAM32", "OFDMA", "UNKNOWN"];

#[derive(Debug)]
struct Sample {
    ts: i64,
    cmts: String,
    upstream: String,
    modulation: &'static str,
}

impl Sample {
    fn line(&self) -> String {
        let Sample { ts, cmts, upstream, modulation } = self;
        let ts = Timestamp(*ts);
        format!(
            "{}\n",
            json!({"v": 1, "type": "sample", "ts": ts, "cmts": cmts, "upstream": upstream, "modulation": modulation})
        )
    }
}

/// Some upstreams have so many samples that a share of a half percent is common, and names whose joint order
/// is not that of their parts.
fn random_samples(count: usize) -> Vec<Sample> {
    let mut random = fastrand::Rng::with_seed(20);
    let names = ["CCAP001", "CCAP00", "CCAP112", "CCAP1", "CCAP250", "xCCAP2345", "lab-cmts", "CCAP999"];
    let mut samples = Vec::new();
    for number in 0.. {
        let cmts = names[number % names.len()];
        let upstream = format!("1/scq/{}{}", number / names.len(), ["", "_0"][random.usize(..2)]);
        let length = random.choice([8, 40, 72, 144, 200]).expect("a length");
        let lively = random.u8(1..30);
        let vocabulary = random.choice([3, WORDS.len()]).expect("a size");
        let mut modulation = "QAM64";
        for slot in 0..length {
            if samples.len() == count {
                random.shuffle(&mut samples);
                return samples;
            }
            if random.u8(..100) < lively {
                modulation = WORDS[random.usize(..vocabulary)];
            }
            let ts = MIDNIGHT + slot * (86_400 / length);
            samples.push(Sample { ts, cmts: cmts.into(), upstream: upstream.clone(), modulation });
        }
    }
    samples
}

#[derive(Clone)]
struct Line {
    cmts: String,
    upstream: String,
    hops: u64,
    percents: [i64; 3],
    measurements: u64,
    /// A share of it is a half percent, which is rounded to the even one.
    half: bool,
}

/// Group by joined name, sort by time, count: no more than what the definition says.
fn second_implementation(samples: &[Sample]) -> Vec<Line> {
    let mut groups: BTreeMap<(String, String), BTreeMap<i64, &str>> = BTreeMap::new();
    for sample in samples {
        if ["QAM64", "QAM16", "QPSK"].contains(&sample.modulation) {
            let group = groups.entry((sample.cmts.clone(), sample.upstream.clone())).or_default();
            group.insert(sample.ts, sample.modulation);
        }
    }
    let mut lines: Vec<Line> = groups
        .into_iter()
        .map(|((cmts, upstream), group)| {
            let words: Vec<_> = group.into_values().collect();
            let n = words.len();
            let hops = 1 + words.windows(2).filter(|pair| pair[0] != pair[1]).count() as u64;
            let counts = ["QAM64", "QAM16", "QPSK"].map(|word| words.iter().filter(|w| **w == word).count());
            let percents = counts.map(|count| ((count as f64 / n as f64) * 100.0).round_ties_even() as i64);
            let half = counts.iter().any(|count| (count * 200) % n == 0 && (count * 200 / n) % 2 == 1);
            Line { cmts, upstream, hops, percents, measurements: n as u64, half }
        })
        .collect();
    lines.sort_by_key(|line| {
        (u64::MAX - line.hops, line.cmts.clone(), format!("{}_{}", line.cmts, line.upstream).into_bytes())
    });
    lines
}

fn second_json(lines: &[Line]) -> Value {
    let entries: Vec<_> = lines
        .iter()
        .map(|line| {
            json!({"cmts": line.cmts, "upstream": line.upstream, "hops": line.hops, "qam64_pct": line.percents[0],
                   "qam16_pct": line.percents[1], "qpsk_pct": line.percents[2], "measurements": line.measurements})
        })
        .collect();
    let full: Vec<Value> = entries
        .iter()
        .map(|entry: &Value| {
            let mut entry = entry.clone();
            let cmts = entry["cmts"].as_str().unwrap();
            let family = ["CCAP0", "CCAP1", "CCAP2"].into_iter().find(|name| {
                let after = cmts.split_once(name).and_then(|(_, after)| after.chars().next());
                after.is_some_and(|c| c.is_ascii_digit())
            });
            if let Some(family) = family {
                entry["device_type"] = json!(family);
            }
            entry
        })
        .collect();
    let decimal = |number: f64| (number * 10.0).round_ties_even() / 10.0;
    let types = ["CCAP0", "CCAP1", "CCAP2"].map(|name| {
        let of: Vec<_> = lines
            .iter()
            .filter(|line| {
                let after = line.cmts.split_once(name).and_then(|(_, after)| after.chars().next());
                after.is_some_and(|c| c.is_ascii_digit())
            })
            .collect();
        let mean = |at: usize| decimal(of.iter().map(|l| l.percents[at]).sum::<i64>() as f64 / of.len() as f64);
        json!({"device_type": name, "total_upstreams": of.len(), "total_hops": of.iter().map(|l| l.hops).sum::<u64>(),
               "avg_qam64_pct": mean(0), "avg_qam16_pct": mean(1), "avg_qpsk_pct": mean(2)})
    });
    let total: u64 = lines.iter().map(|line| line.measurements).sum();
    let weighted = |at: usize| {
        let sum: i64 = lines.iter().map(|line| line.percents[at] * line.measurements as i64).sum();
        decimal(sum as f64 / total as f64)
    };
    json!({
        "report_date": "2025-05-01", "total_upstreams": lines.len(),
        "total_hops": lines.iter().map(|line| line.hops).sum::<u64>(),
        "summary": {
            "top_hoppers": entries, "by_device_type": types,
            "modulation_distribution": {"overall_qam64_pct": weighted(0), "overall_qam16_pct": weighted(1),
                                        "overall_qpsk_pct": weighted(2), "total_measurements": total},
        },
        "full_data": full,
    })
}

#[test]
fn the_seed_layout_equals_a_second_implementation_on_20_000_random_samples() {
    let samples = random_samples(20_000);
    let input: String = samples.iter().map(Sample::line).collect();
    let lines = second_implementation(&samples);
    // The sample is worth its name: ties in the order, and shares of a half percent.
    assert!(lines.windows(2).any(|pair| pair[0].hops == pair[1].hops && pair[0].cmts == pair[1].cmts));
    assert!(lines.iter().filter(|line| line.half).count() > 10);

    let run = |format: &str| {
        let args = ["--input", "-", "--date", "2025-05-01", "--tz", "Europe/Amsterdam", "--layout", "seed"];
        tool("mod-report").args(args).arg("--format", format).stdin(input.clone()).run().clean(0).stdout
    };
    let mut csv = String::from("CMTS;upstream;hops;%QAM64;%QAM16;%QPSK;Metingen\n");
    for Line { cmts, upstream, hops, percents: [qam64, qam16, qpsk], measurements, .. } in &lines {
        csv += &format!("{cmts};{upstream};{hops};{qam64};{qam16};{qpsk};{measurements}\n");
    }
    assert_eq!(run("csv"), csv);
    let mut web: Value = serde_json::from_str(&run("json")).expect("json");
    let generated = web.as_object_mut().expect("an object").remove("generated_at").expect("a time");
    assert_eq!(generated.as_str().map(str::len), Some("2025-05-01T12:00:00.000000".len()), "{generated}");
    assert_eq!(web, second_json(&lines));
}

/// Samples around two days on which the clocks change and an ordinary one.
fn samples() -> impl Strategy<Value = (NaiveDate, Vec<Sample>)> {
    let date = proptest::sample::select(vec!["2025-03-30", "2025-05-01", "2025-10-26"]);
    let modulation = proptest::sample::select(Modulation::ALL.to_vec());
    let one = (-4000_i64..4000, 0_u8..3, 0_u8..12, modulation);
    (date, proptest::collection::vec(one, 1..200)).prop_map(|(date, raw)| {
        let date: NaiveDate = date.parse().expect("a date");
        let noon = date.and_hms_opt(11, 0, 0).expect("a time").and_utc().timestamp();
        let sample = |(slot, cmts, upstream, modulation): (i64, u8, u8, Modulation)| Sample {
            ts: noon + slot * 60,
            cmts: format!("CCAP{cmts}01"),
            upstream: format!("1/scq/{upstream}"),
            modulation: modulation.word(),
        };
        let mut samples: Vec<_> = raw.into_iter().map(sample).collect();
        // Two samples of one upstream and moment have no order of their own: the first stands.
        samples.sort_by(|a, b| (a.ts, &a.cmts, &a.upstream).cmp(&(b.ts, &b.cmts, &b.upstream)));
        samples.dedup_by(|a, b| (a.ts, &a.cmts, &a.upstream) == (b.ts, &b.cmts, &b.upstream));
        (date, samples)
    })
}

fn report(date: NaiveDate, samples: &[Sample]) -> Vec<Value> {
    let input: String = samples.iter().map(Sample::line).collect();
    let now = Timestamp(MORNING.0 + 365 * 86_400);
    records(&at(now, None, &["--input", "-", "--date", &date.to_string()], input.as_bytes()).1)
}

fn sum(values: &Value) -> f64 {
    values.as_object().expect("an object").values().filter_map(Value::as_f64).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_full_layout_holds_together((date, samples) in samples(), seed in any::<u64>()) {
        let whole = report(date, &samples);
        let (header, rows) = whole.split_first().expect("a header");
        let number = |row: &Value, field: &str| row[field].as_f64().unwrap_or(f64::NAN);
        let total = |field: &str| rows.iter().map(|row| number(row, field)).sum::<f64>();

        let hours = match date.to_string().as_str() { "2025-03-30" => 23, "2025-10-26" => 25, _ => 24 };
        let length = [&header["from"], &header["to"]].map(|t| t.as_str().and_then(|t| t.parse::<Timestamp>().ok()));
        prop_assert_eq!(length[1].zip(length[0]).map(|(to, from)| to.since(from)), Some(hours * 3600));
        let inside = samples.iter().filter(|s| {
            let local = Timestamp(s.ts).utc().with_timezone(&chrono_tz::Europe::Amsterdam);
            local.date_naive() == date
        });
        prop_assert_eq!(number(header, "measurements"), inside.count() as f64);
        for field in ["hops", "measurements"] {
            prop_assert_eq!(number(header, field), total(field), "{}", field);
        }
        prop_assert_eq!(header["upstreams"].as_u64(), Some(rows.len() as u64));
        prop_assert!((number(header, "coverage_pct") - total("coverage_pct") / rows.len().max(1) as f64).abs() < 0.002);
        for row in rows {
            prop_assert_eq!(sum(&row["counts"]), number(row, "measurements"));
            prop_assert!((sum(&row["share_pct"]) - 100.0).abs() < 0.01);
            prop_assert!(number(row, "hops") <= number(row, "measurements"));
            prop_assert_eq!(row["hours"].as_str().map(str::len), Some(hours as usize));
        }
        let lost = |row: &Value| row["lost_pct"].as_f64().map_or(1, |pct| (-pct * 1000.0).round() as i64);
        let order: Vec<_> = rows.iter().map(lost).collect();
        prop_assert!(order.is_sorted());

        let mut shuffled = samples;
        fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
        prop_assert_eq!(report(date, &shuffled), whole);
    }
}

#[test]
fn half_a_day_each_side_of_noon_add_up_to_the_day() {
    let samples = random_samples(4000);
    let input: String = samples.iter().map(Sample::line).collect();
    let rows = |from: i64, to: i64| {
        let [from, to] =
            [from, to].map(|hours| (Timestamp(MIDNIGHT).utc() + TimeDelta::hours(hours)).to_rfc3339());
        let args = ["--input", "-", "--from", &from, "--to", &to];
        records(&at(MORNING, None, &args, input.as_bytes()).1)
    };
    let sums = |of: Vec<Value>| {
        let mut sums: BTreeMap<(String, String), [u64; 4]> = BTreeMap::new();
        for row in &of[1..] {
            let fields =
                ["measurements", "hops", "hops_down", "observed_s"].map(|f| row[f].as_u64().expect(f));
            sums.insert((row["cmts"].to_string(), row["upstream"].to_string()), fields);
        }
        sums
    };
    let (whole, mut halves) = (sums(rows(0, 24)), sums(rows(0, 12)));
    for (upstream, fields) in sums(rows(12, 24)) {
        let half = halves.entry(upstream).or_default();
        for (sum, field) in half.iter_mut().zip(fields) {
            *sum += field;
        }
    }
    // Each has samples on both sides, so that each half has a row for it.
    assert!(whole.len() > 20 && whole.values().any(|fields| fields[1] > 5));
    assert_eq!(halves, whole);
}
