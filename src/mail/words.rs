//! The words of the mail in each language, and how numbers are written in it. Names from records (statuses,
//! modulations, reasons) stay as they are in every language, so that they can be looked up.

pub use crate::language::Language;

impl Language {
    /// Its words.
    #[must_use]
    pub fn words(self) -> &'static Words {
        match self {
            Language::En => &ENGLISH,
            Language::Nl => &DUTCH,
        }
    }
}

/// Everything that a mail says by itself. `{}` is where a value goes; see [`fill`].
#[allow(missing_docs)]
#[derive(Debug)]
pub struct Words {
    pub language: Language,
    pub decimal: char,
    pub title: &'static str,
    pub to: &'static str,
    pub window: &'static str,
    pub upstreams: &'static str,
    pub upstreams_on_cmts: &'static str,
    pub measurements: &'static str,
    pub hops: &'static str,
    pub coverage: &'static str,
    pub modulations: &'static str,
    pub lost: &'static str,
    pub offenders: &'static str,
    pub no_offenders: &'static str,
    pub more_offenders: &'static str,
    pub cmts: &'static str,
    pub upstream: &'static str,
    pub description: &'static str,
    pub change: &'static str,
    pub degraded: &'static str,
    pub worst: &'static str,
    pub why: &'static str,
    pub since: &'static str,
    pub modems: &'static str,
    pub snr: &'static str,
    pub snr_values: &'static str,
    pub channel: &'static str,
    pub chronic: &'static str,
    pub chronic_of: &'static str,
    pub gone: &'static str,
    pub last_polled: &'static str,
    pub missing_days: &'static str,
    pub not_attached: &'static str,
    pub too_big_for_server: &'static str,
    pub events: &'static str,
    pub incidents: &'static str,
    pub incidents_note: &'static str,
    pub moment: &'static str,
    pub stepped_down: &'static str,
    pub silent: &'static str,
    pub no_silent: &'static str,
    pub last_good: &'static str,
    pub never: &'static str,
    pub status: &'static str,
    pub thin: &'static str,
    pub no_thin: &'static str,
    pub and_more: &'static str,
    pub attached: &'static str,
    pub made: &'static str,
    pub empty: &'static str,
    pub partial: &'static str,
    pub only_rows: &'static str,
    pub only_until: &'static str,
    pub cmts_silent: &'static str,
    pub coverage_of: &'static str,
    pub bad_lines: &'static str,
}

impl Words {
    /// A number with at most `decimals` decimals.
    #[must_use]
    pub fn number(&self, value: f64, decimals: usize) -> String {
        format!("{value:.decimals$}").replace('.', self.decimal.encode_utf8(&mut [0; 4]))
    }
}

/// Puts values into the `{}` of a text, in order.
#[must_use]
pub fn fill(text: &str, values: &[&str]) -> String {
    let mut filled = String::new();
    let mut values = values.iter();
    for (n, part) in text.split("{}").enumerate() {
        if n > 0 {
            filled.push_str(values.next().copied().unwrap_or_default());
        }
        filled.push_str(part);
    }
    filled
}

static ENGLISH: Words = Words {
    language: Language::En,
    decimal: '.',
    title: "Modulation report {}",
    to: "to",
    window: "Window",
    upstreams: "Upstreams",
    upstreams_on_cmts: "{} (CMTSs: {})",
    measurements: "Measurements",
    hops: "Hops",
    coverage: "Coverage",
    modulations: "Share of measurements",
    lost: "Lost",
    offenders: "Upstreams that need a look",
    no_offenders: "None: no upstream changed its modulation or ran below what it can do.",
    more_offenders: "More of them in the attachment: {}.",
    cmts: "CMTS",
    upstream: "Upstream",
    description: "Description",
    change: "± day before",
    degraded: "Degraded",
    worst: "Lowest",
    why: "Why",
    since: "Since",
    modems: "Modems",
    snr: "SNR",
    snr_values: "{} dB, lowest {} dB",
    channel: "Channel",
    chronic: "Below expectation",
    chronic_of: "{} of the last 14 days",
    gone: "CMTSs that are no longer polled",
    last_polled: "Last polled",
    missing_days: "days without data: {}",
    not_attached: "The rows are not attached: {} MiB is more than the {} MiB of --max-size.",
    too_big_for_server: "The rows are not attached: with their {} MiB the mail is more than the server takes.",
    events: "Modulation events",
    incidents: "Incidents",
    incidents_note: "Scans in which many upstreams of one node or CMTS stepped down together.",
    moment: "Time",
    stepped_down: "Stepped down",
    silent: "Silent CMTSs",
    no_silent: "None: every CMTS answered in the window.",
    last_good: "Last good scan",
    never: "not known",
    status: "Status",
    thin: "Coverage below {} %",
    no_thin: "None: every CMTS that answered was observed for at least {} % of the time.",
    and_more: "and {} more",
    attached: "All upstreams are in the attachment {}.",
    made: "Made {} by modtools {}.",
    empty: "This report is empty: no upstream was measured in its window.",
    partial: "This report is partial: {}.",
    only_rows: "{} of {} upstreams",
    only_until: "until {}",
    cmts_silent: "silent CMTSs: {}",
    coverage_of: "coverage {} %",
    bad_lines: "unreadable lines: {}",
};

