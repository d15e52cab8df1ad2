//! CommScope E6000 CER: OFDMA, SC-QAM and downstream tables in one output, a date line before each.

use std::fmt::Write;

use modtools::{
    modulation::Modulation,
    record::{ExplainedBy, Source},
};

use crate::{
    chance::{hash, pick},
    fault::Kind,
    fleet::{Class, Device, Upstream},
    personality::{Need, Now, Personality, Reply},
    profiles::a_short,
    state::Shown,
    time::Moment,
};

const OFDMA_HEADER: &str = "\
US          Cable     Oper    Freq Low-High    LicBW   Minislots  Mod  Subcarrier   Rolloff Cyclic Sym/  Power(dBmV/  
S/CG/CH     Mac  Conn State    (MHz.KHz)      (100KHz) per frame  Prof Spacing(KHz) Period  Prefix Frame 1.6 MHz)  
";
const SC_QAM_HEADER: &str = "\
US          Cable     Oper  Chan   Freq Low-High   Center  Channel   Mini Mod  Pwr(dBmV/  LBal 
S/CG/CH     Mac  Conn State Type    (MHz.KHz)      Freq(MHz) Width   Slot Prof  1.6 MHz)  Group
";
const DOWNSTREAM: &str = "\
DS          Cable Chan  Prim  Oper                  Intrlv  Mod  Power     LBal
S/C/CH      Mac   ID    Cap   State Annex Freq(Hz)  Depth   Type (.1dBmV)  Group
11/scq/0    127      1  True     IS   A  602000000    12    q256      350  1073743872, 1073747968, 1073750016
11/scq/1    127      2 False     IS   A  610000000    12    q256      350  1073743872, 1073747968, 1073750016
11/scq/2    127      3 False    OOS   A  618000000    12    q256      350  1073743872, 1073747968, 1073750016
";

/// The E6000.
pub struct E6000;

impl Personality for E6000 {
    fn digit(&self) -> char {
        '0'
    }

    fn software(&self) -> &'static str {
        "SSH-2.0-OpenSSH_7.4"
    }

    fn well_known(&self) -> [u32; 3] {
        [222, 204, 202]
    }

    fn reply(&self, device: &Device, moment: Moment, _privileged: bool, command: &str) -> Option<Reply> {
        reply(device, moment, &command.to_ascii_lowercase())
    }

    fn shown<'a>(&self, device: &'a Device, upstream: &'a Upstream, now: Now) -> Option<Shown<'a>> {
        Some(shown(device, upstream, now.modulation))
    }

    fn upstream_name(&self, device: &Device, k: usize, _of: usize, class: Class) -> String {
        upstream_name(device.variant, k, class)
    }

    fn class(&self, seed: u64, k: usize, plain: bool) -> Class {
        match seed % 40 {
            _ if k % 12 == 11 => Class::Ofdma,
            0 if !plain => Class::Tdma,
            1 if !plain => Class::Scdma,
            _ => Class::Atdma,
        }
    }

    fn greeting(&self, device: &Device) -> String {
        format!("\nWelcome to {}\n\n", device.name)
    }

    fn error(&self, _device: &Device, command: &str) -> String {
        format!("Error: unknown command: {}\n", command.trim())
    }
}

/// The answer to a command, in lower case.
fn reply(device: &Device, moment: Moment, command: &str) -> Option<Reply> {
    let dated = |text: String| format!("{}\n\n{text}", moment.now.format("%b %d %H:%M:%S %Y"));
    let refused = device.has(Kind::SetupRefused);
    Some(match command {
        "terminal length 0" if !refused => Reply::PagingOff,
        "no pagination" if refused => Reply::PagingOff,
        "terminal width 0" if !refused => Reply::Text(String::new()),
        "exit" | "logout" | "quit" => Reply::Logout,
        "show chassistype" => Reply::Text(dated("Chassis type: E6000\n".into())),
        "show version" => Reply::Text(dated("Chassis Type: E6000\nActive SW: CER_V10.01.00.0013\n".into())),
        "show interface cable-upstream" => Reply::Table(dated(upstreams(device, moment)), Need::Last),
        "show running-config verbose | include modulation-profile" => {
            Reply::Table(dated(profiles(device)), Need::Optional)
        }
        "show running-config verbose | include description" => {
            Reply::Table(dated(descriptions(device)), Need::Extra)
        }
        "show cable modem summary mac" => Reply::Table(dated(modem_summary(device)), Need::Extra),
        _ => return None,
    })
}

