//! Casa C100G: the modulation of a channel that ever hopped stands in the hop history, newest first;
//! that of one that never did, only in the configuration.

use std::{cmp::Reverse, fmt::Write};

use chrono::Duration;
use modtools::{
    modulation::Modulation,
    record::{ExplainedBy, Source},
};

use crate::{
    chance::hash,
    fault::Kind,
    fleet::{Class, Device, Upstream},
    personality::{Need, Now, Personality, Reply},
    profiles::a_short,
    state::{MEMORY, Shown, Weather},
    time::{Moment, SLOT_S, Slot, start_of},
};

/// The Casa.
pub struct Casa;

impl Personality for Casa {
    fn digit(&self) -> char {
        '1'
    }

    fn software(&self) -> &'static str {
        "SSH-2.0-OpenSSH_6.6.1"
    }

    fn well_known(&self) -> [u32; 3] {
        [300, 316, 364]
    }

    fn reply(&self, device: &Device, moment: Moment, _privileged: bool, command: &str) -> Option<Reply> {
        reply(device, moment, &command.to_ascii_lowercase())
    }

    fn shown<'a>(&self, device: &'a Device, upstream: &'a Upstream, now: Now) -> Option<Shown<'a>> {
        if device.has(Kind::OptionalRefused) {
            return shown_by_history(device, upstream, now.modulation, now.weather);
        }
        Some(shown(device, upstream, now.modulation, now.weather))
    }

    fn upstream_name(&self, _device: &Device, k: usize, _of: usize, _class: Class) -> String {
        upstream_name(k)
    }

    /// Logical channels share the frequency of their interface, and may have a width of their own.
    fn carrier(&self, k: usize) -> (usize, bool) {
        let (interface, logical) = place(k);
        (interface, logical > 0)
    }

    fn suits(&self, kind: Kind) -> bool {
        kind != Kind::UserMode
    }

    fn prompt(&self, device: &Device) -> String {
        format!("{}-C100G#", device.name)
    }

    fn pager(&self) -> &'static str {
        ":"
    }

    fn greeting(&self, _device: &Device) -> String {
        "\nCASA-C100G\n\nLast login: from 127.0.0.1 on ssh\n".to_owned()
    }
}

/// The answer to a command, in lower case.
fn reply(device: &Device, moment: Moment, command: &str) -> Option<Reply> {
    let refused = device.has(Kind::SetupRefused);
    let whole_refused = device.has(Kind::NoHopHistory);
    let one = command.strip_prefix("show spectrum hop-history upstream ");
    Some(match command {
        "page-off" if !refused => Reply::PagingOff,
        "page off" if refused => Reply::PagingOff,
        "exit" | "logout" | "quit" => Reply::Logout,
        "show version" => {
            Reply::Text("Casa Systems, Inc.\nProduct: CASA-C100G\nRunning Image: Rel 8.3.3\n".into())
        }
        "show spectrum hop-history" if !whole_refused => {
            Reply::Table(history(device, &device.upstreams, moment), Need::Last)
        }
        "show modulation-profile" => Reply::Table(profiles(device), Need::Optional),
        "show interface upstream" => Reply::Table(interfaces(device, moment), Need::Optional),
        "show cable modem summary" => Reply::Table(modem_summary(device), need_of_summary(device)),
        _ => {
            let upstream = device.upstreams.iter().position(|u| Some(u.name.as_str()) == one)?;
            let need = if upstream + 1 == device.upstreams.len() { Need::Last } else { Need::Needed };
            Reply::Table(history(device, &device.upstreams[upstream..=upstream], moment), need)
        }
    })
}

/// What history, configuration and profile table tell together.
fn shown<'a>(device: &Device, upstream: &'a Upstream, modulation: Modulation, weather: Weather) -> Shown<'a> {
    Shown {
        upstream: &upstream.name,
        modulation,
        profile: Some(device.profile(upstream, modulation)),
        source: if upstream.has_hopped(weather) { Source::HopHistory } else { Source::Config },
        explained_by: Some(ExplainedBy::Device),
        // It stands in the table of profiles, and only there.
        channel_type: upstream.unknown.is_none().then(|| upstream.class.word()),
        center_hz: Some(upstream.center_khz * 1000),
        width_hz: Some(upstream.width_khz * 1000),
        description: described(device, &upstream.name),
        snr_tenths: None,
        modems: shows_summary(device).then(|| upstream.modems() - 1),
    }
}

