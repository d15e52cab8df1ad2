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
