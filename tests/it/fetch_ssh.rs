//! What the users' own SSH set-ups ask of ccap-fetch: old servers, jump hosts, OpenSSH's configuration, agents.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{
    sshd::{Login, Sshd, me},
    support::{Tool, in_package, tool, until},
};

const OLD: &str = "KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha1\nCiphers 3des-cbc,aes128-cbc\n\
                   MACs hmac-sha1\nHostKeyAlgorithms ssh-rsa\n";

fn device(config: &str) -> Sshd {
    Sshd::with(Login::Forced(&in_package("tests/it/devices/e6000.sh").display().to_string()), config)
}

fn fetch(sshd: &Sshd, host: &str) -> Tool {
    let device = format!("{{\"cmts\":\"CCAP001\",\"host\":\"{host}\",\"port\":{}}}\n", sshd.port);
    tool("ccap-fetch")
        .args(["--user", &me(), "--retries", "0", "--identity"])
        .args([sshd.key()])
        .arg("--known-hosts", sshd.known_hosts())
        .stdin(device)
}

/// A server that offers what a CMTS of 2008 offers: its RSA host key made for it.
fn old_server() -> (Sshd, tempfile::TempDir) {
    let dir = tempfile::TempDir::new().unwrap();
    let key = dir.path().join("rsa");
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f"]).arg(&key).status();
    assert!(made.unwrap().success());
    let sshd = device(&format!("HostKey {}\n{OLD}", key.display()));
    let public = fs::read_to_string(key.with_extension("pub")).unwrap();
    fs::write(sshd.dir().join("host_key.pub"), public).unwrap();
    (sshd, dir)
}

#[test]
fn legacy_algorithms_are_used_after_the_modern_ones_found_nothing() {
    let (sshd, _host_key) = old_server();
    let run = fetch(&sshd, "127.0.0.1").run().clean(0).records();
    let algorithms = &run[0]["algorithms"];
    assert_eq!(run[0]["attempts"], 2);
    assert_eq!((&algorithms["hostkey"], &algorithms["mac"]), (&"ssh-rsa".into(), &"hmac-sha1".into()));
    let once = fetch(&sshd, "127.0.0.1").args(["--algorithms", "legacy"]).run().clean(0).records();
    assert_eq!(once[0]["attempts"], 1);
    let refused = fetch(&sshd, "127.0.0.1").args(["--algorithms", "modern"]).run();
    let refused = refused
        .says(3, &["CCAP001: kex_failed: ", "no common key exchange algorithm", "--algorithms legacy"]);
    assert_eq!(refused.records()[0]["status"], "kex_failed");
}

/// An OpenSSH configuration of a test's own: `ssh` reads the one of the account's home whatever HOME says,
/// so a script of that name in front of it names the file.
fn openssh_config(dir: &Path, config: &str) {
    fs::create_dir_all(dir.join(".ssh")).unwrap();
    fs::create_dir_all(dir.join("bin")).unwrap();
    fs::write(dir.join(".ssh/config"), config).unwrap();
    let script = format!("#!/bin/sh\nexec /usr/bin/ssh -F '{}' \"$@\"\n", dir.join(".ssh/config").display());
    fs::write(dir.join("bin/ssh"), script).unwrap();
    fs::set_permissions(dir.join("bin/ssh"), fs::Permissions::from_mode(0o755)).unwrap();
}

fn path_with(dir: &Path) -> String {
    format!("{}:{}", dir.join("bin").display(), std::env::var("PATH").unwrap())
}

#[test]
fn a_jump_host_is_reached_as_the_openssh_configuration_says() {
    let (jump, target) = (Sshd::start(Login::Free), device(""));
    let home = tempfile::TempDir::new().unwrap();
    let config = format!(
        "Host gate\n HostName 127.0.0.1\n Port {}\n User {}\n IdentityFile {}\n UserKnownHostsFile {}\n",
        jump.port,
        me(),
        jump.key().display(),
        jump.known_hosts().display()
    );
    openssh_config(home.path(), &config);
    let through = |gate: &str| {
        fetch(&target, "127.0.0.1")
            .args(["--jump", gate])
            .env("PATH", path_with(home.path()))
            .dir(home.path())
            .run()
    };
    let records = through("gate").clean(0).records();
    assert_eq!(records[0]["status"], "ok");
    let refused =
        through("no-such-gate.invalid").says(3, &["CCAP001: resolve_failed: jump host no-such-gate.invalid"]);
    assert_eq!(refused.records()[0]["status"], "resolve_failed");
}

#[test]
fn an_alias_of_the_openssh_configuration_gives_address_port_and_account() {
    let target = device("");
    let home = tempfile::TempDir::new().unwrap();
    let config = format!(
        "Host CCAP001\n HostName 127.0.0.1\n Port {}\n User {}\n IdentityFile {}\n",
        target.port,
        me(),
        target.key().display()
    );
    openssh_config(home.path(), &config);
    let run = tool("ccap-fetch")
        .args(["CCAP001"])
        .arg("--known-hosts", target.known_hosts())
        .env("PATH", path_with(home.path()))
        .env("CCAP_PASSWORD", "not needed")
        .dir(home.path())
        .run();
    let records = run.clean(0).records();
    assert_eq!((&records[0]["host"], &records[0]["port"]), (&"127.0.0.1".into(), &target.port.into()));
}

/// An agent that holds one key; it ends with the value.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_agent_is_asked_when_there_is_no_password() {
    let target = device("");
    let socket = target.dir().join("agent");
    let agent =
        Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn().unwrap();
    let _agent = Agent(agent);
    until("the agent", || socket.exists());
    let added =
        Command::new("ssh-add").arg("-q").arg(target.key()).env("SSH_AUTH_SOCK", &socket).status().unwrap();
    assert!(added.success());
    let run = tool("ccap-fetch")
        .args(["--user", &me()])
        .arg("--known-hosts", target.known_hosts())
        .env("SSH_AUTH_SOCK", &socket)
        .stdin(format!("{{\"cmts\":\"CCAP001\",\"host\":\"127.0.0.1\",\"port\":{}}}\n", target.port))
        .run();
    assert_eq!(run.clean(0).records()[0]["status"], "ok");
}