/// What the tables tell of an upstream.
fn shown<'a>(device: &Device, upstream: &'a Upstream, modulation: Modulation) -> Shown<'a> {
    let has_extra = !device.has(Kind::ExtraRefused);
    Shown {
        upstream: &upstream.name,
        modulation,
        profile: Some(device.profile(upstream, modulation)),
        source: Source::State,
        explained_by: explained(device, upstream),
        channel_type: Some(upstream.class.word()),
        center_hz: Some(upstream.center_khz * 1000),
        width_hz: Some(upstream.width_khz * 1000),
        description: upstream.description.filter(|_| has_extra),
        snr_tenths: None,
        modems: has_extra.then(|| upstream.modems() - 1),
    }
}

fn explained(device: &Device, upstream: &Upstream) -> Option<ExplainedBy> {
    Some(match upstream.class {
        Class::Ofdma => ExplainedBy::Printed,
        _ if device.has(Kind::OptionalRefused) => ExplainedBy::BuiltIn,
        _ => ExplainedBy::Device,
    })
}

/// How many rows in service stand between two that are not.
const STRIDE: usize = 8;

/// The name of the k-th channel in service; the numbers between belong to channels that are not.
fn upstream_name(variant: u64, k: usize, class: Class) -> String {
    if class == Class::Ofdma {
        // A card has few of them, and they have a numbering of their own.
        let nth = k / 12;
        return format!("{}/ofd/{}", 2 + nth / 16, nth % 16);
    }
    let nth = k - k / 12;
    port(variant, nth + nth / STRIDE)
}

fn port(variant: u64, number: usize) -> String {
    let (card, rest) = (2 + number / 384, number % 384);
    match variant % 8 {
        0..6 => format!("{card}/scq/{rest}"),
        6 => format!("{card}/{}/{}", rest / 32, rest % 32),
        _ => format!("{card}/{}/{}.0", rest / 24, rest % 24),
    }
}

fn upstreams(device: &Device, moment: Moment) -> String {
    let mut text = String::new();
    let of = |ofdma: bool| device.upstreams.iter().filter(move |u| (u.class == Class::Ofdma) == ofdma);
    text.push_str(OFDMA_HEADER);
    for (i, upstream) in of(true).enumerate() {
        text.push_str(&ofdma_row(&upstream.name, device, upstream, i, true));
    }
    if let Some((last, upstream)) = of(true).enumerate().last() {
        let name = format!("{}/ofd/{}", 2 + (last + 1) / 16, (last + 1) % 16);
        text.push_str(&ofdma_row(&name, device, upstream, last + 1, false));
    }
    text.push_str("\nCABLE:\n");
    text.push_str(DOWNSTREAM);
    text.push('\n');
    text.push_str(SC_QAM_HEADER);
    let weather = device.weather(moment.slot);
    for (i, upstream) in of(false).enumerate() {
        let modulation = device.modulation_in(upstream, moment.slot, weather);
        let profile = device.profile(upstream, modulation);
        text.push_str(&sc_qam_row(&upstream.name, upstream, profile, "IS"));
        if i % STRIDE == STRIDE - 1 {
            let name = port(device.variant, i + i / STRIDE + 1);
            text.push_str(&sc_qam_row(&name, upstream, profile, "OOS"));
        }
    }
    text
}

/// MHz with the kHz behind the point, as all tables print frequencies.
fn mhz(khz: u64) -> String {
    format!("{}.{:03}", khz / 1000, khz % 1000)
}

fn edges(upstream: &Upstream) -> String {
    let half = upstream.width_khz / 2;
    format!("{}-{}", mhz(upstream.center_khz - half), mhz(upstream.center_khz + half))
}

