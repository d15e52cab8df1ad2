//! Cisco cBR-8: profile table, modem summary, and one controller per MAC domain, whose blocks name the
//! upstream only in a line of their own. Every second release prints the modulation itself.

use std::fmt::Write;

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
    state::Shown,
    time::{Moment, Slot},
};

/// Where a channel is: controller and number on it, MAC domain and US index bound to it.
#[derive(Clone, Copy, Debug)]
struct Place {
    domain: usize,
    number: usize,
    us: usize,
}

impl Place {
    /// Of the k-th of so many channels.
    fn of(variant: u64, k: usize, of: usize) -> Self {
        let per_domain = if of > 1000 { 64 } else { 16 };
        let number = k % per_domain;
        // A site binds the US numbers that it likes.
        let us = [number, number + 8, per_domain - 1 - number][(variant >> 8) as usize % 3];
        Place { domain: k / per_domain, number, us }
    }

    fn domain_name(self) -> String {
        format!("{}/0/{}", 1 + self.domain / 16, self.domain % 16)
    }

    /// `1/0/0/3`
    fn upstream_name(self) -> String {
        format!("{}/{}", self.domain_name(), self.us)
    }
}

/// The cBR-8.
pub struct Cbr8;

impl Personality for Cbr8 {
    fn digit(&self) -> char {
        '2'
    }

    fn software(&self) -> &'static str {
        "SSH-2.0-Cisco-1.25"
    }

    fn well_known(&self) -> [u32; 3] {
        [226, 227, 224]
    }

    fn reply(&self, device: &Device, moment: Moment, privileged: bool, command: &str) -> Option<Reply> {
        reply(device, moment, privileged, command)
    }

    fn shown<'a>(&self, device: &'a Device, upstream: &'a Upstream, now: Now) -> Option<Shown<'a>> {
        Some(shown(device, upstream, now.modulation, now.slot))
    }

    fn upstream_name(&self, device: &Device, k: usize, of: usize, _class: Class) -> String {
        Place::of(device.variant, k, of).upstream_name()
    }

    fn class(&self, seed: u64, k: usize, plain: bool) -> Class {
        match seed % 40 {
            _ if k % 12 == 11 => Class::Ofdma,
            0 if !plain => Class::Tdma,
            _ => Class::Atdma,
        }
    }

    fn prints_modulation(&self, device: &Device) -> bool {
        prints_modulation(device)
    }

    fn suits(&self, kind: Kind) -> bool {
        !matches!(kind, Kind::SetupRefused | Kind::NoHopHistory | Kind::ExtraRefused)
    }

    fn user_prompt(&self, device: &Device) -> Option<String> {
        device.has(Kind::UserMode).then(|| format!("{}>", device.name))
    }

    fn pager(&self) -> &'static str {
        " --More-- "
    }
}

/// Whether this release prints whole blocks with the modulation that is in use, and newer profile tables.
fn prints_modulation(device: &Device) -> bool {
    device.variant.is_multiple_of(2)
}

/// The answer to a command.
fn reply(device: &Device, moment: Moment, privileged: bool, command: &str) -> Option<Reply> {
    let (show, filter) = match command.split_once('|') {
        Some((show, filter)) => (show.trim(), Some(filter.trim())),
        None => (command, None),
    };
    let show = show.to_ascii_lowercase();
    let timed = |text: String| {
        let load = hash(&[device.seed, moment.slot as u64]) % 40;
        let time = moment.now.format("%H:%M:%S%.3f UTC %a %b %-d %Y");
        format!(
            "Load for five secs: {load}%/1%; one minute: {load}%; five minutes: {load}%\nTime source is NTP, {time}\n{text}"
        )
    };
    Some(match show.as_str() {
        "terminal length 0" => Reply::PagingOff,
        "terminal width 0" => Reply::Text(String::new()),
        "enable" => Reply::Enable,
        "exit" | "logout" | "quit" => Reply::Logout,
        "show version" => {
            Reply::Text("Cisco IOS XE Software, Version 17.06.01z\nCisco cBR-8 (X86) processor\n".into())
        }
        _ if !privileged => return None,
        "show cable modulation-profile" => Reply::Table(timed(profiles(device)), Need::Optional),
        "show cable modem summary" => Reply::Table(timed(modem_summary(device)), empty_or_needed(device)),
        _ => {
            let domain = ["show controller c", "show controllers c", "show controllers upstream-cable "]
                .iter()
                .find_map(|head| show.strip_prefix(head))?
                .trim_end_matches(" upstream");
            let text = controller(device, domain, moment.slot, filter)?;
            Reply::Table(timed(text), if is_last(device, domain) { Need::Last } else { Need::Needed })
        }
    })
}

