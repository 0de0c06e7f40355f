//! What the configuration says, in the words of the parts it is about.

use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use secrecy::ExposeSecret as _;
use tokio::sync::mpsc;

use crate::base::clock::SharedClock;
use crate::base::numbering::Numbering;
use crate::base::phone::PhoneNumber;
use crate::config::sms::SmsShape;
use crate::config::trunk::TrunkTransport;
use crate::config::{Config, MailTls, loopback, secret};
use crate::demo::{self, Demo};
use crate::domain::account::patching::rings_people;
use crate::domain::account::said::list_speeches;
use crate::domain::account::{RecordingMode, Speech, WhenOverdue};
use crate::domain::alarm::Means;
use crate::domain::dispatch::protocol::{Method, Step};
use crate::domain::trunk::TrunkRules;
use crate::engine::calls::CallsHandle;
use crate::engine::clients::reach::Reachable;
use crate::engine::dispatcher::Edges;
use crate::engine::feed::Feed;
use crate::engine::mixer::MOMENT;
use crate::engine::texts::TextCarrier;
use crate::engine::trunk::{Carriage, Carrier, CarrierAccount, LegNumbers, Registering, TrunkSettings};
use crate::http::state::{CallbackKey, Relay, Settings, SmsProvider};
use crate::io::deliver::email::{Security, SmtpConfig, SmtpMailer};
use crate::io::deliver::outside::Reach;
use crate::io::deliver::pager::Carriers;
use crate::io::deliver::push::{PushKey, WebPusher};
use crate::io::deliver::sms::several::{Provider, Providers};
use crate::io::deliver::sms::smpp::{self, SmppConfig};
use crate::io::deliver::sms::telnyx::{TelnyxConfig, TelnyxTexter};
use crate::io::deliver::sms::twilio::{TwilioConfig, TwilioTexter};
use crate::io::deliver::webhook::Webhooks;
use crate::io::deliver::{Mailer, NotConfigured, Pager, Poster, Texter};
use crate::io::mail_in::addresses::Addresses;
use crate::io::mail_in::{Door, DoorConfig, Incoming};
use crate::io::net::census::Caps;
use crate::io::speech::Speaker;
use crate::io::store::{Store, StoreError};
use crate::proto::sip::digest::client::Login;
use crate::proto::sip::ping::PING_EVERY;
use crate::sandbox::{self, SandboxConfig};

use super::{Certificates, Failure};

/// The recorded music on hold.
pub(super) fn music() -> Speech {
    Speech::Recorded { prompt: "music".to_owned() }
}

/// An address that somebody else listens on, or that is not this machine's.
pub(super) fn busy(what: &str, address: SocketAddr, why: &io::Error) -> Failure {
    Failure::new(format!(
        "cannot listen on {address} for the {what}: {why}. Stop what uses it, or choose another address"
    ))
}

/// What access tokens are signed with: 32 bytes drawn from the installation's secret, whatever its length.
pub(super) fn signing_key(config: &Config) -> Result<[u8; 32], Failure> {
    let path = &config.auth.jwt_secret_file;
    let secret = secret::load_or_create(path).map_err(|why| {
        Failure::new(format!(
            "the token secret {} cannot be used: {why}; correct [auth] jwt_secret_file",
            path.display()
        ))
    })?;
    let hash = digest(&SHA256, secret.expose_secret().as_bytes());
    Ok(hash.as_ref().try_into().expect("SHA-256 gives 32 bytes"))
}

