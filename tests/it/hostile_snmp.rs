//! SNMP agents that never stop talking: whatever datagrams come, and however many, a device costs its budget and no more
//! memory than that of one answer.

use std::{
    net::UdpSocket,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use tempfile::TempDir;

use crate::{
    hostile_ssh::{LIMIT, bounded},
    support::{Tool, tool},
};

/// What an agent answers to a request, again and again.
#[derive(Clone, Copy, Debug)]
enum Talk {
    /// The longest datagrams there are.
    Noise,
    Empty,
    /// The request itself.
    Echo,
    /// The request as its own answer, with no value in it.
    Answer,
    /// The same for a request that nobody made.
    Foreign,
    /// The answer cut short behind each byte.
    Cut,
}

/// An agent that answers its first request without end; it ends with the value.
struct Agent {
    port: u16,
    is_over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Agent {
    fn start(talk: Talk) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(std::time::Duration::from_millis(1))).unwrap();
        let (port, is_over) = (socket.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let over = is_over.clone();
        let thread = Some(thread::spawn(move || flood(&socket, talk, &over)));
        Agent { port, is_over, thread }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

fn flood(socket: &UdpSocket, talk: Talk, is_over: &AtomicBool) {
    let (mut request, mut talked) = (vec![0; 65_507], None);
    while !is_over.load(Ordering::Relaxed) {
        // Each request is answered as well; none is waited for once there was one.
        if let Ok((length, peer)) = socket.recv_from(&mut request) {
            let datagrams: Vec<_> = (0..50).map(|n| datagram(talk, &request[..length], n)).collect();
            talked = Some((datagrams, peer));
            socket.set_nonblocking(true).unwrap();
        }
        let Some((datagrams, peer)) = &talked else { continue };
        for datagram in datagrams {
            // Its buffer may be full, or it may be gone.
            let _ = socket.send_to(datagram, peer);
        }
    }
}

fn datagram(talk: Talk, request: &[u8], n: usize) -> Vec<u8> {
    match talk {
        Talk::Noise => (0..65_507).map(|at| (at * 31 + n) as u8).collect(),
        Talk::Empty => Vec::new(),
        Talk::Echo => request.to_vec(),
        Talk::Answer => answer(request, 0),
        Talk::Foreign => answer(request, 1),
        Talk::Cut => answer(request, 0)[..n % request.len()].to_vec(),
    }
}

/// A request of a community made a response: its PDU is a GetResponse, of a request with another number when `other`.
fn answer(request: &[u8], other: u8) -> Vec<u8> {
    let mut answer = request.to_vec();
    // Behind the lengths of the message, its version and its community: the tag, the length, and the number of four bytes.
    if let Some(pdu) = answer.iter().position(|byte| matches!(byte, 0xa0 | 0xa5)) {
        answer[pdu] = 0xa2;
        if let Some(last) = answer.get_mut(pdu + 7) {
            *last ^= other;
        }
    }
    answer
}

fn fetch(port: u16, transcript: &TempDir) -> Tool {
    tool("ccap-fetch")
        .args(["-i", "-", "--via", "snmp", "--request-timeout", "500ms", "--retries", "1"])
        .args(["--device-timeout", "8s"])
        .arg("--transcript", transcript.path())
        .stdin(format!("{{\"cmts\":\"CCAP001\",\"host\":\"127.0.0.1\",\"snmp_port\":{port}}}\n"))
}

#[test]
fn an_agent_that_never_stops_talking_ends_within_its_budget() {
    for talk in [Talk::Noise, Talk::Empty, Talk::Echo, Talk::Answer, Talk::Foreign, Talk::Cut] {
        for user in [false, true] {
            let (agent, transcript) = (Agent::start(talk), TempDir::new().unwrap());
            let tool = fetch(agent.port, &transcript).under(&LIMIT);
            let tool = if user {
                tool.env("SNMP_USER", "ops").env("SNMP_AUTH", "none")
            } else {
                tool.env("SNMP_COMMUNITY", "public")
            };
            let what = format!("{talk:?}, {}", if user { "user" } else { "community" });
            let run = bounded(&what, tool);
            let capture = &run.records()[0];
            let ends = ["connect_timeout", "login_timeout", "read_timeout", "auth_failed", "command_failed"];
            assert!(ends.iter().any(|status| capture["status"] == *status), "{what}: {capture}");
            let written = std::fs::metadata(transcript.path().join("CCAP001.jsonl")).unwrap().len();
            assert!(written < 65 << 20, "{what}: a transcript of {written} bytes");
        }
    }
}
