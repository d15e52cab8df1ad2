//! Records as they stand on the wire, read and written.

use super::*;

#[test]
fn a_record_is_one_line_with_the_common_head_and_no_empty_values() -> io::Result<()> {
    let mut line = Vec::new();
    let end = End { ts: Timestamp(1_777_636_800), stage: "ccap-fetch".into(), ok: 2, failed: 0 };
    write(&mut line, &end)?;
    let text = String::from_utf8_lossy(&line).into_owned();
    assert_eq!(
        text,
        "{\"v\":1,\"type\":\"end\",\"ts\":\"2026-05-01T12:00:00Z\",\"stage\":\"ccap-fetch\",\"ok\":2,\"failed\":0}\n"
    );
    assert!(matches!(decode(&text), Ok(Record::End(back)) if back == end));
    Ok(())
}

#[test]
fn a_sample_is_written_as_its_fields_say() -> io::Result<()> {
    let whole = Sample {
        ts: Timestamp(1_777_636_800),
        cmts: "CCAP001",
        upstream: "2/scq/0",
        modulation: Modulation::Qam64,
        profile: Some(364),
        source: Source::HopHistory,
        explained_by: Some(ExplainedBy::BuiltIn),
        platform: Some("casa"),
        channel_type: Some("atdma"),
        center_hz: Some(58_800_000),
        width_hz: Some(6_400_000),
        description: Some("Ring \"A\"\\\u{7} \u{e9}\u{1f}"),
        snr_db: Some(36.125),
        modems: Some(118),
    };
    let bare = Sample {
        profile: None,
        explained_by: None,
        platform: None,
        channel_type: None,
        center_hz: None,
        width_hz: None,
        description: None,
        snr_db: None,
        modems: None,
        ..whole.clone()
    };
    for sample in [whole, bare] {
        let mut line = Vec::new();
        write(&mut line, &sample)?;
        let fields = serde_json::to_string(&sample)?;
        let text = String::from_utf8_lossy(&line).into_owned();
        assert_eq!(text, format!("{{\"v\":1,\"type\":\"sample\",{}\n", &fields[1..]));
    }
    Ok(())
}

#[test]
fn what_is_not_known_is_told_apart_from_what_is_wrong() {
    assert!(matches!(decode(r#"{"v":1,"type":"weather"}"#), Ok(Record::Other(kind)) if kind == "weather"));
    assert!(matches!(decode(r#"{"v":2,"type":"sample"}"#), Ok(Record::Newer(2))));
    for (line, kind) in
        [("nonsense", None), ("{\"v\":1}", None), (r#"{"v":1,"type":"sample","ts":"x"}"#, Some("sample"))]
    {
        let bad = decode(line).expect_err(line);
        assert_eq!(bad.kind.as_deref(), kind, "{line}");
    }
    // Key order and spaces are free.
    let spaced = r#"{ "type": "scan", "cmts": "A", "status": "ok", "ts": "2026-05-01T12:00:00+02:00" }"#;
    assert!(matches!(decode(spaced), Ok(Record::Scan(s)) if s.ts == Timestamp(1_777_629_600)));
}

#[test]
fn the_words_of_a_closed_set_are_those_of_its_json() {
    for status in Status::ALL {
        assert_eq!(Status::from_word(status.word()), Some(status));
        assert_eq!(serde_json::json!(status), status.word());
    }
    assert_eq!(Status::from_word("well"), None);
    assert_eq!(serde_json::json!(Source::HopHistory), "hop-history");
    assert_eq!(Source::ALL.map(Source::word), ["state", "hop-history", "config", "snmp"]);
}
