//! What may be wrong with an upstream, what works did to it, and how the collection of a device ended, for people.

use super::Language::{self, En, Nl};
use crate::record::{Status, Verdict, Why};

impl Why {
    /// Two or three words for a label.
    #[must_use]
    pub const fn label(self, language: Language) -> &'static str {
        match (self, language) {
            (Why::Chronic, En) => "chronic",
            (Why::Chronic, Nl) => "chronisch",
            (Why::StuckLow, En) => "stuck low",
            (Why::StuckLow, Nl) => "blijft laag",
            (Why::Flapping, En) => "flapping",
            (Why::Flapping, Nl) => "wisselt vaak",
            (Why::SteppedDown, En) => "stepped down",
            (Why::SteppedDown, Nl) => "omlaag gegaan",
            (Why::Incident, En) => "incident",
            (Why::Incident, Nl) => "incident",
            (Why::Gap, En) => "gap",
            (Why::Gap, Nl) => "gat",
            (Why::UnknownProfile, En) => "unknown profile",
            (Why::UnknownProfile, Nl) => "onbekend profiel",
            (Why::UnconfirmedProfile, En) => "unconfirmed profile",
            (Why::UnconfirmedProfile, Nl) => "onbevestigd profiel",
            (Why::NeverBetter, En) => "never better",
            (Why::NeverBetter, Nl) => "nooit beter",
        }
    }

    /// What it means, as the end of a sentence.
    #[must_use]
    pub const fn meaning(self, language: Language) -> &'static str {
        match (self, language) {
            (Why::Chronic, En) => "below what is expected on at least 7 of the last 14 days",
            (Why::Chronic, Nl) => "lager dan verwacht op ten minste 7 van de laatste 14 dagen",
            (Why::StuckLow, En) => "below what is expected, and stayed there",
            (Why::StuckLow, Nl) => "lager dan verwacht, en zo gebleven",
            (Why::Flapping, En) => "at least six changes within twenty measurements",
            (Why::Flapping, Nl) => "ten minste zes wisselingen binnen twintig metingen",
            (Why::SteppedDown, En) => "went down in the window and did not come back",
            (Why::SteppedDown, Nl) => "in deze periode omlaag gegaan en niet teruggekomen",
            (Why::Incident, En) => "went down together with others of its node or CMTS",
            (Why::Incident, Nl) => "samen met andere upstreams van de node of CMTS omlaag gegaan",
            (Why::Gap, En) => "measurements are missing",
            (Why::Gap, Nl) => "er ontbreken metingen",
            (Why::UnknownProfile, En) => "a modulation profile that nothing explains",
            (Why::UnknownProfile, Nl) => "een modulatieprofiel dat niets verklaart",
            (Why::UnconfirmedProfile, En) => "its modulation rests on the built-in profile table",
            (Why::UnconfirmedProfile, Nl) => "de modulatie berust op de ingebouwde profieltabel",
            (Why::NeverBetter, En) => "never seen at anything better",
            (Why::NeverBetter, Nl) => "nooit op iets beters gezien",
        }
    }
}

impl Verdict {
    /// Two words at most.
    #[must_use]
    pub const fn label(self, language: Language) -> &'static str {
        match (self, language) {
            (Verdict::Better, En) => "better",
            (Verdict::Better, Nl) => "beter",
            (Verdict::Same, En) => "same",
            (Verdict::Same, Nl) => "gelijk",
            (Verdict::Worse, En) => "worse",
            (Verdict::Worse, Nl) => "slechter",
            (Verdict::TooEarly, En) => "too early",
            (Verdict::TooEarly, Nl) => "te vroeg",
        }
    }
}

impl Status {
    /// What it means, as a sentence about the device.
    #[must_use]
    pub const fn meaning(self, language: Language) -> &'static str {
        match (self, language) {
            (Status::Ok, En) => "it answered",
            (Status::Ok, Nl) => "hij antwoordde",
            (Status::Partial, En) => "it answered in part",
            (Status::Partial, Nl) => "hij antwoordde gedeeltelijk",
            (Status::ResolveFailed, En) => "its name does not resolve",
            (Status::ResolveFailed, Nl) => "de naam heeft geen adres",
            (Status::Refused, En) => "it refused the connection",
            (Status::Refused, Nl) => "de verbinding werd geweigerd",
            (Status::Unreachable, En) => "it is unreachable",
            (Status::Unreachable, Nl) => "hij is onbereikbaar",
            (Status::ConnectTimeout, En) => "no connection in time",
            (Status::ConnectTimeout, Nl) => "geen verbinding binnen de tijd",
            (Status::KexFailed, En) => "no common SSH algorithm",
            (Status::KexFailed, Nl) => "geen gemeenschappelijk SSH-algoritme",
            (Status::HostKeyUnknown, En) => "its host key is not known",
            (Status::HostKeyUnknown, Nl) => "de hostsleutel is niet bekend",
            (Status::HostKeyChanged, En) => "its host key has changed",
            (Status::HostKeyChanged, Nl) => "de hostsleutel is veranderd",
            (Status::AuthFailed, En) => "the login was rejected",
            (Status::AuthFailed, Nl) => "de aanmelding werd geweigerd",
            (Status::LoginTimeout, En) => "no prompt in time",
            (Status::LoginTimeout, Nl) => "geen prompt binnen de tijd",
            (Status::ReadTimeout, En) => "it stopped answering during the scan",
            (Status::ReadTimeout, Nl) => "hij stopte tijdens de scan met antwoorden",
            (Status::Disconnected, En) => "it closed the connection",
            (Status::Disconnected, Nl) => "hij sloot de verbinding",
            (Status::OutputTooLarge, En) => "its output was too large",
            (Status::OutputTooLarge, Nl) => "de uitvoer was te groot",
            (Status::CommandFailed, En) => "it refused a command",
            (Status::CommandFailed, Nl) => "hij weigerde een commando",
            (Status::Cancelled, En) => "the scan was cancelled",
            (Status::Cancelled, Nl) => "de scan werd afgebroken",
            (Status::ParseFailed, En) => "its answer could not be parsed",
            (Status::ParseFailed, Nl) => "het antwoord was niet te lezen",
            (Status::Internal, En) => "an internal fault of modtools",
            (Status::Internal, Nl) => "een interne fout van modtools",
        }
    }
}
