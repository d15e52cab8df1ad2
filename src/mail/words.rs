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

/// Declares [`Words`] and the words of each language: a text stands beside its translation.
macro_rules! words {
    ($($name:ident: $english:literal, $dutch:literal;)+) => {
        /// Everything that a mail says by itself. `{}` is where a value goes; see [`fill`].
        #[allow(missing_docs)]
        #[derive(Debug)]
        pub struct Words { pub language: Language, pub decimal: char, $(pub $name: &'static str),+ }

        static ENGLISH: Words = Words { language: Language::En, decimal: '.', $($name: $english),+ };
        static DUTCH: Words = Words { language: Language::Nl, decimal: ',', $($name: $dutch),+ };
    };
}

words! {
    title: "Modulation report {}", "Modulatierapport {}";
    to: "to", "tot en met";
    window: "Window", "Periode";
    upstreams: "Upstreams", "Upstreams";
    upstreams_on_cmts: "{} (CMTSs: {})", "{} (CMTS'en: {})";
    measurements: "Measurements", "Metingen";
    hops: "Hops", "Hops";
    coverage: "Coverage", "Dekking";
    modulations: "Share of measurements", "Aandeel van de metingen";
    lost: "Lost", "Verlies";
    offenders: "Upstreams that need a look", "Upstreams die aandacht vragen";
    no_offenders: "None: no upstream changed its modulation or ran below what it can do.",
        "Geen: geen enkele upstream wisselde van modulatie of zat lager dan hij kan.";
    more_offenders: "More of them in the attachment: {}.", "Nog meer in de bijlage: {}.";
    cmts: "CMTS", "CMTS";
    upstream: "Upstream", "Upstream";
    description: "Description", "Omschrijving";
    change: "± day before", "± dag ervoor";
    degraded: "Degraded", "Verlaagd";
    worst: "Lowest", "Laagste";
    why: "Why", "Waarom";
    since: "Since", "Sinds";
    modems: "Modems", "Modems";
    snr: "SNR", "SNR";
    snr_values: "{} dB, lowest {} dB", "{} dB, laagste {} dB";
    channel: "Channel", "Kanaal";
    chronic: "Below expectation", "Onder verwachting";
    chronic_of: "{} of the last 14 days", "{} van de laatste 14 dagen";
    gone: "CMTSs that are no longer polled", "CMTS'en die niet meer worden uitgelezen";
    last_polled: "Last polled", "Laatst uitgelezen";
    missing_days: "days without data: {}", "dagen zonder gegevens: {}";
    not_attached: "The rows are not attached: {} MiB is more than the {} MiB of --max-size.",
        "De rijen zijn niet bijgevoegd: {} MiB is meer dan de {} MiB van --max-size.";
    too_big_for_server: "The rows are not attached: with their {} MiB the mail is more than the server takes.",
        "De rijen zijn niet bijgevoegd: met hun {} MiB is de mail meer dan de server aanneemt.";
    events: "Modulation events", "Modulatiegebeurtenissen";
    incidents: "Incidents", "Incidenten";
    incidents_note: "Scans in which many upstreams of one node or CMTS stepped down together.",
        "Scans waarin veel upstreams van één node of CMTS tegelijk omlaag gingen.";
    moment: "Time", "Tijdstip";
    stepped_down: "Stepped down", "Omlaag";
    silent: "Silent CMTSs", "Stille CMTS'en";
    no_silent: "None: every CMTS answered in the window.", "Geen: elke CMTS antwoordde in deze periode.";
    last_good: "Last good scan", "Laatste goede scan";
    never: "not known", "niet bekend";
    status: "Status", "Status";
    thin: "Coverage below {} %", "Dekking onder {} %";
    no_thin: "None: every CMTS that answered was observed for at least {} % of the time.",
        "Geen: elke CMTS die antwoordde is ten minste {} % van de tijd waargenomen.";
    and_more: "and {} more", "en nog {}";
    attached: "All upstreams are in the attachment {}.", "Alle upstreams staan in de bijlage {}.";
    made: "Made {} by modtools {}.", "Gemaakt op {} door modtools {}.";
    empty: "This report is empty: no upstream was measured in its window.",
        "Dit rapport is leeg: er is in deze periode geen enkele upstream gemeten.";
    partial: "This report is partial: {}.", "Dit rapport is onvolledig: {}.";
    only_rows: "{} of {} upstreams", "{} van {} upstreams";
    only_until: "until {}", "tot {}";
    cmts_silent: "silent CMTSs: {}", "stille CMTS'en: {}";
    coverage_of: "coverage {} %", "dekking {} %";
    bad_lines: "unreadable lines: {}", "onleesbare regels: {}";
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
