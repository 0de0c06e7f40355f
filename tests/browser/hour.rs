//! An operator's hour, pressed together: callers of twenty accounts, three on one desk at once, and no mouse. Each caller has
//! a voice of its own. The operator writes down whose voice she hears, without a look at the screen; the API tells
//! afterwards on which account it stands, and SIPp knows which number was dialled. `CORDBOARD_LONG=1`: all sixty;
//! `CORDBOARD_SHOTS=FOLDER`: pictures of the desk are kept there.

use serde_json::{Value, json};

use super::api::Api;
use super::ear::{Ear, assert_hears};
use super::seat::Seat;
use super::server::Server;
use super::sipp::{Sipp, free_port};
use super::{OPERATOR_HZ, one_at_a_time, peers, peers_are_there};

const ACCOUNTS: usize = 20;
const AT_ONCE: usize = 3;
/// The hour has twenty rounds of three callers; a round is some ten seconds. A machine at somebody's desk is spared most.
const ROUNDS: usize = 20;
const ROUNDS_IN_SHORT: usize = 7;
const CONTACT_HZ: f64 = 3_300.0;
/// What was written when the next caller was taken, and what was written after it.
const BEGUN: &str = "The caller with the voice of ";
const ASKED_FOR: &str = ": please call back.";
const PROBLEM: &str = "Leak";

struct Caller {
    voice: usize,
    ear: Ear,
    line: Sipp,
}

struct Hour {
    server: Server,
    kim: Seat,
    phone_port: u16,
    voices: Vec<f64>,
}

fn account_of(caller: usize) -> usize {
    // Three who are there at once call for three accounts.
    caller * 7 % ACCOUNTS
}

fn name_of(account: usize) -> String {
    format!("Acme Heating {}", char::from(b'A' + account as u8))
}

fn did_of(account: usize) -> String {
    format!("+161755501{:02}", 20 + account)
}

fn number_of(caller: usize) -> String {
    format!("+131255501{caller:02}")
}

/// Forms differ: some ask for the problem as well.
fn asks_for_the_problem(account: usize) -> bool {
    account.is_multiple_of(4)
}

/// One of six is patched through to the account's contact.
fn is_patched(caller: usize) -> bool {
    caller % 6 == 2
}

fn words_of(voice: usize) -> String {
    format!("{BEGUN}{voice}{ASKED_FOR}")
}

/// Twenty accounts, each with a contact who has a telephone.
fn write_accounts(admin: &Api) {
    for account in 0..ACCOUNTS {
        let name = name_of(account);
        let (status, made) = admin.post(
            "/api/v1/accounts",
            &json!({ "name": name, "zone": "America/Chicago", "color": format!("#{:02x}6080", 40 + account * 10), "dids": [did_of(account)],
                "greeting": { "kind": "spoken", "text": "Hello." } }),
        );
        assert_eq!(status, 201, "{made}");
        let path = format!("/api/v1/accounts/{}", made["id"].as_str().expect("an id"));
        let field = |label: &str, kind: Value| json!({ "label": label, "kind": kind, "required": true });
        let mut fields = vec![field("Name", json!({ "kind": "text" })), field("Callback", json!({ "kind": "phone" }))];
        if asks_for_the_problem(account) {
            let options = ["No heat", PROBLEM, "Something else"];
            fields.push(field("Problem", json!({ "kind": "choice", "options": options })));
        }
        fields.push(field("Message", json!({ "kind": "long_text" })));
        let call_type = json!({ "name": "Message", "urgency": "routine", "form": { "fields": fields } });
        let types = json!({ "edition": made["edition"], "call_types": [call_type] });
        let (status, refused) = admin.put(&format!("{path}/call_types"), &types);
        assert_eq!(status, 200, "{refused}");
        let reach = json!({ "kind": "phone", "address": format!("+130355501{:02}", 10 + account) });
        let dana =
            json!({ "name": format!("Dana {account}"), "destinations": [{ "label": "mobile", "reach": reach }] });
        let (status, refused) = admin.post(&format!("{path}/contacts"), &dana);
        assert_eq!(status, 201, "{refused}");
    }
}

impl Hour {
    fn dial(&self, caller: usize) -> Caller {
        let ear = Ear::open(self.voices[caller]);
        let scenario = if is_patched(caller) { "caller_on_cue" } else { "caller" };
        let target = format!("127.0.0.1:{}", self.server.sip);
        let (did, number) = (did_of(account_of(caller)), number_of(caller));
        let keys = [("did", did.as_str()), ("caller", number.as_str())];
        let line = Sipp::start(scenario, &target, free_port(), ear.port(), &keys, &self.server.dir);
        Caller { voice: caller, ear, line }
    }

