//! What can be wrong with a device, by name: one table that the flag, the help, the server and
//! `expect.ndjson` read.

use globset::GlobBuilder;
use modtools::{platform::Platform, record::Status};

use crate::personality;

use Kind::{
    Ansi, AuthHang, BadHostName, Banner, Big, BlackHole, CloseMidOutput, CrCrLf, Drip, EchoAtOnce,
    EchoWrap80, EmptyTable, Endless, ErrorForTable, ExpiredPassword, ExtraRefused, HangMidOutput,
    KbdInteractive2, LegacyOnly, LogBehindPrompt, MoreBackspaces, NoEcho, NoHopHistory, OddHostName,
    OptionalRefused, PagerIgnoresOff, PagerWordings, PromptChanges, PromptSplit, Redraw, Refused,
    RejectPassword, ResetMidOutput, SameAddress, SecondLogin, SetupRefused, Silent, SlowLine, SnmpCommunity,
    SnmpCut, SnmpDoubled, SnmpEndless, SnmpForeign, SnmpGenErr, SnmpHangs, SnmpLate, SnmpLineBreaks,
    SnmpLoop, SnmpLost, SnmpRenumber, SnmpSilent, SnmpTooBig, SnmpUser, SurplusPrompt, SyslogInTable,
    UserMode, WrongHostKey,
};

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Refused,
    BlackHole,
    Silent,
    RejectPassword,
    AuthHang,
    KbdInteractive2,
    Banner,
    LegacyOnly,
    WrongHostKey,
    HangMidOutput,
    CloseMidOutput,
    ResetMidOutput,
    Drip,
    Endless,
    PagerIgnoresOff,
    MoreBackspaces,
    Ansi,
    CrCrLf,
    EchoWrap80,
    SyslogInTable,
    PromptChanges,
    PromptSplit,
    ErrorForTable,
    OptionalRefused,
    ExtraRefused,
    EmptyTable,
    Big,
    BadHostName,
    SameAddress,
    UserMode,
    SetupRefused,
    NoHopHistory,
    SurplusPrompt,
    Redraw,
    LogBehindPrompt,
    SlowLine,
    NoEcho,
    EchoAtOnce,
    OddHostName,
    PagerWordings,
    SecondLogin,
    ExpiredPassword,
    SnmpSilent,
    SnmpCommunity,
    SnmpUser,
    SnmpLost,
    SnmpDoubled,
    SnmpLate,
    SnmpForeign,
    SnmpTooBig,
    SnmpGenErr,
    SnmpLoop,
    SnmpEndless,
    SnmpCut,
    SnmpHangs,
    SnmpRenumber,
    SnmpLineBreaks,
}