fn empty_or_needed(device: &Device) -> Need {
    if device.upstreams.is_empty() { Need::Last } else { Need::Needed }
}

fn places(device: &Device) -> impl Iterator<Item = (Place, &Upstream)> {
    let count = device.upstreams.len();
    device.upstreams.iter().enumerate().map(move |(k, u)| (Place::of(device.variant, k, count), u))
}

fn is_last(device: &Device, domain: &str) -> bool {
    places(device).last().is_some_and(|(place, _)| place.domain_name() == domain)
}

/// What the blocks and the modem summary tell of an upstream.
fn shown<'a>(device: &Device, upstream: &'a Upstream, modulation: Modulation, slot: Slot) -> Shown<'a> {
    let whole = prints_modulation(device) && upstream.class != Class::Ofdma;
    let ofdma = upstream.class == Class::Ofdma;
    Shown {
        upstream: &upstream.name,
        modulation,
        profile: Some(profile(device, upstream, modulation)),
        source: Source::State,
        explained_by: Some(match () {
            () if whole || ofdma => ExplainedBy::Printed,
            () if device.has(Kind::OptionalRefused) => ExplainedBy::BuiltIn,
            () => ExplainedBy::Device,
        }),
        channel_type: (whole || ofdma).then(|| upstream.class.word()),
        center_hz: whole.then_some(upstream.center_khz * 1000),
        width_hz: whole.then_some(upstream.width_khz * 1000),
        description: upstream.description,
        snr_tenths: (!ofdma).then(|| upstream.snr_tenths(slot, modulation)),
        modems: Some(upstream.modems() - 1),
    }
}

/// The profile that a block prints: where the modulation is printed too, the configured one, which need
/// not be the one in use.
fn profile(device: &Device, upstream: &Upstream, modulation: Modulation) -> u32 {
    let configured = prints_modulation(device) && matches!(upstream.class, Class::Atdma | Class::Scdma);
    device.profile(upstream, if configured { device.ladder[upstream.top] } else { modulation })
}

fn spelled(modulation: Modulation) -> String {
    match modulation.bits() {
        Some(2) | None => "qpsk".to_owned(),
        Some(bits) => format!("{}qam", 1_u32 << bits),
    }
}

fn profiles(device: &Device) -> String {
    let newer = prints_modulation(device);
    let mut text = String::from(if newer {
        "\
Mod  Docsis  IUC     Type   Pream Diff FEC     FEC   Scrmbl  Max  Guard Last Scrmbl Pre    Pre   RS
     -Mode                  len   enco T BYTE  K     seed    B    time  CW          offset type
"
    } else {
        "\
Mod IUC     Type   Preamb Diff FEC     FEC   Scrambl Max  Guard Last Scrambl Preamb
                   length enco T bytes CW    seed    B    time  CW           offset
"
    });
    let mut profile = |number: u32, mode: &str, lines: &[(&str, Modulation)]| {
        for (iuc, modulation) in lines {
            let mode = if newer { format!("{mode:<7} ") } else { String::new() };
            let modulation = spelled(*modulation);
            let _ = writeln!(
                text,
                "{number:<4} {mode}{iuc:<7} {modulation:<6} 64    no   0x0     0x10  0x152   0    22    no   yes    396"
            );
        }
    };
    let qpsk = Modulation::Qpsk;
    let first = [("request", qpsk), ("initial", qpsk), ("station", qpsk)];
    for (number, long) in device.profiles.sorted() {
        let data =
            [("short", qpsk), ("long", qpsk), ("a-short", a_short(long)), ("a-long", long), ("a-ugs", long)];
        profile(number, "atdma", &[&first[..], &data].concat());
    }
    profile(
        device.profiles.tdma,
        "tdma",
        &[&first[..], &[("short", qpsk), ("long", Modulation::Qam16)]].concat(),
    );
    text
}

fn modem_summary(device: &Device) -> String {
    let mut text = String::from(
        "\
Interface                      Cable Modem                               Description
                Total Reg   Unreg Offline Wideband initRC initD initIO initO
",
    );
    let mut rows: Vec<(Place, &Upstream)> = places(device).collect();
    rows.sort_by_key(|(place, _)| (place.domain, place.us));
    let mut domain = None;
    for (place, upstream) in rows {
        let name = place.domain_name();
        if domain != Some(place.domain) {
            // Modems that are bonded over several channels are counted in a row of their own.
            if domain.replace(place.domain).is_some() || device.variant.is_multiple_of(5) {
                let _ = writeln!(
                    text,
                    "C{name}/UB       140   138   2     2       138      0      0     0      0     bonded, show all"
                );
            }
        }
        let total = upstream.modems();
        let interface = format!("C{name}/U{}", place.us);
        let row = format!(
            "{interface:<15} {total:<5} {:<5} 1     1       {total:<8} 0      0     0      0     {}",
            total - 1,
            upstream.description.unwrap_or_default()
        );
        let _ = writeln!(text, "{}", row.trim_end());
    }
    text
}

