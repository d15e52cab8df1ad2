//! What the upstreams are configured to: `interface upstream 1/1.1`, and under it frequency, width,
//! description, and the logical channels with their profiles.

use std::borrow::Cow;

use foldhash::HashMap;

use super::{Taken, Upstream, is_upstream};
use crate::platform::lines::{Memo, Words, frequency, is_number};

/// The ports that were shown.
#[derive(Default)]
pub(super) struct Config<'a> {
    ports: Vec<Port<'a>>,
    index: HashMap<&'a str, usize>,
    /// Logical channels by port and number.
    channels: HashMap<(usize, &'a str), usize>,
    open: Option<usize>,
    memo: Memo<'a, Said<'a>>,
}

#[derive(Default)]
struct Port<'a> {
    name: &'a str,
    center_hz: Option<u64>,
    width_hz: Option<u64>,
    description: Option<&'a str>,
    shut: bool,
    taken: bool,
    channels: Vec<Channel<'a>>,
}

#[derive(Default)]
struct Channel<'a> {
    number: &'a str,
    profile: Option<u32>,
    width_hz: Option<u64>,
    description: Option<&'a str>,
    shut: bool,
    taken: bool,
}

/// What is configured at one place: a logical channel with its port, or a port as a whole.
pub(super) struct Place<'a> {
    pub profile: Option<u32>,
    pub shut: bool,
    center_hz: Option<u64>,
    width_hz: Option<u64>,
    description: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// Adds to an upstream what the configuration knows of it.
    pub fn describe(&self, upstream: &mut Upstream<'a>) {
        upstream.center_hz = self.center_hz;
        upstream.width_hz = self.width_hz;
        upstream.description = self.description.map(Cow::Borrowed);
    }
}

impl<'a> Config<'a> {
    /// Whether an upstream is configured that is not shut down.
    pub fn in_service(&self) -> bool {
        self.ports.iter().any(|port| {
            !port.shut && (port.channels.is_empty() || port.channels.iter().any(|channel| !channel.shut))
        })
    }

    /// Ends the block that is open: what is next does not belong to its port.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Whether an upstream's configuration was there.
    pub fn seen(&self) -> bool {
        !self.ports.is_empty()
    }

    /// Returns what a line was taken for, or none when it has nothing to do with the configuration.
    pub fn line(&mut self, text: &'a str, mut words: Words<'a>) -> Option<Taken> {
        let mut first = words.next()?;
        let negates = || text.trim_ascii().strip_prefix("no ");
        let negated = if first == "no" { negates() } else { None };
        if let Some(bare) = negated {
            words = Words::new(bare.trim_start());
            first = words.next()?;
        }
        let negated = negated.is_some();
        if first.eq_ignore_ascii_case("interface") {
            return self.interface(words);
        }
        if matches!(first, "exit" | "end" | "!") {
            self.close();
            return Some(Taken::Ignored("the end of a block"));
        }
        let Some(open) = self.open else {
            return (first == "logical-channel")
                .then_some(Taken::Unparsed("a logical channel outside of an interface"));
        };
        let Some(said) = Said::read(first, negated, words) else {
            // A table follows a block that was not ended.
            self.close();
            return None;
        };
        self.memo.put(text, said);
        Some(self.set(open, said))
    }

    /// Takes a line that came before, where a block is open; none when it did not.
    pub fn again(&mut self, text: &str) -> Option<Taken> {
        let (open, said) = (self.open?, self.memo.get(text)?);
        Some(self.set(open, said))
    }

    fn set(&mut self, open: usize, said: Said<'a>) -> Taken {
        let port = &mut self.ports[open];
        match said.channel {
            None => port.set(said.setting),
            Some(number) => port.channel(open, number, &mut self.channels).set(said.setting),
        }
    }

    fn interface(&mut self, mut words: impl Iterator<Item = &'a str>) -> Option<Taken> {
        let (kind, name) = (words.next()?, words.next()?);
        // The heading of a table may begin with the same word, but names no interface.
        if !name.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        self.close();
        if !kind.eq_ignore_ascii_case("upstream") {
            return Some(Taken::Ignored("another interface"));
        }
        let name = name.trim_end_matches([',', ':']);
        if !is_upstream(name) {
            return Some(Taken::Unparsed("an upstream interface of another shape"));
        }
        // `1/1.1/0` is a logical channel of 1/1.1.
        let name = name.match_indices('/').nth(1).map_or(name, |(end, _)| &name[..end]);
        let next = self.ports.len();
        let place = *self.index.entry(name).or_insert(next);
        if place == next {
            self.ports.push(Port { name, ..Port::default() });
        }
        self.open = Some(place);
        Some(Taken::Header("an upstream interface"))
    }

    /// What is configured for an upstream, its logical channel or the port that it is; it is not among the rest then.
    pub fn take(&mut self, upstream: &str) -> Option<Place<'a>> {
        let (name, number) = match upstream.match_indices('/').nth(1) {
            Some((end, _)) => (&upstream[..end], Some(&upstream[end + 1..])),
            None => (upstream, None),
        };
        let at = *self.index.get(name)?;
        let port = &mut self.ports[at];
        let channel = number.and_then(|number| self.channels.get(&(at, number)).copied());
        match channel {
            Some(channel) => port.channels[channel].taken = true,
            None => port.taken |= number.is_none(),
        }
        Some(port.place(channel.map(|channel| &port.channels[channel])))
    }

    /// The name of every other logical channel, and what is configured. What was taken by its port, without a logical
    /// channel, was taken with all of them.
    pub fn rest(&self) -> impl Iterator<Item = (String, Place<'a>)> {
        self.ports.iter().filter(|port| !port.taken).flat_map(|port| {
            let named = move |channel: &Channel<'a>| {
                (format!("{}/{}", port.name, channel.number), port.place(Some(channel)))
            };
            port.channels.iter().filter(|channel| !channel.taken).map(named)
        })
    }
}