    /// Whose voice is in the headset, and nobody else's.
    fn hears(&mut self) -> usize {
        let heard = self.kim.act("hand_listens", json!({ "tones": self.voices }));
        usize::try_from(heard.as_u64().expect("a place in the list")).expect("one of the callers")
    }

    /// Writes down who is heard, as far as this goes before the next one is taken.
    fn begins(&mut self, name: &str, voice: usize) {
        let account = name.chars().last().map_or(0, |letter| (letter as u8 - b'A').into());
        // The number is taken over, as the form offers.
        let mut answers = vec![json!(["name", format!("Voice {voice}")]), json!(["callback", null])];
        if asks_for_the_problem(account) {
            answers.push(json!(["problem", PROBLEM]));
        }
        answers.push(json!(["message", format!("{BEGUN}{voice}")]));
        self.kim.act("hand_writes", json!({ "answers": answers }));
    }

    /// The cursor is where it was left, behind what was written for this voice.
    fn goes_on(&mut self, voice: usize) {
        let at = self.kim.act("hand_at", json!({}));
        let expected = json!({ "field": "message", "value": format!("{BEGUN}{voice}"), "end": true });
        assert_eq!(at, expected, "voice {voice}: the form of another call, or the cursor is lost");
        self.kim.act("hand_types", json!({ "words": ASKED_FOR }));
    }

    /// Saves, does what is to be done with the caller, and leaves the call.
    fn ends(&mut self, caller: Caller) {
        let saved_in = self.kim.act("hand_saves", json!({}));
        assert!(saved_in.as_u64().is_some_and(|keys| keys <= 2), "saved in {saved_in} keys");
        if is_patched(caller.voice) {
            let contact = Ear::open(CONTACT_HZ);
            let phone = self.patches(&caller, &contact);
            self.kim.act("hand_finishes", json!({}));
            // The two talk on, until the caller hangs up.
            caller.line.cue();
            phone.expect_success();
        } else {
            self.kim.act("hand_hangs_up", json!({}));
            self.kim.act("hand_finishes", json!({}));
        }
        caller.line.expect_success();
    }

    /// Through to the contact, whose telephone is given back; she is out of it then.
    fn patches(&mut self, caller: &Caller, contact: &Ear) -> Sipp {
        let scratch = &self.server.dir;
        let phone = Sipp::start("callee", "127.0.0.1:9", self.phone_port, contact.port(), &[], scratch);
        let dialled_in = self.kim.act("hand_dials", json!({}));
        let mut ears = self.voices.clone();
        ears.push(CONTACT_HZ);
        let contact_at = ears.len() - 1;
        let alone = self.kim.act("hand_listens", json!({ "tones": ears }));
        assert_eq!(alone, json!(contact_at), "before the join the contact alone is heard");
        let joined_in = self.kim.act("hand_joins", json!({}));
        let keys = dialled_in.as_u64().zip(joined_in.as_u64()).map(|(dialled, joined)| dialled + joined);
        assert!(keys.is_some_and(|keys| keys <= 3), "patched in {dialled_in} and {joined_in} keys");
        let both = self.kim.act("hand_listens_to_all", json!({ "tones": ears, "count": 2 }));
        assert_eq!(both, json!([caller.voice, contact_at]), "after the join caller and contact are heard");
        if caller.voice == 2 {
            self.shows("joined", 1_600, false);
            self.shows("joined-narrow-dark", 800, true);
        }
        self.kim.act("hand_drops_off", json!({}));
        phone
    }

    fn shows(&mut self, name: &str, width: u32, dark: bool) {
        let shot = json!({ "name": name, "width": width, "height": 900, "dark": dark });
        self.kim.act("hand_shows", shot);
        if let Some(folder) = std::env::var_os("CORDBOARD_SHOTS") {
            let file = format!("{name}.png");
            let to = std::path::Path::new(&folder).join(&file);
            std::fs::copy(self.server.dir.join(&file), to).expect("the folder for screenshots can be written");
        }
    }