/// What the history tells alone.
fn shown_by_history<'a>(
    device: &Device,
    upstream: &'a Upstream,
    modulation: Modulation,
    weather: Weather,
) -> Option<Shown<'a>> {
    upstream.has_hopped(weather).then(|| Shown {
        upstream: &upstream.name,
        modulation,
        profile: Some(device.profile(upstream, modulation)),
        source: Source::HopHistory,
        explained_by: Some(ExplainedBy::BuiltIn),
        channel_type: None,
        center_hz: None,
        width_hz: None,
        description: shows_summary(device).then(|| described(device, &upstream.name)).flatten(),
        snr_tenths: None,
        modems: shows_summary(device).then(|| upstream.modems() - 1),
    })
}

/// Whether the summary is needed because it stands in for the hop history, or adds to samples.
fn need_of_summary(device: &Device) -> Need {
    if device.has(Kind::NoHopHistory) { Need::Needed } else { Need::Extra }
}

fn shows_summary(device: &Device) -> bool {
    need_of_summary(device) == Need::Needed || !device.has(Kind::ExtraRefused)
}

/// The interface and the logical channel of the k-th channel: every fourth interface has two.
fn place(k: usize) -> (usize, usize) {
    if k % 5 == 4 { (k / 5 * 4 + 3, 1) } else { (k / 5 * 4 + k % 5, 0) }
}

/// The name of the k-th channel.
fn upstream_name(k: usize) -> String {
    let (interface, logical) = place(k);
    format!("{}/{logical}", interface_name(interface))
}

fn interface_name(interface: usize) -> String {
    format!("{}/{}.{}", 1 + interface / 96, interface % 96 / 8, interface % 8)
}

const HISTORY_HEADER: &str = "\
Upstream     Day  Date        Time         Hop  Corr(%)  Uncorr(%)  From  To    Cause
-----------  ---  ----------  -----------  ---  -------  ---------  ----  ----  -----
";

/// One hop: when, the fields from `Hop` to `To`.
struct Hop {
    slot: Slot,
    name: String,
    kind: char,
    from: String,
    to: String,
}

fn history(device: &Device, upstreams: &[Upstream], moment: Moment) -> String {
    let mut hops: Vec<Hop> = upstreams.iter().flat_map(|u| hops_of(device, u, moment.slot)).collect();
    hops.sort_by_key(|hop| Reverse(hop.slot));
    let mut text = String::from(HISTORY_HEADER);
    for Hop { slot, name, kind, from, to } in hops {
        let lag = hash(&[slot as u64]) % SLOT_S as u64;
        let when = start_of(slot).utc() + Duration::seconds(lag as i64);
        let when = when.format("%a  %m/%d/%Y  %I:%M:%S %p");
        let _ = writeln!(text, "{name:<11}  {when}  {kind:<3}     0.42       1.90  {from:<4}  {to:<4}  fec");
    }
    text
}

/// The hops of an upstream that the device remembers, newest first.
fn hops_of(device: &Device, upstream: &Upstream, now: Slot) -> Vec<Hop> {
    let hop =
        |slot, kind, from: String, to: String| Hop { slot, name: upstream.name.clone(), kind, from, to };
    let mut hops = Vec::new();
    // Frequency hops are in the same table, also of channels that never changed their modulation.
    if hash(&[upstream.seed, 0xf0]).is_multiple_of(6) {
        let slot = now - (hash(&[upstream.seed, 0xf1]) % 40) as Slot;
        hops.push(hop(slot, 'F', "38.4".into(), "45.2".into()));
    }
    if !upstream.has_hopped(device.weather(now)) {
        return hops;
    }
    let profile = |slot| device.profile(upstream, device.modulation(upstream, slot));
    let mut after = profile(now);
    for slot in (now - MEMORY + 1..=now).rev() {
        let before = profile(slot - 1);
        if before != after {
            hops.push(hop(slot, 'M', before.to_string(), after.to_string()));
            after = before;
        }
        if hops.len() >= 12 {
            break;
        }
    }
    if !hops.iter().any(|hop| hop.kind == 'M') {
        let top = device.profiles.number(device.ladder[upstream.top]);
        let before = if top == after { device.profiles.number(device.ladder[0]) } else { top };
        hops.push(hop(now - MEMORY - 7, 'M', before.to_string(), after.to_string()));
    }
    hops
}