/// The voice; makes sure that it works if an account needs spoken words.
pub(super) async fn start_voice(config: &Config, store: &Store) -> Result<Arc<Speaker>, Failure> {
    let speaker = Speaker::of(&config.voice).map_err(|e| Failure::new(e.to_string()))?;
    let accounts = store.list_accounts().await.map_err(|e| Failure::new(e.to_string()))?;
    let spoken = |speech: &Speech| matches!(speech, Speech::Spoken { .. });
    let mut needs_voice = accounts.iter().any(|account| {
        spoken(&account.greeting)
            || spoken(&account.apology)
            || account.comfort.as_ref().is_some_and(|comfort| comfort.position || comfort.speeches().any(spoken))
            || account.checks_in()
            || account.queueing.callback_after_secs.is_some()
            || account.queueing.when_overdue == WhenOverdue::Callback
            || rings_people(account)
            || (account.recording.mode != RecordingMode::Off
                && account.recording.announcement.as_ref().is_some_and(spoken))
            || list_speeches(&account.hours, &account.menus).into_iter().any(|(_, speech)| spoken(speech))
    });
    for account in &accounts {
        // A call that reads a message out has words of its own each time.
        let protocols = store.list_protocols(&account.id).await.map_err(|e| Failure::new(e.to_string()))?;
        let calls_out = |step: &Step| {
            matches!(step.method, Method::CallOut { .. } | Method::OperatorCall { then_machine: true, .. })
        };
        needs_voice |= protocols.iter().flat_map(|protocol| &protocol.steps).any(calls_out);
    }
    // Said while the voice is slow: it is to be at hand then.
    let moment = Speech::Recorded { prompt: MOMENT.to_owned() };
    if let Err(why) = speaker.prepare(&moment).await {
        tracing::warn!("{why}. Who waits for the voice hears a tone");
    }
    needs_voice |= config.alarms.steps.iter().any(|step| step.by == Means::Call);
    match speaker.check_engine().await {
        Ok(()) => {}
        Err(why) if needs_voice => {
            return Err(Failure::new(format!("an account or the alarm chain needs a voice, but {why}")));
        }
        Err(why) => tracing::warn!("{why}. No account needs it so far"),
    }
    Ok(Arc::new(speaker))
}

/// How people here write numbers: as in the country of the first trunk.
pub(super) fn numbering(config: &Config) -> Numbering {
    let country = config.trunks.first().map(|trunk| trunk.numbering.country.as_str());
    country.map_or_else(Numbering::default, Numbering::of_country)
}

pub(super) fn trunk_settings(
    config: &Config,
    certificates: &Certificates,
    caps: Caps,
    legs: LegNumbers,
    feed: Feed,
) -> TrunkSettings {
    let carriers = config.trunks.iter().map(|trunk| Carrier {
        name: trunk.name.clone(),
        sources: trunk.addresses.clone(),
        targets_call: trunk.targets_call,
        target: trunk.target.clone(),
        over: match (trunk.transport, certificates.of_trunk(&trunk.name)) {
            (TrunkTransport::Tls, Some(peer)) => Carriage::Tls(peer),
            (TrunkTransport::Tcp, _) => Carriage::Tcp,
            (TrunkTransport::Udp | TrunkTransport::Tls, _) => Carriage::Udp,
        },
        srtp: trunk.srtp,
        rules: TrunkRules {
            priority: trunk.priority,
            weight: trunk.weight,
            channels: trunk.channels as usize,
            calls_per_second: trunk.calls_per_second as usize,
            plan: trunk.dial_plan.clone(),
            country: trunk.numbering.country.clone(),
            emergency: trunk.emergency_address.is_some(),
        },
        numbering: trunk.numbering.clone(),
        shown: trunk.shown,
        caller_ids: trunk.caller_ids.clone(),
        ping_every: trunk.ping.then_some(PING_EVERY),
        terms: trunk.terms,
        account: trunk.login.as_ref().map(|login| CarrierAccount {
            login: Login { user: login.user.clone(), password: login.password.clone(), realm: login.realm.clone() },
            register: trunk
                .registration
                .as_ref()
                .map(|with| Registering { domain: with.domain.clone(), expires: with.expires }),
        }),
    });
    let mut settings = TrunkSettings::new(config.sip.trunk_bind, carriers.collect(), legs);
    settings.tls = config.sip.trunk_tls_bind.zip(certificates.sip.clone());
    settings.caps = caps;
    settings.public.clone_from(&config.sip.public_addresses);
    settings.limits = config.limits;
    settings.feed = feed;
    settings
}

/// By what messages leave in writing.
pub(super) struct Letters {
    mailer: Arc<dyn Mailer>,
    texter: Arc<dyn Texter>,
    /// For the alarm chain alone, whose connections are its own where they are over HTTP.
    pub alarm_texter: Arc<dyn Texter>,
    pager: Arc<dyn Pager>,
    poster: Arc<dyn Poster>,
}

impl Letters {
    /// And with the calls that read them out.
    pub(super) fn with_calls(self, calls: CallsHandle) -> Edges {
        let Self { mailer, texter, pager, poster, .. } = self;
        Edges { mailer, texter, pager, poster, call_out: Arc::new(calls) }
    }
}

