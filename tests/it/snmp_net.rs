//! ccap-fetch by SNMP against net-snmp's snmpd, and beside net-snmp's own snmpbulkwalk.

use std::fmt::Write;

use crate::{
    snmpd::{AUTH_PASSWORD, COMMUNITY, PRIV_PASSWORD, Snmpd, USERS},
    support::{Tool, tool},
};

const TABLE: &str = ".1.3.6.1.2.1.10.127.1.1.2.1";

fn fetch(snmpd: &Snmpd) -> Tool {
    let (address, port) = (&snmpd.address, snmpd.port);
    tool("ccap-fetch")
        .args(["-i", "-", "--via", "snmp", "--request-timeout", "400ms"])
        .stdin(format!("{{\"cmts\":\"CCAP001\",\"host\":\"{address}\",\"snmp_port\":{port}}}\n"))
}

/// The output of the only command.
fn output(tool: Tool) -> String {
    let run = tool.run().clean(0);
    let capture = &run.records()[0];
    assert_eq!(capture["status"], "ok", "{capture}");
    capture["commands"][0]["output"].as_str().expect("an output").to_owned()
}

#[test]
fn every_value_is_printed_as_snmpbulkwalk_prints_it() {
    let octets = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x} ")).collect::<String>();
    let mut values = vec![
        ("gauge", "4294967295".to_owned()),
        ("integer", "-2147483648".to_owned()),
        ("integer", "0".to_owned()),
        ("counter", "4294967295".to_owned()),
        ("timeticks", "4294967295".to_owned()),
        ("timeticks", "8640000".to_owned()),
        ("ipaddress", "10.127.0.255".to_owned()),
        ("objectid", ".1.3.6.1.4.1.4115.1.9".to_owned()),
        ("string", "cable-upstream 1/scq/160.0".to_owned()),
        ("octet", octets(b"")),
        ("octet", octets(b"one\r\ntwo \"quoted\" \\ \t tabs\n.1.3.6.1 = INTEGER: 4\n")),
        ("octet", octets("Zürich Süd, ligne no 7".as_bytes())),
        ("octet", octets(&[0xff; 40])),
        ("octet", octets(b"ends with a zero\0")),
    ];
    for byte in 0..=255 {
        values.push(("octet", octets(&[b'a', byte, b'z'])));
    }
    let mut table = String::new();
    for (n, (kind, value)) in values.iter().enumerate() {
        let _ = writeln!(table, "{TABLE}.4.{}\t{kind}\t{}", n + 1, value.trim_end());
    }
    let snmpd = Snmpd::start("127.0.0.1", &table);
    for oid in [
        &format!("{TABLE}.4")[1..],
        "1.3.6.1.2.1.1.2",
        "1.3.6.1.2.1.10.127.1.9",
        "1.3.6.1.9",
        "1.3.6.1.2.1.1.2.0",
    ] {
        let command = format!("walk {oid}");
        let ours = output(fetch(&snmpd).env("SNMP_COMMUNITY", COMMUNITY).args(["--command", &command]));
        assert_eq!(ours, snmpd.walk(oid), "{oid}");
    }
}

#[test]
fn a_host_with_an_ipv6_address_answers() {
    let snmpd = Snmpd::start("::1", "");
    let walk = ["--command", "walk 1.3.6.1.2.1.1.1"];
    let ours = output(fetch(&snmpd).env("SNMP_COMMUNITY", COMMUNITY).args(walk));
    assert_eq!(ours, snmpd.walk("1.3.6.1.2.1.1.1"));
}

#[test]
fn every_way_of_signing_and_encrypting_is_understood_and_every_rejection_has_its_reason() {
    let snmpd = Snmpd::start("127.0.0.1", "");
    let by = |(user, auth, privacy): (&str, &str, &str)| {
        let tool = fetch(&snmpd).args(["--command", "walk 1.3.6.1.2.1.1.1", "--retries", "1"]);
        let tool = tool.env("SNMP_USER", user).env("SNMP_AUTH", auth).env("SNMP_PRIV", privacy);
        let tool = if auth == "none" { tool } else { tool.env("SNMP_AUTH_PASSWORD", AUTH_PASSWORD) };
        if privacy == "none" { tool } else { tool.env("SNMP_PRIV_PASSWORD", PRIV_PASSWORD) }
    };
    let described = snmpd.walk("1.3.6.1.2.1.1.1");
    for user in USERS {
        assert_eq!(output(by(user)), described, "{user:?}");
    }
    let rejected = |tool: Tool, status: &str, words: &str| {
        let run = tool.run().says(3, &[&format!("CCAP001: {status}: "), words]);
        assert_eq!(
            (run.stderr.lines().count(), run.records()[0]["commands"].as_array().map(Vec::len)),
            (1, Some(0))
        );
        assert!(!format!("{}{}", run.stdout, run.stderr).contains("s3cret"), "{run:?}");
    };
    rejected(by(("nobody", "SHA", "AES")), "auth_failed", "SNMP_USER");
    rejected(by(("shaaes", "SHA-256", "AES")), "auth_failed", "SNMP_AUTH_PASSWORD, SNMP_AUTH");
    rejected(
        by(("shaaes", "SHA", "AES")).env("SNMP_AUTH_PASSWORD", "another one"),
        "auth_failed",
        "SNMP_AUTH_PASSWORD",
    );
    rejected(by(("clear", "SHA-256", "AES")), "auth_failed", "SNMP_PRIV");
    rejected(by(("blind", "SHA", "none")), "auth_failed", "see nothing");
    // This agent does not answer what it cannot decrypt.
    rejected(by(("shaaes", "SHA", "DES")), "login_timeout", "SNMP_PRIV_PASSWORD");
    rejected(fetch(&snmpd).env("SNMP_COMMUNITY", "another"), "connect_timeout", "the community is wrong");
}
