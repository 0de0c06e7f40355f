//! The demo: four accounts with invented people, log-ins, and a configuration that needs no file.
//!
//! Seeding adds what is missing and never changes what is there, so a demo that was played with stays as it
//! was left. All numbers are of the range kept for fiction (+1 202 555 01xx).

mod accounts;
mod forms;
mod people;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::base::clock::UtcMs;
use crate::base::id::UserId;
use crate::base::numbering::Numbering;
use crate::base::phone::PhoneNumber;
use crate::config::sms::{SmsProvider, SmsShape};
use crate::config::tls::TrunkTls;
use crate::config::trunk::{DialPlan, Shown, Trunk, TrunkTransport};
use crate::config::{
    Audit, Auth, Board, Config, Email, Fax, Http, MailIn, MailTls, Media, Operators, Recording, Seats, Sip,
    StoreConfig, Voice, default_shards, secret,
};
use crate::domain::account::{Account, Contact, Reach};
use crate::domain::alarm::{Means, Plan, Step};
use crate::domain::checkin::pin::Pin;
use crate::domain::dispatch::lanes::Rates;
use crate::domain::dispatch::protocol::Protocol;
use crate::domain::oncall::Schedule;
use crate::domain::operator::skill::Skills;
use crate::domain::recap::plan::Plan as RecapPlan;
use crate::domain::trunk::Limits;
use crate::io::store::recaps::PlanSet;
use crate::io::store::users::{HashedPassword, Role, User};
use crate::io::store::{Store, StoreError};
use crate::proto::sdp::Srtp;
use crate::proto::sip::PeerTerms;
use crate::proto::sip::digest::Algorithm;
use crate::sandbox::board::{Login, MailboxEntry, NumberEntry, PhoneEntry};

pub use accounts::clients;

/// The password of every log-in of the demo, which listens on this machine only.
pub const PASSWORD: &str = "cordboard-demo";
/// The PIN of those who check in by telephone.
pub const PIN: &str = "4863";
/// The PINs by which the doctors open their inboxes.
const INBOX_PINS: [&str; 2] = ["4863", "5174"];
/// Supervisors of the answering service, with their telephones: the alarm chain reaches them.
const SUPERVISORS: [(&str, &str); 2] = [("Sam Whitaker", "+12025550171"), ("Lee Sandoval", "+12025550172")];
/// The newcomer's own number as a caller.
pub const CALLER: &str = "+12025550190";
/// The name of the demo's text provider, in its callbacks' addresses.
pub const SMS_PROVIDER: &str = "sandbox";
/// Our account with it.
const SMS_ACCOUNT: &str = "ACde40000000000000000000000000de40";
/// Where answers to emails come in; no mail server knows it.
const MAIL_DOMAIN: &str = "desk.cordboard.test";

/// How a demo was asked for.
#[derive(Clone, Debug)]
pub struct Demo {
    /// Everything it keeps.
    pub data: PathBuf,
    pub http: SocketAddr,
    pub sip: SocketAddr,
    pub phones: SocketAddr,
    pub rtp_ports: RangeInclusive<u16>,
    /// Calls out go here instead of to the sandbox's phones.
    pub carrier: Option<SocketAddr>,
}

/// An account with all that belongs to it.
#[derive(Clone, Debug)]
pub struct Client {
    pub account: Account,
    pub contacts: Vec<Contact>,
    pub schedules: Vec<Schedule>,
    pub protocols: Vec<Protocol>,
    /// When its messages are reported on, and to whom.
    pub recap: Option<RecapPlan>,
}