/// And the carriers of texts to which a connection is kept.
pub(super) fn letters(config: &Config, store: &Store) -> Result<(Letters, Vec<TextCarrier>), Failure> {
    let mailer: Arc<dyn Mailer> = match &config.email {
        Some(email) => Arc::new(
            SmtpMailer::new(&SmtpConfig {
                host: email.host.clone(),
                port: email.port,
                security: match email.tls {
                    MailTls::Implicit => Security::Implicit,
                    MailTls::StartTls => Security::StartTls,
                    MailTls::Off => Security::Off,
                },
                ca_file: email.ca_file.clone(),
                login: email.login.clone(),
                from: email.from.clone(),
                reply_to: None,
                dkim: email.dkim.clone(),
                addresses: addresses(config, store),
            })
            .map_err(|why| Failure::new(format!("[email]: {why}")))?,
        ),
        None => Arc::new(NotConfigured),
    };
    let (mut providers, mut for_alarms) = (Vec::new(), Vec::new());
    let mut text_carriers = Vec::new();
    for sms in &config.sms {
        let told = |why: String| Failure::new(format!("[[sms]] {}: {why}", sms.name));
        let (texter, for_alarm): (Arc<dyn Texter>, Arc<dyn Texter>) = match sms.shape.clone() {
            SmsShape::Smpp { at, system_id, password, system_type, window, alphabet, receipt_ids } => {
                let (name, from) = (sms.name.clone(), sms.from.clone());
                let config =
                    SmppConfig { name, at, system_id, password, system_type, from, window, alphabet, receipt_ids };
                let (texter, link, incoming) = smpp::open(config).map_err(told)?;
                text_carriers.push(TextCarrier { name: sms.name.clone(), link, incoming });
                let texter: Arc<dyn Texter> = Arc::new(texter);
                (Arc::clone(&texter), texter)
            }
            _ => (over_http(sms, config).map_err(told)?, over_http(sms, config).map_err(told)?),
        };
        let numbers: Vec<PhoneNumber> = std::iter::once(&sms.from).chain(&sms.numbers).cloned().collect();
        let provider =
            |texter| Provider { name: sms.name.clone(), priority: sms.priority, numbers: numbers.clone(), texter };
        providers.push(provider(texter));
        for_alarms.push(provider(for_alarm));
    }
    let texter = Arc::new(Providers::new(providers));
    let alarm_texter = Arc::new(Providers::new(for_alarms));
    let pager: Arc<dyn Pager> = if config.pagers.is_empty() {
        Arc::new(NotConfigured)
    } else {
        Arc::new(Carriers::new(&config.pagers).map_err(Failure::new)?)
    };
    let poster: Arc<dyn Poster> = Arc::new(Webhooks::new(&config.webhooks).map_err(Failure::new)?);
    Ok((Letters { mailer, texter, alarm_texter, pager, poster }, text_carriers))
}

/// A provider of texts over HTTP, with connections of its own.
fn over_http(sms: &crate::config::sms::SmsProvider, config: &Config) -> Result<Arc<dyn Texter>, String> {
    let (name, from, public_url) = (sms.name.clone(), sms.from.clone(), config.http.public_url.clone());
    Ok(match sms.shape.clone() {
        SmsShape::Twilio { base_url, account_sid, auth_token } => {
            Arc::new(TwilioTexter::new(TwilioConfig { name, base_url, account_sid, auth_token, from, public_url })?)
        }
        SmsShape::Telnyx { base_url, api_key, public_key: _ } => {
            Arc::new(TelnyxTexter::new(TelnyxConfig { name, base_url, api_key, from, public_url })?)
        }
        SmsShape::Smpp { .. } => Arc::new(NotConfigured),
    })
}

/// Where bounces and replies come back to, if there is a door for them.
fn addresses(config: &Config, store: &Store) -> Option<Addresses> {
    config.mail_in.as_ref().map(|mail_in| Addresses::new(&mail_in.domain, store.house_seal().mail_key()))
}

/// The door that they come in by, open.
pub(super) async fn mail_door(
    config: &Config,
    store: &Store,
    certificates: &Certificates,
) -> Result<Option<(Door, mpsc::Receiver<Incoming>)>, Failure> {
    let Some((mail_in, addresses)) = config.mail_in.as_ref().zip(addresses(config, store)) else { return Ok(None) };
    let door = DoorConfig {
        bind: mail_in.bind,
        name: mail_in.name.clone(),
        max_size: mail_in.max_size,
        connections: mail_in.connections,
        tls: certificates.mail_in.as_ref().map(|identity| identity.acceptor(&[])),
    };
    let opened = Door::open(door, addresses).await;
    opened.map(Some).map_err(|e| busy("mail that comes back ([mail_in])", mail_in.bind, &e))
}