/// Name, kind, the status that a collector has to give, what it does.
#[rustfmt::skip]
pub const KINDS: [(&str, Kind, Status, &str); 42] = [
    ("refused", Refused, Status::Refused, "nothing listens at its address"),
    ("black-hole", BlackHole, Status::ConnectTimeout, "a connection gets no answer at all"),
    ("silent", Silent, Status::KexFailed, "accepts the connection and says nothing"),
    ("reject-password", RejectPassword, Status::AuthFailed, "no credential is right"),
    ("auth-hang", AuthHang, Status::LoginTimeout, "never answers the authentication"),
    ("kbd-interactive-2", KbdInteractive2, Status::Ok, "keyboard-interactive only, two questions: the password, and any text"),
    ("banner", Banner, Status::Ok, "banner and greeting full of # and >"),
    ("legacy-only", LegacyOnly, Status::Ok, "SHA-1 key exchange, ssh-rsa, CBC ciphers, hmac-sha1; `:group1` group1 and 3des only"),
    ("wrong-host-key", WrongHostKey, Status::HostKeyChanged, "known_hosts holds another key"),
    ("hang-mid-output", HangMidOutput, Status::ReadTimeout, "stops in the middle of a needed table"),
    ("close-mid-output", CloseMidOutput, Status::Disconnected, "closes the connection there"),
    ("reset-mid-output", ResetMidOutput, Status::Disconnected, "resets the connection there"),
    ("drip", Drip, Status::Ok, "slow output, `:BYTES` per second [4000]"),
    ("endless", Endless, Status::OutputTooLarge, "a needed table does not end"),
    ("pager-ignores-off", PagerIgnoresOff, Status::Ok, "pages although paging was switched off"),
    ("more-backspaces", MoreBackspaces, Status::Ok, "the same, and --More-- is erased with backspaces"),
    ("ansi", Ansi, Status::Ok, "coloured prompt and rows, a window title"),
    ("cr-cr-lf", CrCrLf, Status::Ok, "lines end CR CR LF"),
    ("echo-wrap-80", EchoWrap80, Status::Ok, "a long prompt, and an echo that wraps at 80 columns"),
    ("syslog-in-table", SyslogInTable, Status::Ok, "log lines between the rows"),
    ("prompt-changes", PromptChanges, Status::Ok, "after the first table the prompt has `:TEXT` before its # [(diag)]"),
    ("prompt-split", PromptSplit, Status::Ok, "the prompt comes in two packets"),
    ("error-for-table", ErrorForTable, Status::CommandFailed, "needed commands are answered by an error text"),
    ("optional-refused", OptionalRefused, Status::Partial, "optional commands are answered by an error text"),
    ("extra-refused", ExtraRefused, Status::Ok, "(e6000, casa) commands for modems and descriptions alone are answered by an error text"),
    ("empty-table", EmptyTable, Status::Ok, "tables have headers and no rows"),
    ("big", Big, Status::Ok, "5,000 upstreams, or `:N`"),
    ("bad-host-name", BadHostName, Status::ResolveFailed, "its name in the inventory does not resolve"),
    ("same-address", SameAddress, Status::Ok, "is reached at the address of a sound device of its family, or of `:NAME`"),
    ("user-mode", UserMode, Status::Ok, "(cbr8) logs in to a > prompt that `enable` leaves"),
    ("setup-refused", SetupRefused, Status::Ok, "(e6000, casa) knows only `no pagination`, `page off`"),
    ("no-hop-history", NoHopHistory, Status::Partial, "(casa) hop-history only upstream by upstream"),
    ("surplus-prompt", SurplusPrompt, Status::Ok, "one prompt more comes before each echo, `:MS` ahead of it [80]"),
    ("redraw", Redraw, Status::Ok, "a log message and the prompt again cross each command, `:MS` ahead of its echo [80]"),
    ("log-behind-prompt", LogBehindPrompt, Status::Ok, "a log message behind the prompt of each table, and no new prompt"),
    ("slow-line", SlowLine, Status::Ok, "everything comes `:MS` late [150]"),
    ("no-echo", NoEcho, Status::Ok, "nothing typed is echoed, `:line-end` except the end of the line"),
    ("echo-at-once", EchoAtOnce, Status::Ok, "echoes what it has not read yet; the prompt again within each table, `:MS` before the rest [200]"),
    ("odd-host-name", OddHostName, Status::Ok, "a prompt with blanks, # and *, or `:TEXT`"),
    ("pager-wordings", PagerWordings, Status::Ok, "pages although paging was switched off, each page in other words"),
    ("second-login", SecondLogin, Status::AuthFailed, "the shell asks for a user name"),
    ("expired-password", ExpiredPassword, Status::AuthFailed, "the shell asks for a new password"),
];

