//! The words of the page, in each language: for its markup, by key, and as JSON for its script. The words of closed
//! sets come from [`crate::language`].

use serde_json::{Map, Value, json};

use crate::{
    language::Language,
    modulation::Modulation,
    record::{Status, Why},
};

/// What a key says in a language; empty when there is no such key.
#[must_use]
pub fn word(key: &str, language: Language) -> &'static str {
    WORDS.iter().find(|(known, ..)| *known == key).map_or("", |&(_, en, nl)| match language {
        Language::En => en,
        Language::Nl => nl,
    })
}

/// Everything that the script says: `{"lang","modulations":[{"word","bits"}],"why":{word:[label,meaning]},
/// "status":{word:meaning},"text":{key:text}}`.
#[must_use]
pub fn json(language: Language) -> String {
    let modulations: Vec<_> =
        Modulation::ALL.into_iter().map(|m| json!({"word": m.word(), "bits": m.bits()})).collect();
    let why: Map<_, _> = Why::ALL
        .into_iter()
        .map(|why| (why.word().to_owned(), json!([why.label(language), why.meaning(language)])))
        .collect();
    let status: Map<_, _> = Status::ALL
        .into_iter()
        .map(|status| (status.word().to_owned(), json!(status.meaning(language))))
        .collect();
    let text: Map<_, _> =
        WORDS.iter().map(|&(key, ..)| (key.to_owned(), Value::from(word(key, language)))).collect();
    json!({"lang": language.tag(), "modulations": modulations, "why": why, "status": status, "text": text})
        .to_string()
}