/// What pushes leave by, signed with the service's own key: made once, and kept with the subscriptions that were made for it.
pub(super) async fn pusher(store: &Store, clock: &SharedClock, config: &Config) -> Result<WebPusher, Failure> {
    let failed = |e: StoreError| Failure::new(e.to_string());
    if store.find_push_key().await.map_err(failed)?.is_none() {
        let mut tx = store.write().await.map_err(failed)?;
        tx.insert_push_key(&PushKey::fresh(), clock.utc()).await.map_err(failed)?;
        tx.commit("push_key").await.map_err(failed)?;
    }
    let kept = store.find_push_key().await.map_err(failed)?;
    let key = kept.as_ref().and_then(PushKey::open);
    let key =
        key.ok_or_else(|| Failure::new("the key that pushes are signed with cannot be used: restore the database"))?;
    let reach = if config.http.local_push_services { Reach::ThisMachineToo } else { Reach::World };
    WebPusher::new(key, &public_url(config), reach, Arc::clone(clock)).map_err(Failure::new)
}

/// How the world reaches the console.
pub(super) fn public_url(config: &Config) -> String {
    config.http.public_url.clone().unwrap_or_else(|| {
        let scheme = if config.http.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", config.http.bind)
    })
}

pub(super) fn front_settings(config: &Config, sandbox: bool) -> Settings {
    let provider = |sms: &crate::config::sms::SmsProvider| {
        let key = match &sms.shape {
            SmsShape::Twilio { auth_token, .. } => CallbackKey::Twilio(auth_token.clone()),
            SmsShape::Telnyx { public_key, .. } => CallbackKey::Telnyx(*public_key),
            SmsShape::Smpp { .. } => return None,
        };
        Some(SmsProvider { name: sms.name.clone(), key })
    };
    Settings {
        public_url: public_url(config),
        sip_domain: "cordboard.local".to_owned(),
        proxies: if config.http.behind_proxy { config.http.proxies.clone() } else { Vec::new() },
        local_push_services: config.http.local_push_services,
        sandbox,
        reachable: Reachable::by(config),
        not_ready_reasons: config.operators.not_ready_reasons.clone(),
        ages: config.board.ages,
        sms_providers: config.sms.iter().filter_map(provider).collect(),
        relay: config.turn.as_ref().map(|turn| Relay {
            urls: turn.urls.clone(),
            secret: turn.secret.clone(),
            ttl: turn.ttl,
        }),
    }
}

/// Starts the demo's carrier and points the configuration at it.
pub(super) async fn start_sandbox(
    demo: &Demo,
    config: &mut Config,
    clock: &SharedClock,
) -> Result<sandbox::Carrier, Failure> {
    let (ours, theirs) = split(&demo.rtp_ports);
    let sms = config.sms.first();
    let Some((name, SmsShape::Twilio { account_sid, auth_token, .. })) = sms.map(|sms| (&sms.name, &sms.shape)) else {
        return Err(Failure::new("the demo has no text provider"));
    };
    let carrier = sandbox::Carrier::start(SandboxConfig {
        clock: Arc::clone(clock),
        sip_bind: loopback(0),
        trunk_target: demo.sip,
        rtp_ports: theirs,
        smtp_bind: loopback(0),
        http_base: format!("http://{}", demo.http),
        inbound_path: format!("/hooks/sms/{name}/inbound"),
        sms_sid: account_sid.clone(),
        sms_token: auth_token.expose_secret().to_owned(),
        caller: PhoneNumber::parse(demo::CALLER).map_err(|e| Failure::new(e.to_string()))?,
        phones: demo::phones(),
        mailboxes: demo::mailboxes(),
        numbers: demo::numbers(),
        logins: demo::logins(),
    })
    .await
    .map_err(|e| Failure::new(e.to_string()))?;
    *config = demo.config(carrier.sip_addr(), carrier.smtp_addr()).map_err(Failure::new)?;
    config.media.ports = ours;
    Ok(carrier)
}

/// Three quarters of the media ports for us, the last quarter for the sandbox's phones.
fn split(ports: &RangeInclusive<u16>) -> (RangeInclusive<u16>, RangeInclusive<u16>) {
    let (first, last) = (*ports.start(), *ports.end());
    let cut = first + (last - first) / 4 * 3;
    (first..=cut, cut + 1..=last)
}