/// The same of the SNMP side: name, kind, the status by v2c and by v3, what it does.
#[rustfmt::skip]
pub const SNMP_KINDS: [(&str, Kind, Status, Status, &str); 18] = [
    ("refused", Refused, Status::Refused, Status::Refused, ""),
    ("black-hole", BlackHole, Status::ConnectTimeout, Status::ConnectTimeout, ""),
    ("bad-host-name", BadHostName, Status::ResolveFailed, Status::ResolveFailed, ""),
    ("snmp-silent", SnmpSilent, Status::ConnectTimeout, Status::ConnectTimeout, "answers nothing"),
    ("snmp-community", SnmpCommunity, Status::ConnectTimeout, Status::Ok, "(v2c) has another community"),
    ("snmp-user", SnmpUser, Status::Ok, Status::AuthFailed, "(v3) has another password"),
    ("snmp-lost", SnmpLost, Status::Ok, Status::Ok, "every third reply is lost"),
    ("snmp-doubled", SnmpDoubled, Status::Ok, Status::Ok, "every reply comes twice"),
    ("snmp-late", SnmpLate, Status::Ok, Status::Ok, "every fourth reply comes `:MS` late [1500]"),
    ("snmp-foreign", SnmpForeign, Status::Ok, Status::Ok, "before every reply come others: of another request, community, port, and nonsense"),
    ("snmp-too-big", SnmpTooBig, Status::Ok, Status::Ok, "(v2c) answers tooBig above `:N` rows [4]"),
    ("snmp-gen-err", SnmpGenErr, Status::CommandFailed, Status::CommandFailed, "genErr in a needed column, or `:snr` in that of the SNR, which is optional"),
    ("snmp-loop", SnmpLoop, Status::CommandFailed, Status::CommandFailed, "a needed column begins again at its end"),
    ("snmp-endless", SnmpEndless, Status::OutputTooLarge, Status::OutputTooLarge, "a needed column does not end"),
    ("snmp-cut", SnmpCut, Status::ReadTimeout, Status::ReadTimeout, "longer replies are cut short"),
    ("snmp-hangs", SnmpHangs, Status::ReadTimeout, Status::Ok, "(v2c) falls silent in a needed column"),
    ("snmp-renumber", SnmpRenumber, Status::Ok, Status::Ok, "starts again between scans, with other interface indexes"),
    ("snmp-line-breaks", SnmpLineBreaks, Status::Ok, Status::Ok, "an ifDescr with line breaks and a line that looks like an object"),
];

/// A fault of one device.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Which.
    pub kind: Kind,
    /// What stood after the second colon.
    pub argument: Option<String>,
}

impl Fault {
    /// The status that a collector has to give because of it.
    pub fn expected(&self) -> Status {
        KINDS.iter().find(|row| row.1 == self.kind).map_or(Status::Ok, |row| row.2)
    }

    /// The same by SNMP, v2c and v3.
    pub fn expected_by_snmp(&self) -> [Status; 2] {
        if self.kind == Kind::SnmpGenErr && self.argument.is_some() {
            return [Status::Partial; 2];
        }
        let row = SNMP_KINDS.iter().find(|row| row.1 == self.kind);
        row.map_or([Status::Ok; 2], |row| [row.2, row.3])
    }

    /// The argument as a number, or what stands instead of it.
    pub fn number(&self, default: u64) -> u64 {
        self.argument.as_deref().and_then(|text| text.parse().ok()).unwrap_or(default)
    }
}

/// `--fault NAME=KIND[:ARGUMENT]`: which devices, and what is wrong with them.
#[derive(Clone, Debug)]
pub struct Rule {
    /// As it was typed.
    pub text: String,
    pattern: globset::GlobMatcher,
    fault: Fault,
}

impl Rule {
    /// Reads the value of the flag.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, what) =
            text.split_once('=').ok_or("no NAME=KIND such as CCAP001=refused; see --list-faults")?;
        let (kind, argument) = match what.split_once(':') {
            Some((kind, argument)) => (kind, Some(argument.to_owned())),
            None => (what, None),
        };
        let row = KINDS.iter().find(|row| row.0 == kind).map(|row| row.1);
        let row = row.or_else(|| SNMP_KINDS.iter().find(|row| row.0 == kind).map(|row| row.1));
        let kind = row.ok_or_else(|| format!("no kind of fault is called {kind:?}; see --list-faults"))?;
        let numeric = matches!(
            kind,
            Drip | Big | SurplusPrompt | Redraw | SlowLine | EchoAtOnce | SnmpLate | SnmpTooBig
        );
        if let Some(bad) = argument.as_ref().filter(|a| numeric && a.parse::<u32>().is_err()) {
            return Err(format!("invalid number {bad:?}"));
        }
        let pattern = GlobBuilder::new(name).build().map_err(|e| e.to_string())?.compile_matcher();
        Ok(Rule { text: text.to_owned(), pattern, fault: Fault { kind, argument } })
    }

    /// The fault of this device, if the rule is about it; `Err` when the family does not know it.
    pub fn applied_to(&self, name: &str, platform: Platform) -> Option<Result<Fault, String>> {
        self.pattern.is_match(name).then(|| {
            let unsuited =
                || format!("--fault {}: {name} is a {platform}, which has no such thing", self.text);
            if personality::of(platform).suits(self.fault.kind) {
                Ok(self.fault.clone())
            } else {
                Err(unsuited())
            }
        })
    }
}
