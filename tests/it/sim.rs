//! The simulated fleet itself, seen by an independent client: OpenSSH's.

use std::{
    fs,
    io::{ErrorKind, Read},
    net::{TcpStream, ToSocketAddrs},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{
    support::{DEADLINE, Run, drain, records, tool, until, wait},
    support_sim::{Fleet, PASSWORD, USER},
};

/// OpenSSH's client at a device, with what is typed at once.
fn start_ssh(fleet: &Fleet, cmts: &str, options: &[&str], typed: &str) -> Child {
    let (host, port) = fleet.address(cmts);
    let askpass = fleet.dir().join("askpass");
    fs::write(&askpass, format!("#!/bin/sh\necho {PASSWORD}\n")).unwrap();
    fs::set_permissions(&askpass, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("ssh");
    command.args(["-tt", "-F", "none", "-o", "LogLevel=ERROR", "-o", "NumberOfPasswordPrompts=1"]);
    command.args([
        "-o",
        "IdentityAgent=none",
        "-o",
        "PubkeyAuthentication=no",
        "-o",
        "GlobalKnownHostsFile=none",
    ]);
    command.args(["-o", "StrictHostKeyChecking=yes", "-o"]);
    command.arg(format!("UserKnownHostsFile={}", fleet.known_hosts().display()));
    command.args(options).args(["-p", &port.to_string(), &format!("{USER}@{host}")]);
    command.env("SSH_ASKPASS", &askpass).env("SSH_ASKPASS_REQUIRE", "force");
    let input = fleet.dir().join(format!("typed-{cmts}"));
    fs::write(&input, typed).unwrap();
    command.stdin(fs::File::open(&input).unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("ssh starts")
}

/// A whole session, and what came back.
fn ssh(fleet: &Fleet, cmts: &str, options: &[&str], typed: &str) -> Run {
    let mut child = start_ssh(fleet, cmts, options, typed);
    let (out, err) = (drain(child.stdout.take().unwrap()), drain(child.stderr.take().unwrap()));
    let status = wait(&mut child, DEADLINE);
    Run { code: status.code(), signal: None, stdout: out.join().unwrap(), stderr: err.join().unwrap() }
}

fn truth_of(fleet: &Fleet, cmts: &str) -> Vec<Value> {
    let samples: Vec<Value> =
        records(&fleet.truth().join("\n")).into_iter().filter(|s| s["cmts"] == cmts).collect();
    assert!(!samples.is_empty(), "{cmts} shows nothing");
    samples
}

#[test]
fn a_fleet_shows_what_its_history_says_of_the_same_moment() {
    let flags = [
        "--devices",
        "e6000=2,casa=3,cbr8=2",
        "--upstreams",
        "30",
        "--seed",
        "5",
        "--time",
        "2026-05-01T12:03:00Z",
    ];
    let fleet = Fleet::start(&flags);
    let history =
        |length: &str| tool("examples/ccap-sim").args(flags).args(["--history", length]).run().clean(0);
    let past = history("10m").records();
    let mut samples: Vec<String> = Vec::new();
    for record in past.iter().filter(|r| r["type"] == "sample") {
        assert_eq!(record["ts"], "2026-05-01T12:00:00Z");
        samples.push(record.to_string());
    }
    // As values, so that the order of keys does not matter here.
    let mut shown: Vec<String> = records(&fleet.truth().join("\n"))
        .into_iter()
        .map(|mut sample| {
            sample["ts"] = "2026-05-01T12:00:00Z".into();
            sample.to_string()
        })
        .collect();
    samples.sort_unstable();
    shown.sort_unstable();
    assert_eq!(shown, samples);
    assert_eq!(shown.len(), 7 * 30);
    assert_eq!(past.last().unwrap()["type"], "end");
    assert_eq!(past.iter().filter(|r| r["type"] == "scan").count(), 7);

    let two_days = history("2d");
    assert_eq!(two_days.stdout, history("2d").stdout, "the same seed gives the same past");
    let all = two_days.records();
    assert_eq!(all.iter().filter(|r| r["type"] == "scan").count(), 288 * 7);
    assert!(all.iter().any(|r| r["status"] == "connect_timeout"), "a device is silent for a while");
    for modulation in ["QPSK", "QAM16", "QAM64", "OFDMA"] {
        assert!(all.iter().any(|r| r["modulation"] == modulation), "{modulation} occurs");
    }
    assert!(all.iter().all(|r| r["modulation"] != "UNKNOWN"), "unless it is asked for");
    let unknown =
        tool("examples/ccap-sim").args(flags).args(["--history", "10m", "--unknown", "1"]).run().clean(0);
    let unexplained = |r: &&Value| r["modulation"] == "UNKNOWN" && r["profile"] == 901;
    assert!(
        unknown.records().iter().filter(unexplained).count() >= 5,
        "one of every device that prints no modulation"
    );
}

#[test]
fn every_upstream_stands_in_the_tables_and_a_session_is_written_down() {
    let fleet = Fleet::start(&["--devices", "e6000=1,casa=1,cbr8=1", "--upstreams", "40"]);
    let type_in = |cmts, typed: &str| {
        let run = ssh(&fleet, cmts, &[], typed);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
        run.stdout
    };

    let text = type_in("CCAP001", "terminal length 0\nshow interface cable-upstream\nshow nonsense\nexit\n");
    for sample in truth_of(&fleet, "CCAP001") {
        let (name, profile) = (sample["upstream"].as_str().unwrap(), sample["profile"].to_string());
        let row = text.lines().find(|line| line.split_whitespace().next() == Some(name)).expect(name);
        assert!(row.split_whitespace().any(|word| word == profile), "{profile} in {row}");
    }
    assert!(text.contains("Error: unknown command: show nonsense\r\n"), "{text}");

    let text = type_in("CCAP101", "page-off\nshow spectrum hop-history\nshow interface upstream\nlogout\n");
    for sample in truth_of(&fleet, "CCAP101") {
        let (name, profile) = (sample["upstream"].as_str().unwrap(), sample["profile"].to_string());
        // The newest modulation hop comes first.
        let hop = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let hop = hop.into_iter().find(|f| f.first() == Some(&name) && f.get(5) == Some(&"M"));
        match hop {
            Some(fields) => {
                assert_eq!((fields[9], &sample["source"]), (profile.as_str(), &"hop-history".into()))
            }
            None => assert_eq!(sample["source"], "config"),
        }
        let interface = name.rsplit_once('/').unwrap().0;
        assert!(text.contains(&format!("interface upstream {interface}\r\n")));
    }

    let commands: String =
        (0..3).map(|n| format!("show controller c1/0/{n} upstream | i Profile|US\n")).collect();
    let text =
        type_in("CCAP201", &format!("terminal length 0\nshow cable modem summary\n{commands}foo\nexit\n"));
    for sample in truth_of(&fleet, "CCAP201") {
        let (domain, us) = sample["upstream"].as_str().unwrap().rsplit_once('/').unwrap();
        assert!(text.contains(&format!("C{domain}/U{us} ")), "{sample}");
        assert!(text.contains(&format!("Bind to Cable{domain} US{us}\r\n")), "{sample}");
    }
    assert!(text.contains("% Invalid input detected at '^' marker."));

    // The last thing of a session may be written a moment after its client is gone.
    until("the end of three sessions", || {
        fleet.logins().iter().filter(|e| e["event"] == "close").count() == 3
    });
    let of = |event: &str| fleet.logins().iter().filter(|e| e["event"] == event).count();
    assert_eq!((of("open"), of("auth"), of("logout")), (3, 3, 3));
    assert!(!fs::read_to_string(fleet.dir().join("logins.ndjson")).unwrap().contains(PASSWORD));
}

#[test]
fn output_stops_after_a_page_until_paging_is_off() {
    let fleet = Fleet::start(&["--devices", "e6000=1,casa=1,cbr8=1", "--upstreams", "30"]);
    let rows = |text: &str| text.lines().filter(|line| line.contains("scq") && line.contains("tdma")).count();
    let whole =
        ssh(&fleet, "CCAP001", &[], "terminal length 0\nshow interface cable-upstream\nexit\n").stdout;
    let left = ssh(&fleet, "CCAP001", &[], "show interface cable-upstream\nqexit\n").stdout;
    let paged = ssh(&fleet, "CCAP001", &[], "show interface cable-upstream\n  exit\n").stdout;
    assert!(left.contains("--More--") && !whole.contains("--More--"));
    assert_eq!(rows(&paged.replace("--More--\r        \r", "")), rows(&whole));
    assert!(rows(&left) < rows(&whole));
}

#[test]
fn what_is_told_before_login_is_as_the_fault_says() {
    let faults = [
        "CCAP001=refused",
        "CCAP002=black-hole",
        "CCAP003=silent",
        "CCAP004=reject-password",
        "CCAP005=wrong-host-key",
        "CCAP006=kbd-interactive-2",
        "CCAP007=legacy-only",
        "CCAP008=legacy-only:group1",
        "CCAP009=bad-host-name",
    ];
    let mut flags = vec!["--devices", "e6000=9", "--upstreams", "4"];
    flags.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let fleet = Fleet::start(&flags);
    let connect = |cmts: &str| {
        let address = fleet.address(cmts).to_socket_addrs().unwrap().next().unwrap();
        TcpStream::connect_timeout(&address, Duration::from_millis(400))
    };
    assert_eq!(connect("CCAP001").unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(connect("CCAP002").unwrap_err().kind(), ErrorKind::TimedOut);
    let mut silent = connect("CCAP003").unwrap();
    silent.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
    assert_eq!(silent.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    ssh(&fleet, "CCAP004", &[], "exit\n").says(255, &["Permission denied"]);
    ssh(&fleet, "CCAP005", &[], "exit\n").says(255, &["Host key verification failed"]);
    assert_eq!(fleet.address("CCAP009").0, "no-such-host.invalid");

    ssh(&fleet, "CCAP006", &[], "exit\n").says(0, &[]);
    let methods: Vec<Value> =
        fleet.logins().into_iter().filter(|e| e["cmts"] == "CCAP006" && e["event"] == "auth").collect();
    assert_eq!((methods.len(), &methods[0]["method"]), (1, &"keyboard-interactive".into()));

    ssh(&fleet, "CCAP007", &[], "exit\n").says(255, &[]);
    let old = [
        "-o",
        "KexAlgorithms=diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
        "-o",
        "HostKeyAlgorithms=ssh-rsa",
        "-o",
        "Ciphers=aes128-cbc,3des-cbc",
        "-o",
        "MACs=hmac-sha1",
    ];
    ssh(&fleet, "CCAP007", &old, "exit\n").says(0, &[]);
    ssh(&fleet, "CCAP008", &old, "exit\n").says(0, &[]);

    let status =
        |cmts: &str| fleet.expected().into_iter().find(|e| e["cmts"] == cmts).unwrap()["status"].clone();
    assert_eq!(status("CCAP002"), "connect_timeout");
    assert_eq!(status("CCAP009"), "resolve_failed");
    let with_truth = |cmts: &str| fleet.truth().iter().any(|line| line.contains(cmts));
    assert!(with_truth("CCAP006") && !with_truth("CCAP003"));
}

#[test]
fn what_hangs_is_let_go_when_its_client_gives_up() {
    let fleet = Fleet::start(&[
        "--devices",
        "e6000=2",
        "--fault",
        "CCAP001=auth-hang",
        "--fault",
        "CCAP002=hang-mid-output",
    ]);
    for (cmts, last) in [("CCAP001", "auth"), ("CCAP002", "command")] {
        let events = || fleet.logins().into_iter().filter(|e| e["cmts"] == cmts).collect::<Vec<_>>();
        let mut client =
            start_ssh(&fleet, cmts, &[], "terminal length 0\nshow interface cable-upstream\nexit\n");
        until("the last thing before it hangs", || {
            events().iter().any(|e| e["event"] == last && e["command"] != "terminal length 0")
        });
        assert_eq!(client.try_wait().unwrap(), None, "{cmts} hangs");
        client.kill().unwrap();
        client.wait().unwrap();
        until("the end of the session", || events().iter().any(|e| e["event"] == "close"));
        assert!(events().iter().all(|e| e["event"] != "logout"));
    }
}

#[test]
fn what_is_printed_is_as_the_fault_says() {
    let faults = [
        "CCAP001=close-mid-output",
        "CCAP002=reset-mid-output",
        "CCAP003=more-backspaces",
        "CCAP004=ansi",
        "CCAP005=cr-cr-lf",
        "CCAP006=echo-wrap-80",
        "CCAP007=syslog-in-table",
        "CCAP008=prompt-changes",
        "CCAP009=error-for-table",
        "CCAP010=optional-refused",
        "CCAP011=empty-table",
        "CCAP012=banner",
        "CCAP013=drip:20000",
        "CCAP014=prompt-split",
        "CCAP015=setup-refused",
        "CCAP016=same-address",
        "CCAP017=big:600",
        "CCAP201=user-mode:ask",
        "CCAP101=no-hop-history",
    ];
    let mut flags = vec!["--devices", "e6000=18,casa=1,cbr8=1", "--upstreams", "30"];
    flags.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let fleet = Fleet::start(&flags);
    let show = "show interface cable-upstream\nexit\n";
    let text = |cmts: &str, keys: &str| ssh(&fleet, cmts, &[], &format!("terminal length 0\n{keys}")).stdout;

    for cmts in ["CCAP001", "CCAP002"] {
        let run = ssh(&fleet, cmts, &[], &format!("terminal length 0\n{show}"));
        assert_eq!(run.code, Some(255), "{}", run.stdout);
        assert!(run.stdout.contains("S/CG/CH") && !run.stdout.contains("#exit"), "{}", run.stdout);
    }
    assert!(text("CCAP003", "show interface cable-upstream\n    exit\n").contains("--More--\x08\x08\x08"));
    assert!(text("CCAP004", show).contains("\x1b[0;32m"));
    assert!(text("CCAP005", show).contains("\r\r\n"));
    assert!(text("CCAP006", show).lines().any(|line| line.ends_with(&show[..18])), "the echo is cut");
    assert!(text("CCAP007", show).contains("%LINEPROTO-5-UPDOWN"));
    assert!(text("CCAP008", show).contains("CCAP008(diag)#exit"));
    assert!(text("CCAP009", show).contains("Error: unknown command: show interface cable-upstream"));
    let optional = "show running-config verbose | include modulation-profile\nexit\n";
    assert!(text("CCAP010", optional).contains("Error: unknown command: show running"));
    let empty = text("CCAP011", show);
    assert!(empty.contains("S/CG/CH") && !empty.contains("2/scq/"), "{empty}");
    assert!(text("CCAP012", show).contains("> CCAP012#\r\n>"));
    assert!(text("CCAP013", show).contains("CCAP013#exit"));
    assert!(text("CCAP014", show).contains("CCAP014#exit"));
    assert!(text("CCAP015", show).contains("Error: unknown command: terminal length 0"));
    assert_eq!(fleet.address("CCAP016"), fleet.address("CCAP018"));
    assert!(text("CCAP016", show).contains("CCAP018#exit"));
    assert_eq!(truth_of(&fleet, "CCAP017").len(), 600);
    let enabled =
        ssh(&fleet, "CCAP201", &[], &format!("show cable modem summary\nenable\n{PASSWORD}\nexit\n")).stdout;
    assert!(
        enabled.contains("CCAP201>show") && enabled.contains("% Invalid") && enabled.contains("CCAP201#exit")
    );
    assert!(!enabled.contains(PASSWORD), "a password is not echoed");
    let casa = "show spectrum hop-history\nshow spectrum hop-history upstream 1/0.1/0\nlogout\n";
    let casa = ssh(&fleet, "CCAP101", &[], casa).stdout;
    assert!(casa.contains("% Invalid input") && casa.contains("Upstream     Day"));
}

#[test]
fn a_fleet_that_cannot_be_is_refused_in_one_line() {
    let sim = |args: &[&str]| tool("examples/ccap-sim").args(["--dir", "fleet"]).args(args).run();
    sim(&["--devices", "casa=501"]).says(2, &["--devices", "1 to 500"]);
    sim(&["--fault", "CCAP999=refused"]).says(2, &["--fault CCAP999=refused", "no device"]);
    sim(&["--fault", "CCAP001=broken"]).says(2, &["broken", "--list-faults"]);
    sim(&["--fault", "CCAP001=user-mode"]).says(2, &["CCAP001 is a e6000"]);
    tool("examples/ccap-sim").args(["--dir", "/proc/none"]).run().says(1, &["/proc/none"]);
    tool("examples/ccap-sim").args(["--list-faults"]).run().clean(0);
}