fn profiles(device: &Device) -> String {
    let mut text = String::new();
    let spelled = |modulation: Modulation| match modulation.bits() {
        Some(2) | None => "qpsk".to_owned(),
        Some(bits) => format!("{}qam", 1_u32 << bits),
    };
    let mut profile = |number: u32, class: Class, lines: &[(&str, Modulation)]| {
        let _ = writeln!(text, "modulation-profile {number}");
        for (iuc, modulation) in lines {
            let (class, modulation) = (class.word(), spelled(*modulation));
            let _ = writeln!(
                text,
                "  {iuc} {class} {modulation} off 104 12 75 338 6 16 shortened on 1 1536 qpsk1"
            );
        }
    };
    let qpsk = Modulation::Qpsk;
    for (number, long) in device.profiles.sorted() {
        let data = [("a-short", a_short(long)), ("a-long", long), ("a-ugs", long)];
        let lines = [&[("request", qpsk), ("initial", qpsk), ("station", qpsk)][..], &data].concat();
        profile(number, Class::Atdma, &lines);
    }
    let tdma = [
        ("request", qpsk),
        ("initial", qpsk),
        ("station", qpsk),
        ("short", qpsk),
        ("long", Modulation::Qam16),
    ];
    profile(device.profiles.tdma, Class::Tdma, &tdma);
    text
}

/// The text stands under the interface, whose logical channels share it.
fn described(device: &Device, upstream: &str) -> Option<&'static str> {
    let interface = upstream.rsplit_once('/')?.0;
    let first = format!("{interface}/0");
    device.upstreams.iter().find(|u| u.name == first)?.description
}

fn interfaces(device: &Device, moment: Moment) -> String {
    let weather = device.weather(moment.slot);
    let mut text = String::new();
    let mut open = None;
    for (k, upstream) in device.upstreams.iter().enumerate() {
        let (interface, logical) = place(k);
        let name = interface_name(interface);
        if open != Some(interface) {
            open = Some(interface);
            let _ = writeln!(text, "interface upstream {name}");
            if let Some(description) = upstream.description {
                let _ = writeln!(text, "  description {description}");
            }
            let (frequency, width) = (upstream.center_khz * 1000, upstream.width_khz * 1000);
            let _ = write!(text, "  spectrum-rule 10\n  frequency {frequency}\n  channel-width {width}\n");
        }
        logical_channel(&mut text, device, upstream, logical, (moment.slot, weather));
        let next_is_same = device.upstreams.get(k + 1).is_some() && place(k + 1).0 == interface;
        if !next_is_same {
            text.push_str("  no shutdown\n\n");
        }
    }
    text
}

fn logical_channel(
    text: &mut String,
    device: &Device,
    upstream: &Upstream,
    n: usize,
    (slot, weather): (Slot, Weather),
) {
    // What was configured: where a channel hopped, that is not what it is at.
    let modulation = match upstream.class {
        _ if !upstream.has_hopped(weather) => device.modulation_in(upstream, slot, weather),
        _ => device.ladder[upstream.top],
    };
    let (profile, width) = (device.profile(upstream, modulation), upstream.width_khz * 1000);
    let head = format!("  logical-channel {n}");
    let _ = writeln!(text, "{head} prov-attr-mask 0x0");
    // Where it is that of the interface, some releases leave it out.
    if n > 0 || device.variant.is_multiple_of(2) {
        let _ = writeln!(text, "{head} channel-width {width}");
    }
    let _ = writeln!(text, "{head} profile {profile}\n{head} minislot 2\n{head} data-backoff automatic");
    let _ = writeln!(text, "{head} power-offset 0\n{head} class-id 0x0\n  no logical-channel {n} shutdown");
}

fn modem_summary(device: &Device) -> String {
    let mut text = String::from(
        "\
                            Cable Modems
Upstream     Total  Online  Offline  Ranging  Description
-----------  -----  ------  -------  -------  -----------
",
    );
    for upstream in &device.upstreams {
        let modems = upstream.modems();
        let description = described(device, &upstream.name).unwrap_or_default();
        let row =
            format!("{:<11}  {modems:>5}  {:>6}        1        0  {description}", upstream.name, modems - 1);
        let _ = writeln!(text, "{}", row.trim_end());
    }
    text
}