impl Demo {
    /// The configuration of a demo whose sandbox carrier and mail server listen at these addresses.
    pub fn config(&self, sandbox_sip: SocketAddr, sandbox_smtp: SocketAddr) -> Result<Config, String> {
        let token_file = self.data.join("sms.secret");
        let auth_token = secret::load_or_create(&token_file).map_err(|why| {
            format!("cannot write to {}: {why}. Choose another place with --data", self.data.display())
        })?;
        let carrier = self.carrier.unwrap_or(sandbox_sip);
        let from = number("+12025550100");
        Ok(Config {
            http: Http {
                bind: self.http,
                public_url: Some(format!("http://{}", self.http)),
                behind_proxy: false,
                proxies: Vec::new(),
                local_push_services: self.http.ip().is_loopback(),
                tls: None,
            },
            sip: Sip {
                trunk_bind: self.sip,
                phones_bind: self.phones,
                trunk_tls_bind: None,
                phones_tls_bind: None,
                tls: None,
                public_addresses: Vec::new(),
                phone_digests: vec![Algorithm::MD5],
                phone_srtp: Srtp::Off,
            },
            media: Media {
                bind_ip: self.sip.ip(),
                public_ip: None,
                second: None,
                ports: self.rtp_ports.clone(),
                shards: default_shards(),
            },
            store: StoreConfig::in_directory(&self.data),
            recording: Recording::in_directory(self.data.join("recordings")),
            audit: Audit::default(),
            seats: Seats::default(),
            voice: Voice {
                command: None,
                prompts: None,
                cache: self.data.join("speech"),
                recordings: self.data.join("greetings"),
            },
            email: Some(Email {
                host: sandbox_smtp.ip().to_string(),
                port: sandbox_smtp.port(),
                tls: MailTls::Off,
                ca_file: None,
                login: None,
                dkim: Vec::new(),
                from: "Cordboard demo <desk@cordboard.test>".to_owned(),
            }),
            // The sandbox is told where it is once it is open.
            mail_in: Some(MailIn {
                bind: SocketAddr::new(sandbox_smtp.ip(), 0),
                domain: MAIL_DOMAIN.to_owned(),
                name: MAIL_DOMAIN.to_owned(),
                max_size: 10 * 1_024 * 1_024,
                connections: 20,
                tls: None,
            }),
            sms: vec![SmsProvider {
                name: SMS_PROVIDER.to_owned(),
                from: from.clone(),
                numbers: Vec::new(),
                priority: 10,
                shape: SmsShape::Twilio {
                    base_url: format!("http://{}/sandbox/twilio", self.http),
                    account_sid: SMS_ACCOUNT.to_owned(),
                    auth_token,
                },
            }],
            pagers: Vec::new(),
            webhooks: Vec::new(),
            fax: Fax { is_meant: false, station_id: "+1 202 555 0100".into(), header: "Cordboard demo".into() },
            turn: None,
            limits: Limits::default(),
            rates: Rates::usual(),
            board: Board { zone: "America/New_York".to_owned(), ..Board::default() },
            alarms: alarm_plan(),
            auth: Auth { jwt_secret_file: self.data.join("jwt.secret") },
            operators: Operators::default(),
            trunks: vec![Trunk {
                name: "sandbox".to_owned(),
                tls: TrunkTls::default(),
                srtp: Srtp::Off,
                transport: TrunkTransport::Udp,
                // Any SIP client on this machine may call.
                addresses: ["127.0.0.0/8", "::1"].iter().filter_map(|text| text.parse().ok()).collect(),
                targets_call: false,
                target: carrier.into(),
                caller_ids: std::iter::once(from).chain(clients().into_iter().flat_map(|c| c.account.dids)).collect(),
                priority: 10,
                weight: 10,
                channels: 60,
                calls_per_second: 20,
                dial_plan: DialPlan::default(),
                login: None,
                registration: None,
                emergency_address: None,
                numbering: Numbering::default(),
                shown: Shown::default(),
                // The carrier is in this very process; in tests it may be a SIPp that takes an OPTIONS for a call.
                ping: false,
                terms: PeerTerms::default(),
            }],
        })
    }
}

/// The people who sign in.
pub fn users() -> Vec<User> {
    let user = |login: &str, name: &str, role| User {
        id: UserId::named(login),
        login: login.to_owned(),
        name: name.to_owned(),
        role,
        disabled: false,
        skills: Skills::new(),
    };
    vec![
        user("kim", "Kim Arden", Role::Operator),
        user("lee", "Lee Sandoval", Role::Operator),
        user("sam", "Sam Whitaker", Role::Supervisor),
        user("admin", "Administrator", Role::Admin),
    ]
}