fn controller(device: &Device, domain: &str, slot: Slot, filter: Option<&str>) -> Option<String> {
    let mut on_it = places(device).filter(|(place, _)| place.domain_name() == domain).peekable();
    on_it.peek()?;
    let mut text = String::new();
    let mut last = None;
    for (place, upstream) in on_it {
        block(&mut text, device, place, upstream, slot);
        // A receiver without a MAC domain says everything but that.
        if place.number % 7 == 3 {
            unbound(&mut text, device, place, 100 + place.number);
        }
        last = Some(place);
    }
    if let Some(place) = last {
        unbound(&mut text, device, place, 99);
    }
    // Images that print the modulation do not know filters on this command, and ignore them.
    Some(match filter {
        Some(filter) if !prints_modulation(device) => included(&text, filter),
        _ => text,
    })
}

/// `include A|B|C`: the lines that hold one of the words, as IOS does it.
fn included(text: &str, filter: &str) -> String {
    let (verb, words) = filter.split_once(' ').unwrap_or((filter, ""));
    let words: Vec<&str> = words.trim().split('|').collect();
    let keep = |line: &&str| !"include".starts_with(verb) || words.iter().any(|word| line.contains(word));
    text.lines().filter(keep).flat_map(|line| [line, "\n"]).collect()
}

fn block(text: &mut String, device: &Device, place: Place, upstream: &Upstream, slot: Slot) {
    let head =
        format!("Controller {} upstream {}  AdminState:UP OpState: UP\n", place.domain_name(), place.number);
    let bind = format!("  Bind to Cable{} US{}\n", place.domain_name(), place.us);
    let body = if upstream.class == Class::Ofdma { ofdma(device) } else { sc_qam(device, upstream, slot) };
    // The order inside a block differs between releases.
    let bind_first = (device.variant >> 3).is_multiple_of(2);
    let (second, third) = if bind_first { (&bind, &body) } else { (&body, &bind) };
    for part in [&head, second, third] {
        text.push_str(part);
    }
}

fn sc_qam(device: &Device, upstream: &Upstream, slot: Slot) -> String {
    let modulation = device.modulation(upstream, slot);
    let snr = upstream.snr_tenths(slot, modulation);
    let mhz = |khz: u64| format!("{}.{:03}", khz / 1000, khz % 1000);
    let (long, short) = (spelled(modulation).to_uppercase(), spelled(a_short(modulation)).to_uppercase());
    let mut text = format!("  {} mode enabled\n", upstream.class.word());
    let _ = writeln!(
        text,
        "  Frequency {} MHz, Channel Width {} MHz, Symbol Rate 5.120 Msps",
        mhz(upstream.center_khz),
        mhz(upstream.width_khz)
    );
    if prints_modulation(device) {
        let _ = writeln!(text, "  Modulations ({long}) - A-short {short}, A-long {long}, A-ugs {long}");
    }
    let _ = write!(
        text,
        "  Mapped to connector 4 and receiver 2
  Spectrum Group is overridden
  US phy MER(SNR)_estimate for good packets - {}.{} dB
  Nominal Input Power Level 0 dBmV, Tx Timing Offset 2304
  US timing offset adjustment type 0, value 0
  US throttling off
  Modulation Profile Group {}
  Concatenation is enabled
  Minislot Size in number of timebase ticks is = 2
  UCD Count = 9211
",
        snr / 10,
        snr % 10,
        profile(device, upstream, modulation)
    );
    text
}

fn ofdma(device: &Device) -> String {
    format!(
        "  ofdma mode enabled
  Modulation Profile (ID {}, Subcarrier Spacing 50 KHz, 16 symbols per frame)
  US throttling off
",
        device.profiles.ofdma
    )
}

fn unbound(text: &mut String, device: &Device, place: Place, number: usize) {
    let _ = write!(
        text,
        "Controller {} upstream {number}  AdminState:DOWN OpState: DOWN
  Frequency 0.000 MHz, Channel Width 1.600 MHz, Symbol Rate 1.280 Msps
  US phy MER(SNR)_estimate for good packets - 0.0 dB
  Modulation Profile Group {}
",
        place.domain_name(),
        device.profiles.number(Modulation::Qpsk)
    );
}