/// A key, English, Dutch.
type Entry = (&'static str, &'static str, &'static str);

/// Declares the words, in the form of the mail's: a text stands beside its translation.
macro_rules! words {
    ($($key:ident: $english:literal, $dutch:literal;)+) => {
        const WORDS: &[Entry] = &[$((stringify!($key), $english, $dutch)),+];
    };
}

// `{}` is where a value goes; before a `|` stands what is said of one, after it what is said of several.
words! {
    // The head of the page.
    to_table: "To the table of upstreams", "Naar de tabel van upstreams";
    day: "Day", "Dag";
    previous_day: "Previous day", "Vorige dag";
    next_day: "Next day", "Volgende dag";
    refresh: "Refresh", "Vernieuwen";
    refresh_title: "Look for newer data now", "Nu naar nieuwere gegevens kijken";
    theme_auto: "Theme: auto", "Thema: auto";
    theme_light: "Theme: light", "Thema: licht";
    theme_dark: "Theme: dark", "Thema: donker";
    reading: "Reading the data…", "Gegevens lezen…";
    needs_script: "This page needs JavaScript: it sorts and searches its data here, in the browser.",
        "Deze pagina heeft JavaScript nodig: ze sorteert en zoekt hier, in de browser.";
    data_for: "Data for {} ({}), made {}", "Gegevens van {} ({}), gemaakt {}";
    from_to: "{} to {}", "{} tot {}";
    unreadable: "The data cannot be read: {}", "De gegevens zijn niet te lezen: {}";
    no_report: "there is no report yet", "er is nog geen rapport";
    not_ours: "it was not written by this version; make it again with mod-report --date {} --web",
        "het is niet door deze versie geschreven; maak het opnieuw met mod-report --date {} --web";
    // Banners.
    no_day: "There is no page of {}. The days that are here: {} to {}.",
        "Er is geen pagina van {}. De dagen die er zijn: {} tot en met {}.";
    no_data_yet: "No data yet: {} has not begun.", "Nog geen gegevens: {} is nog niet begonnen.";
    show_newest: "Show {}", "{} tonen";
    no_cmts: "The address names {}, and CMTS {} has no measurement in this window.",
        "Het adres noemt {}, en CMTS {} heeft geen meting in deze periode.";
    no_row: "The address names {}, and CMTS {} has no such upstream in this window.",
        "Het adres noemt {}, en CMTS {} heeft die upstream niet in deze periode.";
    not_read: "Newer data could not be read ({}). What you see was made {}.",
        "Nieuwere gegevens waren niet te lezen ({}). Wat u ziet, is gemaakt {}.";
    stale_today: "Stale: this page of today was made {} ago, at {}. Is the report still being run?",
        "Verouderd: deze pagina van vandaag is {} geleden gemaakt, om {}. Wordt het rapport nog gemaakt?";
    stale: "Stale: the newest data is of {}. No report has been made since.",
        "Verouderd: de nieuwste gegevens zijn van {}. Sindsdien is er geen rapport gemaakt.";
    made_early: "This page was made {}, before its day had ended: what came later is missing.",
        "Deze pagina is gemaakt {}, voordat de dag om was: wat later kwam, ontbreekt.";
    nothing_measured: "No measurement at all in this window.", "Geen enkele meting in deze periode.";
    thin: "Only {} % of the time was observed: hops and losses are lower bounds.",
        "Slechts {} % van de tijd is waargenomen: hops en verlies zijn ondergrenzen.";
    missing_days: "Nothing is left of these days: {}.", "Van deze dagen is niets over: {}.";
    built_in: "The modulation of {} upstream rests on the built-in profile table, which its device has not confirmed.|The modulation of {} upstreams rests on the built-in profile table, which their devices have not confirmed.",
        "De modulatie van {} upstream berust op de ingebouwde profieltabel, die door het apparaat niet is bevestigd.|De modulatie van {} upstreams berust op de ingebouwde profieltabel, die door de apparaten niet is bevestigd.";
    silent: "{} CMTS is silent, without a good scan in this window:|{} CMTSs are silent, without a good scan in this window:",
        "{} CMTS is stil, zonder goede scan in deze periode:|{} CMTS’en zijn stil, zonder goede scan in deze periode:";
    since: "since {}", "sinds {}";
    never_good: "no good scan of it is known", "er is geen goede scan van bekend";
    stopped: "{} CMTS has stopped answering:|{} CMTSs have stopped answering:",
        "{} CMTS antwoordt niet meer:|{} CMTS’en antwoorden niet meer:";
    last_measured: "last measured {}", "laatst gemeten {}";
    gone: "{} CMTS is no longer polled:|{} CMTSs are no longer polled:",
        "{} CMTS wordt niet meer uitgelezen:|{} CMTS’en worden niet meer uitgelezen:";
    last_polled: "last tried {}", "laatst geprobeerd {}";
    // Totals.
    totals: "Totals", "Totalen";
    upstreams: "Upstreams", "Upstreams";
    on_cmts: "on {} CMTS|on {} CMTSs", "op {} CMTS|op {} CMTS’en";
    below: "Below expectation", "Onder verwachting";
    still_below: "{} still so when last seen", "{} bij de laatste meting nog steeds";
    capacity_lost: "Capacity lost", "Verloren capaciteit";
    gb_in_all: "{} GB in all", "{} GB in totaal";
    no_width: "no channel width is known", "geen kanaalbreedte bekend";
    per_upstream: "{} per upstream", "{} per upstream";
    measurements: "Measurements", "Metingen";
    each: "each {}", "elke {}";
    of_time_observed: "of the time was observed", "van de tijd waargenomen";
    share_of_each: "Share of each modulation", "Aandeel per modulatie";
    customer_hours: "Customer hours", "Klanturen";
    customer_hours_note: "below expectation", "onder verwachting";
    chronic_count: "{} chronic", "{} chronisch";
    // The worst.
    worst_title: "Look at these first", "Kijk hier het eerst naar";
    none_below: "No upstream was below its expected modulation.",
        "Geen enkele upstream zat onder de verwachte modulatie.";
    worst_one: "The upstream that loses most capacity: {} % of all that was lost. It opens in the table below.",
        "De upstream die de meeste capaciteit verliest: {} % van al het verlies. Hij opent in de tabel hieronder.";
    worst_many: "The {} upstreams that lose most capacity: {} % of all that was lost. Each opens in the table below.",
        "De {} upstreams die de meeste capaciteit verliezen: {} % van al het verlies. Elk opent in de tabel hieronder.";
    lost_of: "{} lost", "{} verlies";
    // Pictures.
    heat_title: "Where and when: upstreams below expectation, %", "Waar en wanneer: upstreams onder verwachting, %";
    heat_caption: "Percent of the upstreams of each CMTS below expectation, by hour",
        "Procent van de upstreams van elke CMTS onder verwachting, per uur";
    heat_hint: "{} CMTS, those that lose most first.|{} CMTSs, those that lose most first.",
        "{} CMTS, wat het meest verliest eerst.|{} CMTS’en, wat het meest verliest eerst.";
    heat_hint_first: "The {} that lose most of {} CMTSs.", "De {} die het meest verliezen van {} CMTS’en.";
    show_all: "Show all", "Alles tonen";
    show_fewer: "Show fewer", "Minder tonen";
    show_upstreams: "Show its upstreams", "Upstreams tonen";
    unmeasured: "not measured", "niet gemeten";
    to_come: "to come", "komt nog";
    not_one_day: "There is no picture of this window: it is not one day.",
        "Van deze periode is er geen beeld: het is niet één dag.";
    mbps_lost: "Mbit/s lost", "Mbit/s verlies";
    spectrum_title: "Where in the spectrum: capacity lost, %", "Waar in het spectrum: verloren capaciteit, %";
    spectrum_caption: "Percent of the capacity lost, by centre frequency in MHz",
        "Procent van de capaciteit verloren, per middenfrequentie in MHz";
    spectrum_hint: "Centre frequency in MHz. Noise that enters the network shows as a column.",
        "Middenfrequentie in MHz. Storing die het net binnenkomt, is een kolom.";
    no_frequencies: "No centre frequency is known.", "Er is geen middenfrequentie bekend.";
    lost_pct_of: "{} % lost, {}", "{} % verlies, {}";
    shares_title: "Modulation over the day", "Modulatie over de dag";
    zoom: "Enlarge the low ones", "Lage vergroten";
    without: "Without {}.", "Zonder {}.";
    shares_hint: "100 % = {} upstream; hatched: not measured.|100 % = {} upstreams; hatched: not measured.",
        "100 % = {} upstream; gearceerd: niet gemeten.|100 % = {} upstreams; gearceerd: niet gemeten.";
    as_table: "As a table", "Als tabel";
    hour: "Hour", "Uur";
    shares_caption: "Share of each modulation by hour", "Aandeel van elke modulatie per uur";
    incidents_title: "What happened together", "Wat tegelijk gebeurde";
    no_incidents: "Nowhere did five or more upstreams of one node or CMTS step down in the same scan.",
        "Nergens gingen vijf of meer upstreams van één node of CMTS in dezelfde scan omlaag.";
    down_on: "{} upstream down on |{} upstreams down on ", "{} upstream omlaag op |{} upstreams omlaag op ";
    worked_on: "maintenance", "onderhoud";
    smaller_ones: "and {} smaller one.|and {} smaller ones.", "en nog {} kleinere.|en nog {} kleinere.";
    // Sums.
    sums_title: "Sums", "Totalen per groep";
    by: "by", "per";
    family: "Family", "Familie";
    cmts: "CMTS", "CMTS";
    cmtss: "CMTSs", "CMTS’en";
    node: "Node", "Node";
    hub: "Hub", "Hub";
    area: "Area", "Gebied";
    none_of_these: "(none)", "(geen)";
    sums_hint: "The {} that lose most of {}.", "De {} die het meest verliezen van {}.";
    // The table.
    upstreams_title: "Upstreams", "Upstreams";
    view: "View", "Weergave";
    view_all: "All", "Alle";
    view_chronic: "Chronic", "Chronisch";
    chronic_hint: "Upstreams that were below expectation for half of their observed time on at least 7 of the last 14 finished days.",
        "Upstreams die op ten minste 7 van de laatste 14 afgelopen dagen de helft van de waargenomen tijd onder verwachting zaten.";
    search: "Search", "Zoeken";
    search_in: "CMTS, upstream, description, node; CCAP10*", "CMTS, upstream, omschrijving, node; CCAP10*";
    node_example: "a name, or AMS*", "een naam, of AMS*";
    all: "all", "alle";
    hops: "Hops", "Hops";
    hops_high: "high, over 50", "veel, meer dan 50";
    hops_medium: "medium, 10 to 50", "gemiddeld, 10 tot 50";
    hops_low: "low, under 10", "weinig, minder dan 10";
    modulation_seen: "Modulation seen", "Modulatie gezien";
    why: "Why", "Waarom";
    coverage: "Coverage", "Dekking";
    cov_whole: "whole, 99 % or more", "volledig, 99 % of meer";
    cov_gaps: "gaps, under 99 %", "gaten, onder 99 %";
    cov_poor: "poor, under 50 %", "slecht, onder 50 %";
    sort: "Sort", "Sorteren";
    clear: "Clear", "Wissen";
    csv_title: "This view as CSV", "Deze weergave als CSV";
    excel_title: "This view for a spreadsheet: semicolons, names that look like dates kept as text",
        "Deze weergave voor een rekenblad: puntkomma’s, decimale komma, namen die op datums lijken als tekst";
    columns: "Columns", "Kolommen";
    default_columns: "As it was", "Zoals het was";
    pages: "Pages", "Bladzijden";
    first: "First", "Eerste";
    back: "Previous", "Vorige";
    forth: "Next", "Volgende";
    last: "Last", "Laatste";
    page: "Page", "Blad";
    of_pages: "of {}", "van {}";
    rows: "Rows", "Rijen";
    details: "Details", "Details";
    details_of: "Details of {}", "Details van {}";
    count_upstreams: "{} upstream|{} upstreams", "{} upstream|{} upstreams";
    count_of: "{} of {}", "{} van {}";
    count_hops: "{} hop|{} hops", "{} hop|{} hops";
    count_measurements: "{} measurement|{} measurements", "{} meting|{} metingen";
    count_lost: "{} Mbit/s lost", "{} Mbit/s verlies";
    caption: "Upstreams {} to {} of {}, by {}, {}", "Upstreams {} tot en met {} van {}, op {}, {}";
    ascending: "ascending", "oplopend";
    descending: "descending", "aflopend";
    empty: "No upstream is like that. “Clear” shows all of them again.",
        "Zo is er geen upstream. “Wissen” toont ze allemaal weer.";
    upstream: "Upstream", "Upstream";
    hours: "Hours of the day", "Uren van de dag";
    lost_mbps: "Lost Mbit/s", "Verlies Mbit/s";
    lost_pct: "Lost %", "Verlies %";
    degraded: "Degraded", "Verlaagd";
    measured: "Measured", "Gemeten";
    last_expected: "Last, expected", "Laatst, verwacht";
    day_before: "Day before", "Dag ervoor";
    days_strip: "30 days", "30 dagen";
    since_label: "Since", "Sinds";
    chronic_days: "Days of 14", "Dagen van 14";
    best_seen: "Best seen", "Best gezien";
    center: "Centre MHz", "Midden MHz";
    width: "Width MHz", "Breedte MHz";
    snr: "SNR dB", "SNR dB";
    modems: "Modems", "Modems";
    link: "Link", "Link";
    unknown_width: "its channel width is not known", "de kanaalbreedte is niet bekend";
    unknown: "unknown", "onbekend";
    expected_of: "of {}", "van {}";
    nothing_expected: "nothing expected", "niets verwacht";
    by_hour: "by hour: {}", "per uur: {}";
    by_day: "by day: {}", "per dag: {}";
    points: "{} pt", "{} pt";
    // The opened row.
    copy_ticket: "Copy for a ticket", "Kopiëren voor een ticket";
    copied: "Copied", "Gekopieerd";
    not_copied: "Not copied: select the text yourself", "Niet gekopieerd: selecteer de tekst zelf";
    lost: "Lost", "Verlies";
    hops_words: "{}: {} down, {} up", "{}: {} omlaag, {} omhoog";
    longest: "{}, longest stretch {}", "{}, langste stuk {}";
    never: "never", "nooit";
    modulation: "Modulation", "Modulatie";
    modulation_words: "last {}, expected {}, lowest {}", "laatst {}, verwacht {}, laagst {}";
    best_seen_on: "{} last seen on {}", "{} laatst gezien op {}";
    pct_of_time: "{} % of the time", "{} % van de tijd";
    against_before: "Against the day before", "Ten opzichte van de dag ervoor";
    of_loss: "{} of loss", "{} verlies";
    chronic_words: "{} of the last 14 finished days", "{} van de laatste 14 afgelopen dagen";
    below_for_half: "Below for half of the day", "De helft van de dag eronder";
    channel: "Channel", "Kanaal";
    channel_center: "centre {} MHz", "midden {} MHz";
    channel_width: "width {} MHz", "breedte {} MHz";
    snr_words: "median {} dB, lowest {} dB", "mediaan {} dB, laagste {} dB";
    snr_parts: "{} dB while below expectation, {} dB else", "{} dB onder verwachting, {} dB anders";
    modems_words: "{} registered; a bonded modem counts on each of its upstreams",
        "{} aangemeld; een modem met channel bonding telt op elk van zijn upstreams";
    customer_words: "{} customer hour below expectation|{} customer hours below expectation",
        "{} klantuur onder verwachting|{} klanturen onder verwachting";
    never_below_seen: "never below expectation", "nooit onder verwachting";
    below_seen: "below expectation: {}", "onder verwachting: {}";
    days_words: "The 30 finished days up to {}, the lowest modulation of each",
        "De 30 afgelopen dagen tot en met {}, van elk de laagste modulatie";
    days_unknown: "The days before are not known here.", "De dagen ervoor zijn hier niet bekend.";
    // What the numbers mean.
    meaning_title: "What the numbers mean", "Wat de getallen betekenen";
    meaning_hops: "Changes of modulation that were observed between two measurements: a lower bound. ↓ to fewer bits per symbol, ↑ to more.",
        "Wisselingen van modulatie die tussen twee metingen zijn gezien: een ondergrens. ↓ naar minder bits per symbool, ↑ naar meer.";
    expected: "Expected", "Verwacht";
    meaning_expected: "What the upstream should run at: as configured for the report, else the best modulation that it held for at least 1 % of the observed time of this day, or for at least 10 % of that of any one day in the 90 before it.",
        "Wat de upstream hoort te halen: zoals ingesteld voor het rapport, anders de beste modulatie die hij ten minste 1 % van de waargenomen tijd van deze dag had, of ten minste 10 % van die van een van de 90 dagen ervoor.";
    meaning_lost: "Bits per symbol below the expected ones, over the time observed: in percent, and in Mbit/s where the channel width is known (symbol rate = width / 1.25).",
        "Bits per symbool onder de verwachte, over de waargenomen tijd: in procent, en in Mbit/s waar de kanaalbreedte bekend is (symboolsnelheid = breedte / 1,25).";
    meaning_degraded: "Time at fewer bits per symbol than expected; beneath it the longest stretch.",
        "Tijd met minder bits per symbool dan verwacht; eronder het langste stuk.";
    meaning_coverage: "Time for which a measurement held, of the time that has passed. Of the rest nothing is claimed.",
        "Tijd waarvoor een meting gold, van de tijd die voorbij is. Over de rest wordt niets beweerd.";
    strip_hours: "Strip of hours", "Strook van uren";
    meaning_hours: "The lowest modulation of each hour, by colour and height; pale above it how high it came in the same hour: an upstream that flaps has both, one that is stuck has only the low one. Hatched: not measured. Empty: still to come.",
        "De laagste modulatie van elk uur, in kleur en hoogte; bleek daarboven hoe hoog hij in hetzelfde uur kwam: een upstream die wisselt heeft beide, een die laag blijft alleen de lage. Gearceerd: niet gemeten. Leeg: komt nog.";
    strip_days: "Strip of days", "Strook van dagen";
    meaning_days: "Of each finished day the lowest modulation that was held for at least a tenth of its observed time. Hatched: not known.",
        "Van elke afgelopen dag de laagste modulatie die ten minste een tiende van de waargenomen tijd gold. Gearceerd: niet bekend.";
    meaning_modems: "Registered on the upstream when it was last read. A bonded modem uses several upstreams and counts on each of them, so modems and customer hours of several upstreams may count one customer more than once.",
        "Aangemeld op de upstream toen hij het laatst werd uitgelezen. Een modem met channel bonding gebruikt meer upstreams en telt op elk ervan: over meer upstreams kan een klant dus vaker meetellen.";
    meaning_incidents: "At least five upstreams of one node or CMTS, and a tenth of those in service, stepped down in the same scan: look for one cause that they share.",
        "Ten minste vijf upstreams van één node of CMTS, en een tiende van wat in dienst is, gingen in dezelfde scan omlaag: zoek één gedeelde oorzaak.";
    keys: "Keys", "Toetsen";
    meaning_keys: "/ goes to the search field. The address of this page holds the day and the view: it can be mailed.",
        "/ gaat naar het zoekveld. Het adres van deze pagina bevat de dag en de weergave: het kan worden gemaild.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn both_languages_say_the_same_with_the_same_gaps() {
        let keys: BTreeSet<_> = WORDS.iter().map(|(key, ..)| key).collect();
        assert_eq!(keys.len(), WORDS.len(), "a key stands twice");
        for (key, en, nl) in WORDS {
            let shape = |text: &str| (text.matches("{}").count(), text.matches('|').count());
            assert!(!en.is_empty() && !nl.is_empty(), "{key}");
            assert_eq!(shape(en), shape(nl), "{key}");
        }
    }

    /// What a file asks for between `begin` and `end`.
    fn asked<'a>(text: &'a str, begin: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
        text.split(begin).skip(1).filter_map(move |rest| rest.split_once(end).map(|(key, _)| key))
    }

    #[test]
    fn every_word_is_there_and_used() {
        let script = super::super::html::script();
        let page = include_str!("assets/index.html");
        let missing: Vec<_> = [" t('", "(t('", "{t('", "[t('", "tn('", "parts('", "label: '"]
            .into_iter()
            .flat_map(|begin| asked(&script, begin, "'"))
            .filter(|key| word(key, Language::En).is_empty())
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        let by_name = ["theme_auto", "theme_light", "theme_dark"];
        let is_used = |key: &str| {
            by_name.contains(&key)
                || script.contains(&format!("'{key}'"))
                || page.contains(&format!("{{{{{key}}}}}"))
        };
        let unused: Vec<_> = WORDS.iter().map(|(key, ..)| *key).filter(|key| !is_used(key)).collect();
        assert!(unused.is_empty(), "{unused:?}");
    }
}