    /// Three callers dial at one moment; in which order they come, only their voices tell.
    fn round(&mut self, round: usize) {
        let callers = round * AT_ONCE..(round + 1) * AT_ONCE;
        let mut there: Vec<Option<Caller>> = callers.clone().map(|caller| Some(self.dial(caller))).collect();
        let end = |hour: &mut Self, there: &mut [Option<Caller>], voice: usize| {
            hour.ends(there[voice % AT_ONCE].take().expect("a caller ends once"));
        };
        // One comes by himself, the others by a key, while she writes.
        let mut name = self.kim.act("hand_popped", json!({}));
        let mut voice = 0;
        for n in 0..AT_ONCE {
            if n > 0 {
                name = self.kim.act("hand_takes", json!({}));
            }
            voice = self.hears();
            assert!(callers.contains(&voice), "a voice of this round: {voice}, {callers:?}");
            self.begins(name.as_str().expect("a name"), voice);
        }
        if round == 0 {
            self.shows("three-at-once", 1_600, false);
            self.shows("three-at-once-narrow", 800, false);
            for caller in there.iter().flatten().filter(|caller| caller.voice != voice) {
                assert_hears("a caller on hold", &caller.ear.listen(1.0), &[], &[OPERATOR_HZ]);
            }
        }
        self.goes_on(voice);
        end(self, &mut there, voice);
        for n in 1..AT_ONCE {
            self.kim.act("hand_retrieves", json!({}));
            let voice = self.hears();
            if n == 1 && round % 2 == 1 {
                self.kim.act("hand_parks_and_fetches", json!({}));
                assert_eq!(self.hears(), voice, "who was parked is fetched");
            }
            self.goes_on(voice);
            end(self, &mut there, voice);
        }
        assert!(there.iter().all(Option::is_none), "round {round}: somebody was never heard");
    }
}

/// All messages that were taken.
fn messages(api: &Api) -> Vec<Value> {
    let mut all = Vec::new();
    let mut page = api.get("/api/v1/messages?limit=50");
    loop {
        all.extend(page["items"].as_array().expect("a list").iter().cloned());
        match page["next"].as_str() {
            Some(next) => page = api.get(&format!("/api/v1/messages?limit=50&cursor={next}")),
            None => return all,
        }
    }
}

#[test]
fn in_an_operators_hour_by_keyboard_alone_every_message_is_on_the_account_that_was_dialled() {
    let _turn = one_at_a_time();
    let test = "in_an_operators_hour_by_keyboard_alone_every_message_is_on_the_account_that_was_dialled";
    if !peers_are_there(test) || peers::find_program(test, "espeak-ng").is_none() {
        return;
    }
    let whole = std::env::var_os("CORDBOARD_LONG").is_some();
    let rounds = if whole { ROUNDS } else { ROUNDS_IN_SHORT };
    let phone_port = free_port();
    let server = Server::start_with_carrier(phone_port);
    let admin = Api::log_in(server.http, "admin");
    write_accounts(&admin);
    let mut kim = Seat::open(server.http, OPERATOR_HZ, &server.dir);
    let base = format!("http://127.0.0.1:{}", server.http);
    kim.act("hand_log_in", json!({ "base": base, "login": "kim", "password": "cordboard-demo" }));
    kim.act("hand_get_ready", json!({}));
    let voices = (0..rounds * AT_ONCE).map(|caller| 1_020.0 + 32.0 * caller as f64).collect();
    let mut hour = Hour { server, kim, phone_port, voices };
    for round in 0..rounds {
        hour.round(round);
    }
    assert_eq!(hour.kim.act("hand_pointers", json!({})), 0, "by the keyboard alone");
    assert_eq!(hour.kim.act("hand_complaints", json!({})), json!([]));

    let kims = Api::log_in(hour.server.http, "kim");
    let taken = messages(&kims);
    assert_eq!(taken.len(), rounds * AT_ONCE);
    let accounts = admin.get("/api/v1/accounts?limit=100");
    for caller in 0..rounds * AT_ONCE {
        let words = words_of(caller);
        let theirs: Vec<&Value> = taken.iter().filter(|m| m["answers"]["message"] == words.as_str()).collect();
        let [message] = theirs[..] else { panic!("{} messages say {words:?}", theirs.len()) };
        let account = account_of(caller);
        let on = accounts["items"].as_array().expect("a list").iter().find(|a| a["id"] == message["account"]["id"]);
        assert_eq!(on.map(|a| &a["dids"][0]), Some(&json!(did_of(account))), "voice {caller}: {message}");
        assert_eq!(message["caller"], number_of(caller), "{message}");
        let mut answers = json!({ "name": format!("Voice {caller}"), "callback": number_of(caller), "message": words });
        if asks_for_the_problem(account) {
            answers["problem"] = json!(PROBLEM);
        }
        assert_eq!(message["answers"], answers);
    }
    assert_eq!(kims.get("/api/v1/drafts")["items"], json!([]), "no form is left over");
}
