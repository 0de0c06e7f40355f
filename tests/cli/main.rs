//! The program as a person at a shell meets it: what it prints, and how it ends.

mod account;
mod alarms;
mod answers;
mod audit;
mod demo;
mod email;
mod fax;
mod pipes;
mod rates;
#[path = "../support/temp.rs"]
mod temp;
mod trunks;
mod users;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use temp::TempDir;

fn cordboard(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cordboard"))
        .args(arguments)
        .current_dir(directory)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .expect("the program can be started")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn write(directory: &Path, name: &str, text: &str) {
    std::fs::write(directory.join(name), text).expect("the temporary directory can be written");
}

/// Ports of the system's choosing, so that tests side by side do not meet.
const SMALL: &str = "
[http]
bind = \"127.0.0.1:0\"
[sip]
trunk_bind = \"127.0.0.1:0\"
phones_bind = \"127.0.0.1:0\"
[store]
path = \"data/cordboard.db\"
key_file = \"data/cordboard.key\"
[auth]
jwt_secret_file = \"data/jwt.secret\"
";

/// [`SMALL`], with all that `serve` needs.
fn whole() -> String {
    let prompts = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts/en");
    format!("{SMALL}[voice]\nprompts = \"{}\"\ncache = \"data/speech\"\n", prompts.display())
}

#[test]
fn every_mistake_is_told_at_once_with_its_line_and_its_cure() {
    let directory = TempDir::new("cli");
    write(
        directory.path(),
        "cordboard.toml",
        r#"trunks = ["carrier.toml", "missing"]
[http]
bnid = "127.0.0.1:8080"
public_url = "desk.example.com"
[sip]
trunk_bind = "127.0.0.1:5060"
phones_bind = "0.0.0.0:5060"
[media]
ports = "29999-20000"
shards = "two"
[store]
path = "a.db"
url = "postgres://localhost/cordboard"
[email]
from = "nobody"
[[sms]]
name = "Text Messages"
kind = "twilio"
auth_token_file = "nowhere.token"
[telephones]
[recording]
directory = "carrier.toml"
keep_days = 0
[operators]
not_ready_reasons = ["Lunch", "lunch"]
"#,
    );
    write(
        directory.path(),
        "carrier.toml",
        "name = \"carrier\"\nkind = \"telepathy\"\naddresses = [\"203.0.113.0/40\"]\nchannels = 0\ncaller_ids = [\"911\"]\n",
    );
    let output = cordboard(directory.path(), &["check", "--config", "cordboard.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    for expected in [
        "cordboard.toml:1: `trunks` names missing, which does not exist. ",
        "cordboard.toml:3: [http]: `bnid` is not known. Perhaps `bind` was meant.",
        "cordboard.toml:4: [http]: `public_url = \"desk.example.com\"` cannot be read. Write it as \"https://",
        "cordboard.toml:7: [sip]: `phones_bind` is the port that trunks have already. Give phones a port of their own",
        "cordboard.toml:9: [media]: `ports = \"29999-20000\"` cannot be read. Write first and last",
        "cordboard.toml:10: [media]: `shards` is not a whole number from 1 to 64. Write digits without quotation marks.",
        "cordboard.toml:13: [store]: `path` and `url` are both there. Keep `path` for SQLite or `url` for PostgreSQL.",
        "cordboard.toml:14: [email]: `host` is missing. ",
        "cordboard.toml:15: [email]: `from = \"nobody\"` cannot be read. ",
        "cordboard.toml:16: [[sms]]: `account_sid` is missing. ",
        "cordboard.toml:16: [[sms]]: `from` is missing. ",
        "cordboard.toml:17: [[sms]]: `name = \"Text Messages\"` cannot be read. Use lower-case letters",
        "cordboard.toml:19: [[sms]]: `auth_token_file` names nowhere.token, and it does not exist. ",
        "cordboard.toml:20: `telephones` is not known. Known here: alarms, audit, auth, board, email,",
        "carrier.toml, and that is a file. Name a directory of its own",
        "cordboard.toml:23: [recording]: `keep_days` is not a whole number from 1 to 3660.",
        "cordboard.toml:25: [operators]: `not_ready_reasons` holds \"lunch\" twice. Write it once.",
        "carrier.toml:1: `target` is missing. ",
        "carrier.toml:2: `kind = \"telepathy\"` cannot be read. Write \"address\" or \"registration\".",
        "carrier.toml:3: `addresses` holds \"203.0.113.0/40\", which cannot be read. Write an address or a network",
        "carrier.toml:4: `channels` is not a whole number from 1 to 10000. ",
        "carrier.toml:5: `caller_ids` holds \"911\", which cannot be read. Write the whole number",
        "22 mistakes",
    ] {
        assert!(said.contains(expected), "missing: {expected}\nsaid:\n{said}");
    }
}

#[test]
fn a_file_that_is_no_toml_is_told_by_line_and_nothing_is_made_up() {
    let directory = TempDir::new("cli");
    write(directory.path(), "cordboard.toml", "[http]\nbind = 127.0.0.1:8080\n[email\nhost = \"x\"\n");
    let output = cordboard(directory.path(), &["check"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("cordboard.toml:2: this is not TOML"), "{said}");
    assert!(said.contains("cordboard.toml:3: this is not TOML"), "{said}");
    assert!(!said.contains("is missing"), "{said}");

    let output = cordboard(directory.path(), &["check", "--config", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(self::said(&output).contains("nowhere.toml:1: the file cannot be read"));
}

#[test]
fn what_serve_or_the_first_call_would_not_take_is_told_with_its_line() {
    let directory = TempDir::new("cli");
    let trunk = "name = \"c\"\nkind = \"address\"\naddresses = [\"192.0.2.7\"]\ntarget = \"192.0.2.7\"\n";
    write(directory.path(), "t.toml", trunk);
    write(directory.path(), "everybody.toml", &trunk.replace("\"192.0.2.7\"]", "\"0.0.0.0/0\"]"));
    write(directory.path(), "short.toml", &format!("{trunk}caller_ids = [\"+1202555\"]\n"));
    write(directory.path(), "ourselves.toml", &trunk.replace("target = \"192.0.2.7\"", "target = \"127.0.0.1\""));
    write(directory.path(), "broken.toml", &format!("{trunk}channels = 0\n"));
    write(directory.path(), "readme.txt", "no key\n");
    for (config, mistake) in [
        (
            "[media]\nports = \"5062-5080\"\n",
            "cordboard.toml:2: [media]: `ports` hold 5070, where [sip] `phones_bind` listens",
        ),
        (
            "[voice]\nprompts = \"nowhere\"\n",
            "cordboard.toml:2: [voice]: `prompts` names nowhere, which holds no music.wav",
        ),
        (
            "[store]\npath = \"readme.txt/a.db\"\n",
            "cordboard.toml:2: [store]: `path` lies in readme.txt, which is a file",
        ),
        (
            "[store]\nkey_file = \"readme.txt\"\n",
            "cordboard.toml:2: [store]: `key_file` names readme.txt, which is no key",
        ),
        ("[fax]\nstation_id = \"call me\"\n", "cordboard.toml:2: [fax]: `station_id = \"call me\"` cannot be read"),
        ("trunks = [\"everybody.toml\"]\n", "everybody.toml:3: `addresses` lets a large part of the world call in"),
        ("trunks = [\"short.toml\"]\n", "short.toml:5: `caller_ids` holds a number of 7 digits"),
        (
            "trunks = [\"ourselves.toml\"]\n",
            "ourselves.toml:4: `target` is 127.0.0.1:5060, where Cordboard itself listens",
        ),
        ("trunks = [\n\"t.toml\",\n\"./t.toml\"]\n", "cordboard.toml:3: `trunks` names ./t.toml twice"),
    ] {
        write(directory.path(), "cordboard.toml", config);
        let output = cordboard(directory.path(), &["check"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{config}\n{said}");
        assert!(said.contains(mistake) && said.contains("1 mistake"), "missing: {mistake}\nsaid: {said}");
    }
    write(directory.path(), "cordboard.toml", "trunks = [\"broken.toml\", \"broken.toml\"]\n");
    let output = said(&cordboard(directory.path(), &["check"]));
    assert_eq!(output.matches("broken.toml:5: `channels`").count(), 1, "{output}");
    write(directory.path(), "cordboard.toml", "[voice]\ncommand = [\"no-such-voice\"]\n");
    let output = cordboard(directory.path(), &["check"]);
    let words = said(&output);
    assert_eq!(output.status.code(), Some(0), "{words}");
    assert!(words.contains("warning: the voice engine no-such-voice"), "{words}");
}

#[test]
fn an_open_address_needs_https_before_it() {
    let directory = TempDir::new("cli");
    write(directory.path(), "cordboard.toml", "[http]\nbind = \"0.0.0.0:8080\"\n");
    let output = cordboard(directory.path(), &["check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("cordboard.toml:2: [http]: browsers give a page their microphone only over https"));
    write(
        directory.path(),
        "cordboard.toml",
        "[http]\nbind = \"0.0.0.0:8080\"\nbehind_proxy = true\nproxies = [\"10.0.0.1\"]\n",
    );
    let output = cordboard(directory.path(), &["check"]);
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stdout).trim()),
        (Some(0), "cordboard.toml: no mistakes (0 trunks)")
    );
}

#[test]
fn what_is_right_alone_but_cannot_work_together_is_told() {
    let directory = TempDir::new("cli");
    let carrier = "name = \"carrier\"\nkind = \"address\"\naddresses = [\"203.0.113.7\"]\ntarget = \"";
    write(directory.path(), "named.toml", &format!("{carrier}sip.carrier.example\"\n"));
    write(directory.path(), "by-address.toml", &format!("{carrier}203.0.113.7\"\n"));
    write(directory.path(), "token", "secret\n");
    let text = |name: &str| {
        format!(
            "[[sms]]\nname = \"{name}\"\nkind = \"twilio\"\naccount_sid = \"AC1\"\n\
             auth_token_file = \"token\"\nfrom = \"+12025550100\"\n"
        )
    };
    let telnyx = |key: &str| {
        format!(
            "[[sms]]\nname = \"three\"\nkind = \"telnyx\"\napi_key_file = \"token\"\npublic_key = \"{key}\"\n\
             from = \"+12025550100\"\n"
        )
    };
    let smpp = "[[sms]]\nname = \"four\"\nkind = \"smpp\"\naddress = \"smpp.example.com\"\nsystem_id = \"desk\"\n\
                password_file = \"token\"\nfrom = \"+12025550100\"\n";
    let pager = "[[pager]]\nname = \"metro\"\n";
    let snpp = format!("{pager}kind = \"snpp\"\naddress = \"snpp.example.com\"\n");
    let webhook = "[[webhook]]\nname = \"desk\"\nsecret_file = \"hook\"\n";
    write(directory.path(), "hook", "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n");
    let posted = format!("{webhook}url = \"https://hooks.example.com/cordboard\"\n");
    let http = "[http]\npublic_url = \"https://desk.example.com\"\n";
    let open = "[sip]\ntrunk_bind = \"0.0.0.0:5060\"\n";
    let media = "[media]\nbind_ip = \"192.0.2.10\"\n";
    let everywhere = "[media]\nbind_ip = \"0.0.0.0\"\n";
    for (config, mistake) in [
        (format!("trunks = [\"by-address.toml\"]\n{open}"), "3: [media]: `bind_ip` is of this machine alone"),
        (format!("{open}[media]\nbind_ip = \"127.0.0.1\"\n"), "4: [media]: `bind_ip` is of this machine alone"),
        ("[sip]\nphone_digests = [\"SHA-512\"]\n".to_owned(), "2: [sip]: `phone_digests` holds \"SHA-512\", which"),
        ("[sip]\nphone_digests = []\n".to_owned(), "1: [sip]: `phone_digests` is empty"),
        ("[sip]\nphone_srtp = \"required\"\n".to_owned(), "2: [sip]: audio is encrypted with keys that SIP carries"),
        (
            "[media]\nbind_ip = [\"192.0.2.1\", \"192.0.2.2\"]\n".to_owned(),
            "2: [media]: `bind_ip` names two addresses of one",
        ),
        ("[media]\nbind_ip = []\n".to_owned(), "1: [media]: `bind_ip` is empty"),
        (
            "[media]\nbind_ip = \"192.0.2.1\"\npublic_ip = [\"203.0.113.7\", \"2001:db8::7\"]\n".to_owned(),
            "3: [media]: `public_ip` is of a family that `bind_ip` has no",
        ),
        (everywhere.to_owned(), "2: [media]: `bind_ip` is every address of this machine"),
        (format!("{http}{}{}", text("one"), text("one")), "9: [[sms]]: another [[sms]] has the same `name`"),
        (text("one"), "1: [http]: `public_url` is missing, and text providers"),
        ("[[sms]]\nname = \"a\"\nkind = \"smoke\"\nfrom = \"+12025550100\"\naccount_sid = \"A\"\nauth_token_file = \"token\"\n".to_owned(), "3: [[sms]]: `kind = \"smoke\"` cannot be read"),
        (format!("{smpp}window = 0\n"), "8: [[sms]]: `window` is not a whole number from 1 to 1000"),
        (format!("{smpp}alphabet = \"latin\"\n"), "8: [[sms]]: `alphabet = \"latin\"` cannot be read"),
        (format!("{smpp}receipt_ids = \"dec\"\n"), "8: [[sms]]: `receipt_ids = \"dec\"` cannot be read"),
        (format!("{http}{}", telnyx("AAAA")), "7: [[sms]]: `public_key = \"AAAA\"` cannot be read"),
        (format!("{pager}kind = \"snpp\"\n"), "1: [[pager]]: `address` is missing"),
        (format!("{pager}kind = \"smoke\"\naddress = \"a\"\n"), "3: [[pager]]: `kind = \"smoke\"` cannot be read"),
        (format!("{pager}kind = \"tap\"\naddress = \"192.0.2.1\"\n"), "4: [[pager]]: `address = \"192.0.2.1\"` cannot"),
        (format!("{pager}kind = \"wctp\"\nsender = \"us\"\n"), "1: [[pager]]: `url` is missing"),
        (format!("{snpp}max_length = 5\n"), "5: [[pager]]: `max_length` is not a whole number from 20 to 2000"),
        (format!("{snpp}ca_file = \"token\"\n"), "1: [[pager]]: `ca_file` says whom TLS trusts"),
        (webhook.to_owned(), "1: [[webhook]]: `url` is missing"),
        (format!("{webhook}url = \"http://hooks.example.com/\"\n"), "4: [[webhook]]: `url = \"http://hooks.example.com/\"` cannot"),
        (posted.replace("\"hook\"", "\"token\""), "1: [[webhook]]: `secret_file` holds nothing that posts can be"),
        (format!("{posted}{posted}"), "5: [[webhook]]: another webhook is called \"desk\" too"),
        (format!("{snpp}{snpp}"), "5: [[pager]]: another pager carrier is called \"metro\" too"),
    ] {
        write(directory.path(), "cordboard.toml", &config);
        let output = cordboard(directory.path(), &["check"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{config}\n{said}");
        assert!(said.contains(&format!("cordboard.toml:{mistake}")), "missing: {mistake}\nsaid: {said}");
        assert!(said.contains("1 mistake"), "{said}");
    }
    for config in [
        format!("trunks = [\"by-address.toml\"]\n{open}{media}"),
        format!("trunks = [\"named.toml\"]\n{open}{media}"),
        "[media]\nbind_ip = [\"192.0.2.1\", \"2001:db8::1\"]\npublic_ip = \"203.0.113.7\"\n".to_owned(),
        "[media]\nbind_ip = [\"0.0.0.0\", \"::\"]\npublic_ip = [\"203.0.113.7\", \"2001:db8::7\"]\n".to_owned(),
        format!("trunks = [\"named.toml\"]\n{open}public_address = \"203.0.113.9\"\n{media}"),
        format!("{everywhere}public_ip = \"203.0.113.9\"\n"),
        format!("{http}{}", text("one")),
        format!("{http}{}{}{}", text("one"), text("two"), telnyx("7v///////////////////////////////////////38=")),
        smpp.to_owned(),
        format!("{smpp}alphabet = \"latin1\"\nreceipt_ids = \"decimal\"\n"),
        format!("{snpp}login = \"desk\"\npassword_file = \"token\"\ntls = true\nlong = \"cut\"\n"),
        format!("{pager}kind = \"wctp\"\nurl = \"https://wctp.example.com/wctp\"\nsender = \"us\"\n"),
        format!("{pager}kind = \"tap\"\naddress = \"192.0.2.1:4000\"\npassword_file = \"token\"\n"),
        posted.clone(),
    ] {
        write(directory.path(), "cordboard.toml", &config);
        let output = cordboard(directory.path(), &["check"]);
        assert_eq!(output.status.code(), Some(0), "{config}\n{}", said(&output));
    }
}

#[test]
fn tls_needs_all_that_belongs_to_it_and_srtp_needs_tls() {
    let directory = TempDir::new("cli");
    let made = rcgen::generate_simple_self_signed(vec!["desk.test".to_owned()]).expect("a certificate");
    write(directory.path(), "a.pem", &made.cert.pem());
    write(directory.path(), "a.key", &made.signing_key.serialize_pem());
    let other = rcgen::generate_simple_self_signed(vec!["desk.test".to_owned()]).expect("a certificate");
    write(directory.path(), "b.key", &other.signing_key.serialize_pem());
    let pair = "certificate = \"a.pem\"\nkey = \"a.key\"\n";
    let trunk = |more: &str| {
        let head = "name = \"c\"\nkind = \"address\"\naddresses = [\"192.0.2.7\"]\ntarget = \"sip.carrier.example\"\n";
        write(directory.path(), "trunk.toml", &format!("{head}{more}"));
        "trunks = [\"trunk.toml\"]\n".to_owned()
    };
    let tls_trunk = format!("transport = \"tls\"\nsrtp = \"required\"\n[tls]\nca_file = \"a.pem\"\n{pair}");
    for (config, more, mistake) in [
        ("[sip]\ntrunk_tls_bind = \"127.0.0.1:5061\"\n", "", ":2: [sip]: TLS needs a certificate. "),
        (&format!("[sip.tls]\n{pair}"), "", ":1: [sip.tls]: nobody listens with this certificate. "),
        ("[http.tls]\ncertificate = \"a.pem\"\n", "", ":1: [http.tls]: `key` is missing. "),
        ("[http.tls]\ncertificate = \"a.pem\"\nkey = \"no.key\"\n", "", ":3: [http.tls]: `key` names "),
        (
            "[http.tls]\ncertificate = \"a.pem\"\nkey = \"b.key\"\n",
            "",
            ":3: [http.tls]: b.key cannot be used for TLS: it does not fit a.pem",
        ),
        (
            "[http.tls]\ncertificate = \"a.key\"\nkey = \"a.pem\"\n",
            "",
            ":2: [http.tls]: a.key cannot be used for TLS: it holds no certificate",
        ),
        (&format!("[sip]\ntrunk_tls_bind = \"127.0.0.1:5060\"\n[sip.tls]\n{pair}"), "", ":2: [sip]: TLS needs a port "),
        ("[http]\nbind = \"0.0.0.0:80\"\nbehind_proxy = true\n", "", ":1: [http]: `proxies` is missing. "),
        ("", "srtp = \"required\"\n", "trunk.toml:5: audio is encrypted with keys that SIP carries"),
        ("", "[tls]\nname = \"carrier.example\"\n", "trunk.toml:5: [tls]: this trunk does not use TLS"),
    ] {
        let config = if more.is_empty() { config.to_owned() } else { trunk(more) };
        write(directory.path(), "cordboard.toml", &config);
        let output = cordboard(directory.path(), &["check"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{config}\n{said}");
        assert!(said.contains(mistake), "missing: {mistake}\nsaid: {said}");
    }
    write(directory.path(), "cordboard.toml", &trunk(&tls_trunk));
    let output = cordboard(directory.path(), &["check"]);
    assert!(said(&output).contains("[sip]: a trunk uses TLS"), "{}", said(&output));
    // Nobody calls in over it: so nobody has to reach us.
    let out = trunk(&tls_trunk);
    let text = std::fs::read_to_string(directory.path().join("trunk.toml")).expect("just written");
    write(directory.path(), "trunk.toml", &text.replace("[\"192.0.2.7\"]", "[]"));
    write(directory.path(), "cordboard.toml", &out);
    let output = cordboard(directory.path(), &["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let whole = format!(
        "{}[http]\nbind = \"0.0.0.0:443\"\n[http.tls]\n{pair}[sip]\ntrunk_tls_bind = \"127.0.0.1:5061\"\n\
         phones_tls_bind = \"127.0.0.1:5071\"\n[sip.tls]\n{pair}",
        trunk(&tls_trunk)
    );
    write(directory.path(), "cordboard.toml", &whole);
    let output = cordboard(directory.path(), &["check"]);
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stdout).trim()),
        (Some(0), "cordboard.toml: no mistakes (1 trunk)")
    );
}

#[test]
fn a_relay_says_where_it_is_and_by_what_secret_with_every_mistake() {
    let directory = TempDir::new("cli");
    write(directory.path(), "relay.secret", "north\n");
    let both = "urls = [\"turn:relay.example.com:3478?transport=udp\", \"turns:relay.example.com:443\"]\n";
    let secret = "secret_file = \"relay.secret\"\n";
    for (config, mistakes) in [
        (String::new(), &["1: [turn]: `urls` is missing", "1: [turn]: `secret_file` is missing"][..]),
        (format!("urls = []\n{secret}"), &["1: [turn]: `urls` is empty"]),
        (
            format!("urls = [\"stun:relay.example.com\", \"turns:relay.example.com?transport=udp\"]\n{secret}"),
            &[
                "2: [turn]: `urls` holds \"stun:relay.example.com\", and it begins with neither `turn:` nor `turns:`",
                "and browsers speak TLS to a relay over TCP only. Write [\"turn:relay.example.com:3478",
            ],
        ),
        (format!("{both}secret = \"north\"\n"), &["`secret` is not known", "1: [turn]: `secret_file` is missing"]),
        (format!("{both}secret_file = \"none\"\n"), &["3: [turn]: `secret_file` names none, and it does not exist"]),
        (format!("{both}{secret}ttl = 60\n"), &["4: [turn]: `ttl` is not a whole number from 600 to 86400"]),
    ] {
        write(directory.path(), "cordboard.toml", &format!("[turn]\n{config}"));
        let output = cordboard(directory.path(), &["check"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{config}\n{said}");
        for mistake in mistakes {
            assert!(said.contains(mistake), "missing: {mistake}\nsaid: {said}");
        }
    }
    write(directory.path(), "cordboard.toml", &format!("[turn]\n{both}{secret}ttl = 3600\n"));
    let output = cordboard(directory.path(), &["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn what_callers_are_promised_is_read_with_every_mistake() {
    let directory = TempDir::new("cli");
    let wrong =
        "trunks = []\n[board]\nzone = \"America/Atlantis\"\nanswer_within_secs = 0\nurgent_critical_secs = 100000\n";
    write(directory.path(), "cordboard.toml", wrong);
    let output = cordboard(directory.path(), &["check"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    for expected in [
        "cordboard.toml:3: [board]: `zone = \"America/Atlantis\"` cannot be read. Write a zone of the IANA database",
        "cordboard.toml:4: [board]: `answer_within_secs` is not a whole number from 1 to 3600. ",
        "cordboard.toml:5: [board]: `urgent_critical_secs` is not a whole number from 1 to 86400. ",
    ] {
        assert!(said.contains(expected), "missing: {expected}\nsaid:\n{said}");
    }
}

#[test]
fn what_a_trunk_says_of_its_place_its_numbers_and_emergencies_is_read_with_every_mistake() {
    let directory = TempDir::new("cli");
    let carrier =
        "name = \"carrier\"\nkind = \"address\"\naddresses = [\"203.0.113.7\"]\ntarget = \"sip.carrier.example\"\n";
    write(
        directory.path(),
        "cordboard.toml",
        "trunks = [\"carrier.toml\"]\n[limits]\naccount_calls_out = 0\naccount_calls_out_per_hour = 60\n",
    );
    let wrong = "priority = -1\nweight = 70000\ncalls_per_second = 0\nemergency = true\nidentity = \"name\"\n\
                 country = \"0\"\nnational_prefix = \"zero\"\ninternational_prefix = \"\"\n\
                 number_format = \"plus\"\nping = \"no\"\nsession_expires = 60\nreliable = \"yes\"\n";
    write(directory.path(), "carrier.toml", &format!("{carrier}{wrong}"));
    let output = cordboard(directory.path(), &["check"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    for expected in [
        "cordboard.toml:3: [limits]: `account_calls_out` is not a whole number from 1 to 1000000. ",
        "carrier.toml:15: `session_expires = 60`: a session may not be so short. Write 90 seconds or more",
        "carrier.toml:16: `reliable = \"yes\"` cannot be read. Write \"supported\", \"required\" or \"off\"",
        "carrier.toml:1: `emergency_address` is missing. Write the address that the carrier has registered",
        "carrier.toml:5: `priority` is not a whole number from 0 to 65535. ",
        "carrier.toml:6: `weight` is not a whole number from 0 to 65535. ",
        "carrier.toml:7: `calls_per_second` is not a whole number from 1 to 10000. ",
        "carrier.toml:9: `identity = \"name\"` cannot be read. Write \"both\", \"pai\" or \"from\".",
        "carrier.toml:10: `country = \"0\"` cannot be read. ",
        "carrier.toml:11: `national_prefix = \"zero\"` cannot be read. ",
        "carrier.toml:12: `international_prefix = \"\"` cannot be read. ",
        "carrier.toml:13: `number_format = \"plus\"` cannot be read. Write \"e164\", \"e164_no_plus\" or \"national\".",
        "carrier.toml:14: `ping` is neither true nor false. ",
        "13 mistakes",
    ] {
        assert!(said.contains(expected), "missing: {expected}\nsaid:\n{said}");
    }
    let unused = format!("{carrier}emergency_address = \"12 Elm St\"\n");
    write(directory.path(), "carrier.toml", &unused);
    write(directory.path(), "cordboard.toml", "trunks = [\"carrier.toml\"]\n");
    let said = self::said(&cordboard(directory.path(), &["check"]));
    assert!(
        said.contains("carrier.toml:5: `emergency_address` is there, but emergency numbers are not dialled"),
        "{said}"
    );
    let right = format!(
        "{carrier}priority = 20\nweight = 0\ncalls_per_second = 5\nemergency = true\nemergency_address = \"12 Elm St\"\n\
         identity = \"pai\"\ncountry = \"44\"\nnational_prefix = \"0\"\ninternational_prefix = \"00\"\n\
         number_format = \"national\"\nping = false\n\
         session_expires = 0\nreliable = \"required\"\n"
    );
    let right = right.replace("addresses = [\"203.0.113.7\"]", "sources = \"targets\"");
    write(directory.path(), "carrier.toml", &right);
    let output = cordboard(directory.path(), &["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", self::said(&output));
}

#[test]
fn the_commented_examples_hold_no_mistake() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = cordboard(repository, &["check", "--config", "docs/cordboard.example.toml"]);
    assert_eq!(said(&output).trim(), "docs/cordboard.example.toml: no mistakes (2 trunks)");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_trunk_by_registration_says_what_it_lacks_and_what_does_not_belong() {
    let directory = TempDir::new("cli");
    write(directory.path(), "cordboard.toml", "trunks = [\"t.toml\"]\n");
    write(directory.path(), "secret", "word\n");
    let registers = "name = \"c\"\nkind = \"registration\"\ntarget = \"127.0.0.1:9\"\n";
    let by_address = "name = \"c\"\nkind = \"address\"\ntarget = \"127.0.0.1:9\"\naddresses = [\"127.0.0.1\"]\n";
    let login = "login = \"us\"\npassword_file = \"secret\"\n";
    for (trunk, mistakes) in [
        (registers.to_owned(), vec!["t.toml:1: `login` is missing", "t.toml:1: `password_file` is missing"]),
        (
            format!("{registers}login = \"a b\"\npassword_file = \"secret\"\n"),
            vec!["t.toml:4: `login = \"a b\"` cannot"],
        ),
        (
            format!("{registers}login = \"us\"\npassword_file = \"none\"\n"),
            vec!["t.toml:5: `password_file` names none, and"],
        ),
        (format!("{registers}{login}password = \"word\"\n"), vec!["t.toml:6: `password` and `password_file` are both"]),
        (format!("{registers}{login}expires = 5\n"), vec!["t.toml:6: `expires` is not a whole number from 60 to"]),
        (format!("{registers}{login}domain = \"sip:x\"\n"), vec!["t.toml:6: `domain = \"sip:x\"` cannot be read"]),
        (
            format!("{registers}{login}relam = \"x\"\n"),
            vec!["t.toml:6: `relam` is not known. Perhaps `realm` was meant"],
        ),
        (format!("{by_address}expires = 300\n"), vec!["`expires` is for a trunk by registration"]),
        (format!("{by_address}realm = \"x\"\n"), vec!["t.toml:5: `realm` is there without a `login`"]),
        (format!("{by_address}login = \"us\"\n"), vec!["t.toml:1: `password_file` is missing"]),
    ] {
        write(directory.path(), "t.toml", &trunk);
        let output = cordboard(directory.path(), &["check"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{trunk}\n{said}");
        for mistake in &mistakes {
            assert!(said.contains(mistake), "{trunk}\nmissing: {mistake}\nsaid: {said}");
        }
        let count = if mistakes.len() == 1 { "1 mistake".to_owned() } else { format!("{} mistakes", mistakes.len()) };
        assert!(said.contains(&count), "{trunk}\n{said}");
        assert!(!said.contains("word\""), "no password is shown: {said}");
    }
    for trunk in [
        format!("{registers}{login}"),
        format!(
            "{registers}{login}realm = \"r\"\ndomain = \"d.example\"\nexpires = 3600\naddresses = [\"10.0.0.0/8\"]\n"
        ),
        format!("{registers}login = \"us\"\npassword = \"word\"\n"),
        format!("{by_address}{login}"),
    ] {
        write(directory.path(), "t.toml", &trunk);
        let output = cordboard(directory.path(), &["check"]);
        assert_eq!(output.status.code(), Some(0), "{trunk}\n{}", said(&output));
    }
}

#[test]
fn a_place_that_cannot_be_written_is_a_sentence() {
    let directory = TempDir::new("cli");
    write(directory.path(), "data", "a file where a directory should be");
    write(directory.path(), "cordboard.toml", SMALL);
    let told = "cordboard.toml:8: [store]: `path` lies in data, which is a file and no directory";
    for (arguments, expected) in
        [(&["migrate"][..], told), (&["serve"], told), (&["demo", "--data", "data/demo"], "cannot write to data")]
    {
        let output = must_end(directory.path(), arguments);
        let words = said(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {words}");
        assert!(words.contains(expected), "{arguments:?}: {words}");
        assert!(!words.contains("panicked"), "{words}");
    }
}

/// Like [`cordboard`], for what must end by itself: ended by us, and a failure, after 30 s.
fn must_end(directory: &Path, arguments: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cordboard"))
        .args(arguments)
        .current_dir(directory)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be started");
    for _ in 0..600 {
        if child.try_wait().expect("our own child can be asked").is_some() {
            return child.wait_with_output().expect("what it said can be read");
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    child.kill().expect("our own child can be ended");
    let output = child.wait_with_output().expect("what it said can be read");
    panic!("it did not end: {}", said(&output));
}

#[test]
fn a_busy_port_is_a_sentence() {
    let directory = TempDir::new("cli");
    let http = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let http = http.local_addr().map(|address| (address, http)).expect("a bound socket has an address");
    let sip = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    let sip = sip.local_addr().map(|address| (address, sip)).expect("a bound socket has an address");
    for (busy, config) in [
        (http.0, whole().replace("bind = \"127.0.0.1:0\"\n[sip]", &format!("bind = \"{}\"\n[sip]", http.0))),
        (sip.0, whole().replace("trunk_bind = \"127.0.0.1:0\"", &format!("trunk_bind = \"{}\"", sip.0))),
        (sip.0, whole().replace("phones_bind = \"127.0.0.1:0\"", &format!("phones_bind = \"{}\"", sip.0))),
    ] {
        write(directory.path(), "cordboard.toml", &config);
        let output = must_end(directory.path(), &["serve"]);
        let words = said(&output);
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(words.contains("cannot listen") && words.contains(&busy.to_string()), "{words}");
        assert!(!words.contains("panicked"), "{words}");
    }
}

#[test]
fn a_start_that_fails_leaves_no_registration_with_a_carrier() {
    let directory = TempDir::new("cli");
    let carrier = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    let busy = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = |socket: &std::net::UdpSocket| socket.local_addr().expect("a bound socket has an address");
    let trunk = format!(
        "name = \"c\"\nkind = \"registration\"\ntarget = \"{}\"\nlogin = \"us\"\npassword = \"word\"\n",
        address(&carrier)
    );
    write(directory.path(), "t.toml", &trunk);
    let config = format!("trunks = [\"t.toml\"]\n{}", whole());
    let config = config.replace("phones_bind = \"127.0.0.1:0\"", &format!("phones_bind = \"{}\"", address(&busy)));
    write(directory.path(), "cordboard.toml", &config);
    let output = must_end(directory.path(), &["serve"]);
    let words = said(&output);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains(&address(&busy).to_string()), "{words}");
    // Whatever was sent is in our socket's buffer, for the program is over.
    carrier.set_nonblocking(true).expect("a socket can be told not to wait");
    let heard = carrier.recv(&mut [0; 4_096]);
    assert!(heard.is_err(), "it has registered before it could take calls");
}

#[test]
fn a_database_of_a_newer_program_is_a_sentence() {
    let directory = TempDir::new("cli");
    write(directory.path(), "cordboard.toml", SMALL);
    let output = cordboard(directory.path(), &["migrate"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let config = cordboard::io::store::StoreConfig::in_directory(&directory.path().join("data"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(async {
        let now = cordboard::base::clock::UtcMs(0);
        let store = cordboard::io::store::Store::open(&config, now).await.expect("opens");
        let mut tx = store.write().await.expect("begins");
        let newer = "INSERT INTO schema_migration (version, name, checksum, applied_at) VALUES (9001, 'x', '', 0)";
        tx.execute(newer, Vec::new()).await.expect("is written");
        tx.commit("test").await.expect("commits");
        store.close().await;
    });
    let output = must_end(directory.path(), &["serve"]);
    let words = said(&output);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains("this database was written by a newer Cordboard (schema 9001"), "{words}");
    assert!(words.contains("upgrade the program"), "{words}");
}

#[test]
fn every_command_explains_itself_and_a_wrong_one_is_told_apart() {
    let directory = TempDir::new("cli");
    for command in ["serve", "demo", "check", "simulate", "user", "migrate", "say", "completions"] {
        let output = cordboard(directory.path(), &[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        assert!(said(&output).contains("Usage:"), "{command}");
    }
    for wrong in [&["fly"][..], &["demo", "--http", "0.0.0.0:80"], &["demo", "--rtp-ports", "5"], &[]] {
        assert_eq!(cordboard(directory.path(), wrong).status.code(), Some(2), "{wrong:?}");
    }
    let output = cordboard(directory.path(), &["completions", "bash"]);
    assert!(said(&output).contains("complete -F _cordboard"));
}

#[test]
fn a_protocol_is_played_through_in_the_accounts_own_time() {
    let directory = TempDir::new("cli");
    let arguments =
        ["simulate", "--account", "plumbing", "--call-type", "urgent", "--at", "2026-03-07T02:00", "--hours", "1"];
    let output = cordboard(directory.path(), &arguments);
    let words = said(&output);
    assert_eq!(output.status.code(), Some(0), "{words}");
    // Text, mobile after 15 min, home after 30 s of ringing and 10 min, text again after 30 s of ringing.
    for expected in
        ["2026-03-07 02:00:00     +0:00", "2026-03-07 02:15:00    +15:00", "02:25:30    +25:30", "02:26:00    +26:00"]
    {
        assert!(words.contains(expected), "missing: {expected}\nsaid:\n{words}");
    }
    assert!(words.contains("Ben Ortiz") || words.contains("Maya Lindqvist"), "{words}");

    let output = cordboard(directory.path(), &[&arguments[..], &["--json"]].concat());
    let outlook: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(outlook["zone"], "America/New_York");
    assert_eq!(outlook["lines"][0]["at"], 1_772_866_800_000_i64);
    assert_eq!(outlook["state"], "running");

    let output = cordboard(directory.path(), &[&arguments[..], &["--confirms-at", "2", "--after", "5"]].concat());
    let words = said(&output);
    assert_eq!(output.status.code(), Some(0), "{words}");
    assert!(
        words.contains("confirmed to an operator: they rang back.") && words.contains("After 1 h: confirmed."),
        "{words}"
    );
    let output = cordboard(directory.path(), &[&arguments[..], &["--confirms-at", "9"]].concat());
    assert_eq!((output.status.code(), said(&output).contains("There is no step 9.")), (Some(1), true));

    let kept = ["simulate", "--account", "property", "--call-type", "Non-urgent", "--at", "2026-03-07T02:00"];
    let held = cordboard(directory.path(), &kept);
    assert_eq!(held.status.code(), Some(0), "{}", said(&held));
    assert!(said(&held).contains("old for the recap"), "{}", said(&held));
    let kept =
        ["simulate", "--account", "property", "--call-type", "Sales or wrong number", "--at", "2026-03-07T02:00"];
    let output = cordboard(directory.path(), &kept);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("have no protocol: they are kept and not dispatched"));
    let unknown = ["simulate", "--account", "nobody", "--call-type", "Urgent", "--at", "2026-03-07T02:00"];
    assert!(said(&cordboard(directory.path(), &unknown)).contains("There are: \"Law Office of Harriet Vance\""));
}

#[test]
fn what_is_said_is_a_wav_file_with_its_true_length() {
    let directory = TempDir::new("cli");
    let prompts = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts/en/comfort.wav");
    let mut streamed = std::fs::read(prompts).expect("the repository's prompts can be read");
    // A voice that writes to a pipe cannot know the length: espeak-ng's made-up one.
    streamed[40..44].copy_from_slice(&0x7fff_f000_u32.to_le_bytes());
    std::fs::write(directory.path().join("streamed"), streamed).expect("the temporary directory can be written");
    write(directory.path(), "cordboard.toml", &format!("{SMALL}[voice]\ncommand = [\"cat\", \"streamed\"]\n"));
    let output = cordboard(directory.path(), &["say", "--config", "cordboard.toml", "hello", "out.wav"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let wav = hound::WavReader::open(directory.path().join("out.wav")).expect("a WAV file");
    assert!((5..7).contains(&(wav.duration() / wav.spec().sample_rate)), "{} samples", wav.duration());
}

#[test]
fn a_missing_voice_engine_is_a_sentence_if_an_account_needs_it() {
    let directory = TempDir::new("cli");
    let silent = whole().replace("[voice]\n", "[voice]\ncommand = [\"/nowhere/voice\", \"--stdin\"]\n");
    write(directory.path(), "cordboard.toml", &silent);
    let config = cordboard::io::store::StoreConfig::in_directory(&directory.path().join("data"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(async {
        let now = cordboard::base::clock::UtcMs(0);
        let store = cordboard::io::store::Store::open(&config, now).await.expect("opens");
        let mut account = cordboard::demo::clients().remove(0).account;
        account.greeting = cordboard::domain::account::Speech::Spoken { text: "Good morning.".to_owned() };
        account.call_types.clear();
        let mut tx = store.write().await.expect("begins");
        tx.upsert_account(&account, now).await.expect("is written");
        tx.commit("test").await.expect("commits");
        store.close().await;
    });
    let output = must_end(directory.path(), &["serve"]);
    let words = said(&output);
    assert_eq!(output.status.code(), Some(1), "{words}");
    for expected in [
        "an account or the alarm chain needs a voice",
        "voice engine /nowhere/voice cannot be started",
        "[voice] command",
    ] {
        assert!(words.contains(expected), "missing: {expected}\nsaid:\n{words}");
    }
    assert!(!words.contains("panicked") && !words.contains("Good morning"), "{words}");

    let output = cordboard(directory.path(), &["say", "Good morning.", "out.wav", "--config", "cordboard.toml"]);
    let words = said(&output);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains("voice engine /nowhere/voice cannot be started"), "{words}");
    assert!(!directory.path().join("out.wav").exists());
}
