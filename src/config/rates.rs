//! Reading `[rates]`: how fast what leaves may leave, by channel, by destination and by provider.

use super::section::{At, Section};
use crate::domain::dispatch::lanes::{ChannelRates, Pace, Rates};
use crate::domain::dispatch::state::Channel;

/// The most that means anything: a thousand a second.
const MOST_PER_MINUTE: i64 = 60_000;
const MOST_AT_ONCE: i64 = 1_000;
/// One for what is urgent, and one for the rest.
const LEAST: i64 = 2;

/// By the names of their tables, `[rates.call_out]`.
const CHANNELS: [(&str, Channel); 7] = [
    ("email", Channel::Email),
    ("text", Channel::Text),
    ("call_out", Channel::Call),
    ("pager", Channel::Pager),
    ("push", Channel::Push),
    ("webhook", Channel::Webhook),
    ("fax", Channel::Fax),
];

/// The keys of a pace.
struct Keys {
    per_minute: &'static str,
    burst: &'static str,
    at_once: &'static str,
}

const OF_EDGE: Keys = Keys { per_minute: "per_minute", burst: "burst", at_once: "at_once" };
const TO_ONE: Keys = Keys { per_minute: "to_one_per_minute", burst: "to_one_burst", at_once: "to_one_at_once" };

/// `known`: the providers that the file has, by channel and name.
pub(super) fn read_rates(section: &Section<'_>, known: &[(Channel, String)]) -> Rates {
    let mut rates = Rates::usual();
    for (name, channel) in CHANNELS {
        if let Some(usual) = rates.channels.get_mut(&channel) {
            *usual = read_channel(&section.section(name), *usual);
        }
    }
    for one in section.sections("provider") {
        read_provider(&one, known, &mut rates);
    }
    section.finish();
    rates
}

fn read_channel(section: &Section<'_>, usual: ChannelRates) -> ChannelRates {
    let pace = read_pace(section, &OF_EDGE, usual.pace);
    // Where destinations have no pace of their own its keys are not known.
    let to_one = usual.to_one.map(|usual| read_pace(section, &TO_ONE, usual));
    section.finish();
    if let Some(to_one) = to_one {
        let more = [
            ("to_one_per_minute", to_one.per_minute > pace.per_minute, "per_minute"),
            ("to_one_at_once", to_one.at_once > pace.at_once, "at_once"),
        ];
        for (key, _, all) in more.into_iter().filter(|(_, more, _)| *more) {
            let what = format!("`{key}` lets more through to one destination than `{all}` does to all of them");
            section.complain(section.span(), what, format!("Make `{key}` no more than `{all}`, or write both"));
        }
    }
    ChannelRates { pace, to_one }
}

fn read_pace(section: &Section<'_>, keys: &Keys, usual: Pace) -> Pace {
    let number = |key, least, most, usual: u32| {
        let written = section.number(key, least..=most);
        written.and_then(|At { value, .. }| u32::try_from(value).ok()).unwrap_or(usual)
    };
    Pace {
        per_minute: number(keys.per_minute, 1, MOST_PER_MINUTE, usual.per_minute),
        burst: number(keys.burst, LEAST, MOST_PER_MINUTE, usual.burst),
        at_once: number(keys.at_once, LEAST, MOST_AT_ONCE, usual.at_once),
    }
}

/// One provider's own pace; what it does not say is its channel's.
fn read_provider(section: &Section<'_>, known: &[(Channel, String)], rates: &mut Rates) {
    let fix = "Write \"text\" for an [[sms]], \"pager\" for a [[pager]], \"webhook\" for a [[webhook]]";
    let channel = section.parsed("channel", fix, |text| match text {
        "text" => Some(Channel::Text),
        "pager" => Some(Channel::Pager),
        "webhook" => Some(Channel::Webhook),
        _ => None,
    });
    let name = section.text("name");
    for (key, fix) in [("channel", fix), ("name", "Write the `name` that the provider has in its own table")] {
        if !section.has(key) {
            section.complain_missing(key, fix);
        }
    }
    let channel = channel.map(|at| at.value);
    let usual = channel.and_then(|channel| rates.channels.get(&channel)).map(|rates| rates.pace);
    let pace = usual.map(|usual| read_pace(section, &OF_EDGE, usual));
    if pace.is_some() {
        section.finish();
    }
    let (Some(channel), Some(pace), Some(At { value: name, span })) = (channel, pace, name) else { return };
    if !known.iter().any(|(of, known)| *of == channel && *known == name) {
        let what = format!("nothing of this channel is called \"{name}\"");
        section.complain(span, what, "Write the `name` that the provider has in its own table");
    } else if rates.providers.insert((channel, name.clone()), pace).is_some() {
        let what = format!("another [[rates.provider]] is for \"{name}\" too");
        section.complain(span, what, "Write one for each provider");
    }
}