impl<'a> Port<'a> {
    /// The logical channel of a number, which is made when it was not there.
    fn channel(
        &mut self,
        own: usize,
        number: &'a str,
        index: &mut HashMap<(usize, &'a str), usize>,
    ) -> &mut Channel<'a> {
        let place = match self.channels.last() {
            // Its lines stand together.
            Some(last) if last.number == number => self.channels.len() - 1,
            _ => *index.entry((own, number)).or_insert(self.channels.len()),
        };
        if place == self.channels.len() {
            self.channels.push(Channel { number, ..Channel::default() });
        }
        &mut self.channels[place]
    }

    fn set(&mut self, setting: Setting<'a>) -> Taken {
        match setting {
            Setting::Shut(shut) => self.shut = shut,
            Setting::Description(text) => self.description = text,
            Setting::Frequency(hz) => self.center_hz = Some(hz),
            Setting::Width(hz) => self.width_hz = Some(hz),
            Setting::Profile(_) | Setting::Other | Setting::Invalid(_) => {}
        }
        setting.taken("state of a port")
    }

    fn place(&self, channel: Option<&Channel<'a>>) -> Place<'a> {
        Place {
            profile: channel.and_then(|channel| channel.profile),
            shut: self.shut || channel.is_some_and(|channel| channel.shut),
            center_hz: self.center_hz,
            width_hz: channel.and_then(|channel| channel.width_hz).or(self.width_hz),
            description: channel.and_then(|channel| channel.description).or(self.description),
        }
    }
}

impl<'a> Channel<'a> {
    fn set(&mut self, setting: Setting<'a>) -> Taken {
        match setting {
            Setting::Profile(profile) => self.profile = Some(profile),
            Setting::Shut(shut) => self.shut = shut,
            Setting::Description(text) => self.description = text,
            Setting::Width(hz) => self.width_hz = Some(hz),
            Setting::Frequency(_) | Setting::Other | Setting::Invalid(_) => {}
        }
        setting.taken("state of a channel")
    }
}

/// What a line of a block says, of the port or of the logical channel with this number.
#[derive(Clone, Copy)]
struct Said<'a> {
    channel: Option<&'a str>,
    setting: Setting<'a>,
}

#[derive(Clone, Copy)]
enum Setting<'a> {
    Profile(u32),
    Description(Option<&'a str>),
    /// Hz.
    Frequency(u64),
    /// Hz.
    Width(u64),
    Shut(bool),
    /// Of no interest.
    Other,
    /// What is wrong with it.
    Invalid(&'static str),
}

impl<'a> Said<'a> {
    /// Reads the words behind the first one, `no` set aside. None for a row of a table.
    fn read(first: &str, negated: bool, mut words: Words<'a>) -> Option<Self> {
        let setting = match first {
            "logical-channel" => {
                let Some(number) = words.next().filter(|number| is_number(number)) else {
                    let setting = Setting::Invalid("a logical channel without a number");
                    return Some(Said { channel: None, setting });
                };
                return Some(Said { channel: Some(number), setting: Setting::of_channel(negated, words) });
            }
            "shutdown" => Setting::Shut(!negated),
            "description" => Setting::Description(described(words).filter(|_| !negated)),
            "frequency" if !negated => Setting::hz(words.next(), Setting::Frequency),
            "channel-width" if !negated => Setting::hz(words.next(), Setting::Width),
            word if is_upstream(word) => return None,
            _ => Setting::Other,
        };
        Some(Said { channel: None, setting })
    }
}

impl<'a> Setting<'a> {
    fn of_channel(negated: bool, mut words: Words<'a>) -> Self {
        match words.next() {
            Some("profile" | "modulation-profile") if !negated => {
                let number = words.next().and_then(|number| number.parse().ok());
                number.map_or(Setting::Invalid("a profile without a number"), Setting::Profile)
            }
            Some("description") if !negated => Setting::Description(described(words)),
            Some("channel-width") if !negated => Setting::hz(words.next(), Setting::Width),
            Some("shutdown") => Setting::Shut(!negated),
            _ => Setting::Other,
        }
    }

    fn hz(word: Option<&str>, setting: fn(u64) -> Self) -> Self {
        word.and_then(frequency).map_or(Setting::Invalid("an invalid frequency"), setting)
    }

    fn taken(self, state: &'static str) -> Taken {
        match self {
            Setting::Profile(_) => Taken::Row("profile of a channel"),
            Setting::Description(_) => Taken::Row("description"),
            Setting::Frequency(_) => Taken::Row("frequency"),
            Setting::Width(_) => Taken::Row("width"),
            Setting::Shut(_) => Taken::Row(state),
            Setting::Other => Taken::Ignored("configuration"),
            Setting::Invalid(why) => Taken::Unparsed(why),
        }
    }
}

/// The text behind `description`, if there is any.
fn described(words: Words<'_>) -> Option<&str> {
    let text = words.rest().trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    Some(text).filter(|text| !text.is_empty())
}
