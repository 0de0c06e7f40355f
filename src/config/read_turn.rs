//! `[turn]`: the relay by which operators speak whose network lets no audio through.

use std::time::Duration;

use super::Turn;
use super::read::read_secret;
use super::section::Section;
use crate::proto::turn::check_uri;

const URLS_FIX: &str =
    "Write [\"turn:relay.example.com:3478?transport=udp\", \"turns:relay.example.com:443?transport=tcp\"]";
const SECRET_FIX: &str = "Name the file that holds the relay's own secret (coturn's static-auth-secret)";

/// Unless written: a shift and a little more.
const TTL: Duration = Duration::from_secs(12 * 3_600);

/// The outer `None` is a mistake, the inner one is no relay.
pub(super) fn read_turn(section: &Section<'_>) -> Option<Option<Turn>> {
    let urls = section.list("urls", URLS_FIX, |text| Some(text.to_owned()));
    let secret = read_secret(section, "secret_file");
    let ttl = section.number("ttl", 600..=86_400);
    let has_ttl = section.has("ttl");
    section.finish();
    if !section.is_there() {
        return Some(None);
    }
    if urls.is_none() && !section.has("urls") {
        section.complain_missing("urls", URLS_FIX);
    }
    if urls.as_ref().is_some_and(Vec::is_empty) {
        section.complain(section.span(), "`urls` is empty: browsers would know of no relay", URLS_FIX);
    }
    if secret.is_none() && !section.has("secret_file") {
        section.complain_missing("secret_file", SECRET_FIX);
    }
    let mut usable = true;
    for url in urls.iter().flatten() {
        if let Err(why) = check_uri(&url.value) {
            let what = format!("`urls` holds \"{}\", and {why}", url.value);
            section.complain(url.span.clone(), what, URLS_FIX);
            usable = false;
        }
    }
    let urls: Vec<String> = urls?.into_iter().map(|url| url.value).collect();
    if !usable || urls.is_empty() || (has_ttl && ttl.is_none()) {
        return None;
    }
    let ttl = ttl.and_then(|at| u64::try_from(at.value).ok()).map_or(TTL, Duration::from_secs);
    Some(Some(Turn { urls, secret: secret?, ttl }))
}