fn sc_qam_row(name: &str, upstream: &Upstream, profile: u32, state: &str) -> String {
    let mac = 101 + hash(&[upstream.seed, 0xac]) % 30;
    let conn = pick(&["-", "-", "-", "4", "11"], hash(&[upstream.seed, 0xc0]));
    let groups = pick(&["1073747968", "1073743872, 1073750016"], hash(&[upstream.seed, 0x1b]));
    format!(
        "{name:<11} {mac:>3}  {conn:>4}  {state:>4} {class:>5}  {edges:<15} {center:>9}   {width:>5}     2  {profile:>3}    -6.0     {groups}\n",
        class = upstream.class.word(),
        edges = edges(upstream),
        center = mhz(upstream.center_khz),
        width = mhz(upstream.width_khz),
    )
}

fn ofdma_row(name: &str, device: &Device, upstream: &Upstream, i: usize, in_service: bool) -> String {
    let (state, minislots, power) = if in_service { ("IS", 37, "-6.0") } else { ("OOS", 0, "-") };
    format!(
        "{name:<11} {mac:>3}     -  {state:>4}  {edges:<15}   {licensed:>4}       {minislots:>3}    {profile:>5}       50         64    128      16        {power:>4}\n",
        mac = 101 + i % 30,
        edges = edges(upstream),
        licensed = upstream.width_khz / 100,
        profile = device.profiles.ofdma,
    )
}

/// The spelling of the configuration.
fn spelled(modulation: Modulation) -> String {
    modulation.word().to_ascii_lowercase()
}

fn profiles(device: &Device) -> String {
    use Modulation::{Qam16, Qpsk};
    let mut text = String::new();
    for (number, long) in device.profiles.sorted() {
        let short = a_short(long);
        let lines =
            [(1, Qpsk), (3, Qpsk), (4, Qpsk), (5, Qpsk), (6, Qam16), (9, short), (10, long), (11, long)];
        profile(&mut text, number, "atdma", &lines);
    }
    if !device.has(Kind::OptionalRefused) {
        profile(
            &mut text,
            device.profiles.tdma,
            "tdma",
            &[(1, Qpsk), (3, Qpsk), (4, Qpsk), (5, Qpsk), (6, Qam16)],
        );
    }
    // The filter lets through what channels say about their profile, too.
    for upstream in &device.upstreams {
        let name = &upstream.name;
        let (family, number) = match (upstream.class, upstream.unknown) {
            (Class::Ofdma, _) => ("ofdm", device.profiles.ofdma),
            (_, Some(number)) => ("cable", number),
            (Class::Tdma, None) => ("cable", device.profiles.tdma),
            _ => ("cable", device.profiles.number(device.ladder[upstream.top])),
        };
        let _ =
            writeln!(text, "configure interface cable-upstream {name} {family} modulation-profile {number}");
    }
    text
}

/// What operators wrote beside interfaces, of which not all are upstreams.
fn descriptions(device: &Device) -> String {
    let mut text = String::from("configure interface cable-mac 101 description \"MAC domain 101\"\n");
    for upstream in &device.upstreams {
        if let Some(description) = upstream.description {
            let name = &upstream.name;
            let _ = writeln!(text, "configure interface cable-upstream {name} description \"{description}\"");
        }
    }
    text
}

fn modem_summary(device: &Device) -> String {
    let mut text = String::from("S/CG/CH       Total  Registered  Offline\n");
    let mut total = 0;
    for upstream in &device.upstreams {
        let modems = upstream.modems();
        total += modems;
        let _ = writeln!(text, "{:<12} {modems:>6} {:>11} {:>8}", upstream.name, modems - 1, 1);
    }
    let count = device.upstreams.len();
    let _ = writeln!(text, "{:<12} {total:>6} {:>11} {count:>8}", "Total", total - count as u64);
    text
}

fn profile(text: &mut String, number: u32, mode: &str, lines: &[(u32, Modulation)]) {
    let head = format!("configure cable modulation-profile {number}");
    for (iuc, modulation) in lines {
        let _ = writeln!(
            text,
            "{head} iuc {iuc} mod {} pre-len 104 diff false fec-tbytes 12 fec-len 75 seed 338 burst-len 6 guard-time-size 8 last-cw true scrambler true docsis-mode {mode}",
            spelled(*modulation)
        );
        let _ = writeln!(text, "{head} iuc {iuc} pre-type qpsk1 int-depth 1 int-blocksize 1536");
    }
}