static DUTCH: Words = Words {
    language: Language::Nl,
    decimal: ',',
    title: "Modulatierapport {}",
    to: "tot en met",
    window: "Periode",
    upstreams: "Upstreams",
    upstreams_on_cmts: "{} (CMTS'en: {})",
    measurements: "Metingen",
    hops: "Hops",
    coverage: "Dekking",
    modulations: "Aandeel van de metingen",
    lost: "Verlies",
    offenders: "Upstreams die aandacht vragen",
    no_offenders: "Geen: geen enkele upstream wisselde van modulatie of zat lager dan hij kan.",
    more_offenders: "Nog meer in de bijlage: {}.",
    cmts: "CMTS",
    upstream: "Upstream",
    description: "Omschrijving",
    change: "± dag ervoor",
    degraded: "Verlaagd",
    worst: "Laagste",
    why: "Waarom",
    since: "Sinds",
    modems: "Modems",
    snr: "SNR",
    snr_values: "{} dB, laagste {} dB",
    channel: "Kanaal",
    chronic: "Onder verwachting",
    chronic_of: "{} van de laatste 14 dagen",
    gone: "CMTS'en die niet meer worden uitgelezen",
    last_polled: "Laatst uitgelezen",
    missing_days: "dagen zonder gegevens: {}",
    not_attached: "De rijen zijn niet bijgevoegd: {} MiB is meer dan de {} MiB van --max-size.",
    too_big_for_server: "De rijen zijn niet bijgevoegd: met hun {} MiB is de mail meer dan de server aanneemt.",
    events: "Modulatiegebeurtenissen",
    incidents: "Incidenten",
    incidents_note: "Scans waarin veel upstreams van één node of CMTS tegelijk omlaag gingen.",
    moment: "Tijdstip",
    stepped_down: "Omlaag",
    silent: "Stille CMTS'en",
    no_silent: "Geen: elke CMTS antwoordde in deze periode.",
    last_good: "Laatste goede scan",
    never: "niet bekend",
    status: "Status",
    thin: "Dekking onder {} %",
    no_thin: "Geen: elke CMTS die antwoordde is ten minste {} % van de tijd waargenomen.",
    and_more: "en nog {}",
    attached: "Alle upstreams staan in de bijlage {}.",
    made: "Gemaakt op {} door modtools {}.",
    empty: "Dit rapport is leeg: er is in deze periode geen enkele upstream gemeten.",
    partial: "Dit rapport is onvolledig: {}.",
    only_rows: "{} van {} upstreams",
    only_until: "tot {}",
    cmts_silent: "stille CMTS'en: {}",
    coverage_of: "dekking {} %",
    bad_lines: "onleesbare regels: {}",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_numbers_and_gaps() {
        assert_eq!("nl_NL.UTF-8".parse(), Ok(Language::Nl));
        assert_eq!("de".parse::<Language>(), Err(()));
        assert_eq!(ENGLISH.number(99.25, 1), "99.2");
        assert_eq!(DUTCH.number(99.75, 1), "99,8");
        assert_eq!(fill("{} of {}", &["1", "2"]), "1 of 2");
    }

    #[test]
    fn both_languages_have_the_same_gaps() {
        let shown = |words: &Words| format!("{words:?}").split("{}").count();
        assert_eq!(shown(&ENGLISH), shown(&DUTCH));
    }
}