/// Puts into the store what of the demo is not there yet, all of it or nothing.
pub async fn seed(store: &Store, now: UtcMs) -> Result<(), StoreError> {
    let password = HashedPassword::of(SecretString::from(PASSWORD)).await?;
    let mut tx = store.write().await?;
    for user in users() {
        if tx.find_user_by_login(&user.login).await?.is_none() {
            tx.insert_user(&user, &password, now).await?;
        }
    }
    for client in clients() {
        if tx.find_account(&client.account.id).await?.is_some() {
            continue;
        }
        // First: everything else belongs to it. Its protocols may follow until commit.
        tx.upsert_account(&client.account, now).await?;
        // Nobody has to approve the demo before it is shown.
        tx.insert_served_before(&client.account.id).await?;
        for contact in &client.contacts {
            tx.upsert_contact(contact).await?;
        }
        for schedule in &client.schedules {
            tx.upsert_schedule(schedule).await?;
        }
        for protocol in &client.protocols {
            tx.insert_protocol(protocol, now).await?;
        }
        if let Some(plan) = client.recap {
            let account = client.account.id.clone();
            tx.set_recap_plan(&PlanSet { account, plan, set_at: now, since: now }).await?;
        }
        if client.account.hours.check_in.is_some() {
            let pin = Pin::choose(PIN).expect("a test reads it");
            tx.set_pin(&client.account.id, None, &pin, &UserId::named("admin"), now).await?;
        }
        for (contact, digits) in with_inbox(&client.contacts).zip(INBOX_PINS) {
            let pin = Pin::choose(digits).expect("a test reads them");
            tx.set_pin(&client.account.id, Some(&contact.id), &pin, &UserId::named("admin"), now).await?;
        }
    }
    tx.commit("seed_demo").await
}

/// Whom alarms reach that nobody at a desk acknowledges: sooner than a real house would have it, so that a newcomer sees it.
fn alarm_plan() -> Plan {
    let step = |after_secs, by, (name, to): (&str, &str)| {
        let (name, number) = (name.to_owned(), number(to));
        Step { after_secs, by, name, number }
    };
    let [sam, lee] = SUPERVISORS;
    let steps = vec![step(60, Means::Text, sam), step(60, Means::Call, sam), step(60, Means::Text, lee)];
    Plan { steps, repeat_secs: 300, ..Plan::default() }
}

/// Those of these people who have an inbox: each opens it with a PIN of their own.
pub fn with_inbox(contacts: &[Contact]) -> impl Iterator<Item = &Contact> {
    contacts.iter().filter(|contact| contact.destinations.iter().any(|d| matches!(d.reach, Reach::Inbox(_))))
}

/// The phones of the on-call staff and of the supervisors, for the sandbox.
pub fn phones() -> Vec<PhoneEntry> {
    let supervisor = |(name, to): (&str, &str)| PhoneEntry {
        number: number(to),
        name: name.to_owned(),
        title: "The answering service · supervisor".to_owned(),
    };
    let mut phones: Vec<PhoneEntry> = SUPERVISORS.into_iter().map(supervisor).collect();
    for Client { account, contacts, .. } in clients() {
        for contact in contacts {
            for destination in contact.destinations {
                if let Reach::Phone(number) = destination.reach {
                    let title = format!("{} · {}, {}", account.name, contact.title, destination.label);
                    phones.push(PhoneEntry { number, name: contact.name.clone(), title });
                }
            }
        }
    }
    phones
}

/// The mailboxes of the on-call staff, for the sandbox.
pub fn mailboxes() -> Vec<MailboxEntry> {
    let mut mailboxes = Vec::new();
    for contact in clients().into_iter().flat_map(|client| client.contacts) {
        for destination in contact.destinations {
            if let Reach::Email(address) = destination.reach {
                mailboxes.push(MailboxEntry { address, name: contact.name.clone() });
            }
        }
    }
    mailboxes
}

