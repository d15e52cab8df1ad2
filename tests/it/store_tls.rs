//! TLS to a real server whose certificate is for another host name.

use std::path::Path;

use crate::{mailbox::certificates, server::Server, store::two_scans};

#[test]
fn a_certificate_of_another_name_passes_by_its_authority_alone_and_only_when_that_is_asked_for() {
    let server = Server::with_certificate("DNS:db.example.net");
    server.run("CREATE DATABASE access");
    let foreign = tempfile::tempdir().unwrap();
    certificates(foreign.path());
    let store = |ssl: &str, ca: &Path| server.store(&format!("access?ssl={ssl}&ca={}", ca.display()));
    let (ours, theirs) = (server.path("ca.pem"), foreign.path().join("ca.pem"));
    store("verify-ca", &ours).args(["--init"]).stdin(two_scans()).run().clean(0);
    let check = store("verify-ca", &ours).args(["--check"]).run().clean(0);
    assert!(check.stdout.contains("TLS"), "{}", check.stdout);
    // Who signs does not matter to a name that is right, nor a name to a signature that is wrong.
    store("verify-ca", &theirs).args(["--check"]).run().says(1, &["certificate"]);
    store("required", &theirs).args(["--check"]).run().says(1, &["certificate"]);
    let words = ["certificate does not name this host", "ssl=verify-ca&ca=FILE", "subjectAltName"];
    store("required", &ours).args(["--check"]).run().says(1, &words);
}