/// The numbers a newcomer can dial, with something to call about.
pub fn numbers() -> Vec<NumberEntry> {
    let hints = [
        "A court clerk with a new hearing date",
        "A burst pipe at two in the morning",
        "Locked out, or no heat",
        "A lab with a critical result",
    ];
    let entry = |(client, hint): (Client, &str)| {
        let number = client.account.dids.first().cloned()?;
        Some(NumberEntry { number, account: client.account.name, hint: hint.to_owned() })
    };
    clients().into_iter().zip(hints).filter_map(entry).collect()
}

/// The log-ins, for the sandbox's page and the words at start.
pub fn logins() -> Vec<Login> {
    let role = |role| match role {
        Role::Admin => "admin",
        Role::Supervisor => "supervisor",
        Role::Operator => "operator",
        Role::Client => "client",
    };
    let login =
        |user: User| Login { login: user.login, password: PASSWORD.to_owned(), role: role(user.role).to_owned() };
    users().into_iter().map(login).collect()
}

/// What the demo prints once it is up.
pub fn welcome(demo: &Demo) -> String {
    let http = demo.http;
    let mut text = format!("\nCordboard demo\n  Start here   http://{http}/sandbox/\n  Console      http://{http}/\n");
    for login in logins() {
        text.push_str(&format!("  Log in       {:<6} {}   ({})\n", login.login, login.password, login.role));
    }
    text.push_str("  Or call from any SIP client on this machine:\n");
    for entry in numbers() {
        text.push_str(&format!("    sip:{}@{}   {}\n", entry.number.as_e164(), demo.sip, entry.account));
    }
    for account in clients().into_iter().map(|client| client.account) {
        if let Some(number) = &account.hours.check_in {
            let (name, number) = (&account.name, number.as_e164());
            text.push_str(&format!("    sip:{number}@{}   {name}, check-in: PIN {PIN}#\n", demo.sip));
        }
    }
    text.push_str(&format!("  Data in {}. Ctrl-C ends it.\n", shown(&demo.data)));
    text
}

fn shown(path: &Path) -> String {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("the demo's numbers are valid, a test reads them all")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::check::check;
    use crate::domain::dispatch::validate::validate;

    #[test]
    fn whoever_checks_in_can() {
        assert!(Pin::choose(PIN).is_ok());
        assert!(INBOX_PINS.iter().all(|pin| Pin::choose(pin).is_ok()));
        assert!(clients().iter().any(|client| client.account.checks_in()));
    }

    #[test]
    fn everything_named_exists_and_every_number_is_fictional() {
        for client in clients() {
            let account = &client.account;
            let lines = if account.hours.check_in.is_some() { 2 } else { 1 };
            assert_eq!(account.dids.len(), lines, "{}", account.name);
            assert!(jiff::tz::TimeZone::get(&account.zone).is_ok(), "{}", account.zone);
            for call_type in &account.call_types {
                let protocol = call_type.protocol.as_ref();
                assert!(protocol.is_none_or(|id| client.protocols.iter().any(|p| &p.id == id)), "{}", call_type.name);
            }
            assert_eq!(check(account), [], "{}", account.name);
            for protocol in &client.protocols {
                assert_eq!(validate(protocol, &client.contacts, &client.schedules), [], "{}", protocol.name);
            }
            for schedule in &client.schedules {
                for person in schedule.regulars() {
                    assert!(client.contacts.iter().any(|c| c.id == *person), "{person}");
                }
            }
            for destination in client.contacts.iter().flat_map(|c| &c.destinations) {
                match &destination.reach {
                    Reach::Phone(number) | Reach::Fax(number) => assert!(number.as_e164().starts_with("+120255501")),
                    Reach::Email(address) => assert!(address.ends_with(".test") || address.ends_with("@example.com")),
                    Reach::Pager(pager) => panic!("the sandbox has no pagers, {} one", pager.carrier()),
                    Reach::Webhook(name) => panic!("the sandbox has no webhooks, {name} is one"),
                    Reach::Inbox(notice) => assert_eq!(notice, "mobile"),
                }
            }
        }
        let mut numbers: Vec<_> = phones().into_iter().map(|phone| phone.number).collect();
        numbers.extend(super::numbers().into_iter().map(|entry| entry.number));
        numbers.sort();
        let all = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), all, "no two phones share a number");
    }
}
