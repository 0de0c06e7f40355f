//! Texts over SMPP 3.4: one connection as a transceiver, kept by [`Link::run`], over which texts leave ([`SmppTexter`]) and
//! receipts and texts come in ([`Incoming`], taken by `engine/texts`).
//!
//! What always holds: what came in is answered only once it is stored, and asked for again otherwise; nobody waits for
//! a carrier that is slow, but whoever sends; of a text whose answer did not come, or of which a part is taken, nobody says that
//! it was not taken.

use std::str::FromStr as _;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use rusmpp::pdus::{BindTransceiver, DeliverSm, DeliverSmResp, SubmitSm};
use rusmpp::tlvs::TlvValue;
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, InterfaceVersion, Npi, RegisteredDelivery, Ton};
use rusmpp::{CommandStatus, Pdu};
use rusmppc::error::Error as SmppError;
use rusmppc::{Client, ConnectionBuilder, Event};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::seen::Seen;
use crate::base::clock::{Clock as _, SystemClock};
use crate::base::phone::PhoneNumber;
use crate::base::rng::Rng;
use crate::config::pager::PagerAt;
use crate::domain::dispatch::event::Failure;
use crate::domain::dispatch::state::FailedFor;
use crate::io::deliver::{Answer, Delivery, TextMessage, Texter};
use crate::io::net::tls::client_config;
use crate::io::store::inbound::Receipt;
use crate::proto::sms::alphabet::{Alphabet, Coding, decode};
use crate::proto::sms::parts::{Part, Place, read_head, split};
use crate::proto::sms::receipt::{self, Fate, Ids};
use crate::proto::sms::wholes::{Sending, Wholes};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const BIND_WITHIN: Duration = Duration::from_secs(10);
/// How long one answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
pub(super) const ASK_EVERY: Duration = Duration::from_secs(30);
pub(super) const ASKED_WITHIN: Duration = Duration::from_secs(10);
/// A text that finds no connection waits so long for one.
const WAIT_FOR_BIND: Duration = Duration::from_secs(5);
/// Between two tries to connect: at first, and at most.
const AGAIN_FIRST: Duration = Duration::from_secs(1);
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);
/// A text of several parts is complete by then, or is given up in the middle: before whoever sends it gives it up.
const ALL_WITHIN: Duration = Duration::from_secs(40);
/// Between two tries of a part after the first: at first, and at most.
const PART_AGAIN_FIRST: Duration = Duration::from_secs(1);
const PART_AGAIN_AT_MOST: Duration = Duration::from_secs(8);
const GOODBYE_WITHIN: Duration = Duration::from_secs(2);
/// No PDU is longer.
const MAX_PDU: usize = 64 * 1_024;
/// What came in and waits to be stored; the carrier waits for it.
const WAITING: usize = 64;

/// How a carrier is reached.
#[derive(Clone, Debug)]
pub struct SmppConfig {
    pub name: String,
    pub at: PagerAt,
    pub system_id: String,
    pub password: SecretString,
    pub system_type: String,
    pub from: PhoneNumber,
    pub window: usize,
    pub alphabet: Alphabet,
    pub receipt_ids: Ids,
}

/// Something that came in. `taken`: it is stored; dropped or false, it is asked for again.
pub struct Incoming {
    pub what: What,
    pub taken: oneshot::Sender<bool>,
}

/// What it is.
pub enum What {
    /// A text, or part of one.
    Text { id: String, from: PhoneNumber, to: Option<PhoneNumber>, body: String, place: Option<Place> },
    /// What became of a text of ours; `word`: the carrier's for it.
    Receipt { provider_id: String, word: String, receipt: Receipt },
}

/// Sends texts over the connection.
pub struct SmppTexter {
    shared: Arc<Shared>,
    from: PhoneNumber,
    bound: watch::Receiver<Option<Client>>,
    window: Semaphore,
    reference: AtomicU8,
}

/// Keeps the connection.
pub struct Link {
    shared: Arc<Shared>,
    config: SmppConfig,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    bound: watch::Sender<Option<Client>>,
    incoming: mpsc::Sender<Incoming>,
    seen: Seen,
}

struct Shared {
    name: String,
    alphabet: Alphabet,
    receipt_ids: Ids,
    wholes: Mutex<Wholes>,
}

/// How a connection ended.
enum Ended {
    Stopped,
    /// It was bound before.
    Lost,
    NotBound(&'static str),
}

/// A carrier: what sends, what keeps the connection, and what comes in over it.
///
/// # Errors
/// A sentence that says which setting cannot be used.
pub fn open(config: SmppConfig) -> Result<(SmppTexter, Link, mpsc::Receiver<Incoming>), String> {
    let tls = match &config.at.tls {
        None => None,
        Some(tls) => {
            let name = ServerName::try_from(config.at.host.clone());
            let name = name.map_err(|_| "its name cannot be used for TLS".to_owned())?;
            Some((Arc::new(client_config(tls.ca_file.as_deref()).map_err(|fault| fault.to_string())?), name))
        }
    };
    let (bound, is_bound) = watch::channel(None);
    let (incoming, comes_in) = mpsc::channel(WAITING);
    let shared = Arc::new(Shared {
        name: config.name.clone(),
        alphabet: config.alphabet,
        receipt_ids: config.receipt_ids,
        wholes: Mutex::default(),
    });
    let mut rng = Rng::from_system();
    let texter = SmppTexter {
        shared: Arc::clone(&shared),
        from: config.from.clone(),
        bound: is_bound,
        window: Semaphore::new(config.window),
        // Not the same after each start, as phones still wait for parts of before.
        reference: AtomicU8::new(u8::try_from(rng.below(256)).unwrap_or_default()),
    };
    let seen = Seen::new(rng.token(12));
    Ok((texter, Link { shared, config, tls, bound, incoming, seen }, comes_in))
}

impl SmppTexter {
    async fn deliver(&self, text: &TextMessage) -> Delivery {
        let began = SystemClock.instant();
        let Ok(Ok(client)) = timeout(WAIT_FOR_BIND, self.client()).await else { return later("not_bound") };
        let parts = split(&text.body, self.reference.fetch_add(1, Ordering::Relaxed), self.shared.alphabet);
        let written: Option<Vec<_>> = parts.into_iter().map(|part| self.pdu(text, part)).collect();
        let mut parts = written.unwrap_or_default().into_iter();
        let Some(first) = parts.next() else { return Delivery::failed(Failure::Permanent, "cannot_be_written") };
        let id = match self.submit(&client, first).await {
            Ok(id) => id,
            Err(delivery) => return delivery,
        };
        let accepted = |id: Option<String>| Delivery::Accepted { provider_id: id.map(|id| self.shared.named(&id)) };
        if parts.len() == 0 {
            return accepted(id);
        }
        let whole = self.shared.wholes().begin();
        self.shared.sent(&whole, id);
        let left = ALL_WITHIN.saturating_sub(SystemClock.instant().duration_since(began));
        match timeout(left, self.finish(&whole, parts)).await {
            Ok(Ok(())) => accepted(self.shared.wholes().complete(whole)),
            Ok(Err(delivery)) => delivery,
            Err(_) => half(),
        }
    }

    /// The rest of a text whose first part is taken. Only this carrier can complete it, so that it is asked again whatever
    /// it says, but for a no that stays one. A part in doubt goes again by its own number, and phones show it once.
    async fn finish(&self, whole: &Sending, parts: impl Iterator<Item = SubmitSm>) -> Result<(), Delivery> {
        for part in parts {
            let mut pause = PART_AGAIN_FIRST;
            loop {
                // Nobody keeps the connection any more.
                let client = self.client().await.map_err(|_| half())?;
                match self.submit(&client, part.clone()).await {
                    Ok(id) => break self.shared.sent(whole, id),
                    Err(Delivery::Failed { failure: Failure::Permanent, why }) => return Err(refused_in_part(&why)),
                    Err(_) => tokio::time::sleep(pause).await,
                }
                pause = (pause * 2).min(PART_AGAIN_AT_MOST);
            }
        }
        Ok(())
    }

    /// The connection, as soon as there is one. An error: there will be none.
    async fn client(&self) -> Result<Client, watch::error::RecvError> {
        let mut bound = self.bound.clone();
        loop {
            // Only what is some is waited for; the copy of it is taken while it cannot change.
            if let Some(client) = bound.wait_for(Option::is_some).await?.clone() {
                return Ok(client);
            }
        }
    }

    /// What the carrier calls it; none: it gave it no name.
    async fn submit(&self, client: &Client, pdu: SubmitSm) -> Result<Option<String>, Delivery> {
        // Never closed.
        let Ok(_place) = self.window.acquire().await else { return Err(later("not_bound")) };
        if client.is_closed() {
            return Err(later("not_bound"));
        }
        let answer = client.submit_sm(pdu).await.map_err(|error| judge(&error))?;
        let id = answer.message_id().to_string();
        Ok((!id.is_empty()).then(|| self.shared.receipt_ids.taken(&id)))
    }

    fn pdu(&self, text: &TextMessage, part: Part) -> Option<SubmitSm> {
        let number = |number: &PhoneNumber| COctetString::from_str(number.as_e164().trim_start_matches('+')).ok();
        let coding = match part.coding {
            Coding::Gsm7 => DataCoding::McSpecific,
            Coding::Ucs2 => DataCoding::Ucs2,
        };
        let pdu = SubmitSm::builder()
            .source_addr_ton(Ton::International)
            .source_addr_npi(Npi::Isdn)
            .source_addr(number(text.from.as_ref().unwrap_or(&self.from))?)
            .dest_addr_ton(Ton::International)
            .dest_addr_npi(Npi::Isdn)
            .destination_addr(number(&text.to)?)
            // §5.2.12: bit 6 says that a head stands before the words.
            .esm_class(EsmClass::from(if part.headed { 0x40 } else { 0 }))
            // §5.2.17: a receipt, whether it arrives or not.
            .registered_delivery(RegisteredDelivery::from(1))
            .data_coding(coding)
            .short_message(OctetString::from_vec(part.octets).ok()?);
        Some(pdu.build())
    }
}

impl Texter for SmppTexter {
    fn send<'a>(&'a self, text: &'a TextMessage) -> Answer<'a> {
        Box::pin(self.deliver(text))
    }
}

impl Shared {
    fn wholes(&self) -> std::sync::MutexGuard<'_, Wholes> {
        self.wholes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A part of a text is taken, by this name.
    fn sent(&self, whole: &Sending, id: Option<String>) {
        if let Some(id) = id {
            self.wholes().sent(whole, &id);
        }
    }

    /// Carriers count from one: without their name two would have the same.
    fn named(&self, id: &str) -> String {
        format!("smpp:{}:{id}", self.name)
    }
}

fn later(why: &str) -> Delivery {
    Delivery::failed(Failure::Temporary, why)
}

/// The phone may have part of it: no other carrier is given it by itself.
fn half() -> Delivery {
    Delivery::failed(Failure::Unknown, FailedFor::IN_PART)
}

/// The same, and the rest was refused for good: the next step follows at once, and whoever reads of it sees that they may have half.
fn refused_in_part(why: &str) -> Delivery {
    Delivery::failed(Failure::Permanent, format!("{}_and_the_rest_refused_{why}", FailedFor::IN_PART))
}

fn judge(error: &SmppError) -> Delivery {
    match error {
        SmppError::UnexpectedResponse { response } => refused(response.status()),
        SmppError::ResponseTimeout { .. } => Delivery::failed(Failure::Unknown, "timeout"),
        SmppError::Encode(_) => Delivery::failed(Failure::Permanent, "cannot_be_written"),
        // The connection fell away with the text on it.
        _ => Delivery::failed(Failure::Unknown, "broken_off"),
    }
}

/// What a carrier's no means (§5.1.3).
fn refused(status: CommandStatus) -> Delivery {
    use CommandStatus as Status;
    let why = format!("smpp_{:02x}", u32::from(status));
    let permanent = matches!(
        status,
        // No such number, or not such a text; the last two: the network says that it never will.
        Status::EsmeRinvdstadr
            | Status::EsmeRinvdstton
            | Status::EsmeRinvdstnpi
            | Status::EsmeRinvmsglen
            | Status::EsmeRxPAppn
            | Status::EsmeRxRAppn
    );
    // Throttled, full queues, faults of theirs; and what is wrong with our own account, which somebody can mend.
    Delivery::failed(if permanent { Failure::Permanent } else { Failure::Temporary }, why)
}

impl Link {
    /// Whether texts can leave and come in, as it changes.
    pub fn is_bound(&self) -> watch::Receiver<Option<Client>> {
        self.bound.subscribe()
    }

    /// Keeps the connection until `stop` says true.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut rng = Rng::from_system();
        let mut pause = AGAIN_FIRST;
        loop {
            let ended = self.session(&mut stop).await;
            self.bound.send_replace(None);
            match ended {
                Ended::Stopped => return,
                Ended::Lost => {
                    self.seen.lost(SystemClock.instant());
                    tracing::warn!(
                        provider = self.shared.name,
                        "the text carrier's connection is lost; connecting again"
                    );
                    pause = AGAIN_FIRST;
                }
                Ended::NotBound(why) => {
                    tracing::warn!(
                        provider = self.shared.name,
                        why,
                        "the text carrier cannot be reached; trying again"
                    );
                }
            }
            // Not all at once, when it is back.
            let spread = Duration::from_millis(rng.below(u64::try_from(pause.as_millis()).unwrap_or(1) / 2 + 1));
            tokio::select! {
                () = tokio::time::sleep(pause + spread) => {}
                () = stopped(&mut stop) => return,
            }
            pause = (pause * 2).min(AGAIN_AT_MOST);
        }
    }

    async fn session(&mut self, stop: &mut watch::Receiver<bool>) -> Ended {
        if *stop.borrow() {
            return Ended::Stopped;
        }
        let at = &self.config.at;
        let Ok(Ok(stream)) = timeout(CONNECT_WITHIN, TcpStream::connect((at.host.as_str(), at.port))).await else {
            return Ended::NotBound("no_connection");
        };
        let _ = stream.set_nodelay(true);
        let builder = ConnectionBuilder::new()
            .enquire_link_interval(ASK_EVERY)
            .enquire_link_response_timeout(ASKED_WITHIN)
            .enable_auto_enquire_link_response()
            .response_timeout(ANSWER_WITHIN)
            .max_command_length(MAX_PDU)
            // It would have us say 5.0.
            .disable_interface_version_check();
        match &self.tls {
            None => {
                let (client, events) = builder.connected(stream);
                self.bind_and_listen(client, events, stop).await
            }
            Some((config, name)) => {
                let handshake = TlsConnector::from(Arc::clone(config)).connect(name.clone(), stream);
                let Ok(Ok(stream)) = timeout(CONNECT_WITHIN, handshake).await else { return Ended::NotBound("no_tls") };
                let (client, events) = builder.connected(stream);
                self.bind_and_listen(client, events, stop).await
            }
        }
    }

    async fn bind_and_listen(
        &mut self,
        client: Client,
        mut events: impl Stream<Item = Event> + Unpin,
        stop: &mut watch::Receiver<bool>,
    ) -> Ended {
        let word = |text: &str| COctetString::from_str(text).unwrap_or_default();
        let bind = BindTransceiver::builder()
            .system_id(word(&self.config.system_id))
            .password(COctetString::from_str(self.config.password.expose_secret()).unwrap_or_default())
            .system_type(COctetString::from_str(&self.config.system_type).unwrap_or_default())
            .interface_version(InterfaceVersion::Smpp3_4)
            .build();
        match timeout(BIND_WITHIN, client.bind_transceiver(bind)).await {
            Ok(Ok(_)) => {}
            Ok(Err(SmppError::UnexpectedResponse { .. })) => return Ended::NotBound("refused"),
            Ok(Err(_)) | Err(_) => return Ended::NotBound("no_answer"),
        }
        tracing::info!(provider = self.shared.name, "the text carrier is connected");
        self.seen.next_session();
        self.bound.send_replace(Some(client.clone()));
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = stopped(stop) => {
                    let _ = timeout(GOODBYE_WITHIN, client.unbind()).await;
                    let _ = timeout(GOODBYE_WITHIN, client.close_and_wait()).await;
                    return Ended::Stopped;
                }
            };
            match event {
                Some(Event::Incoming(command)) => {
                    let number = command.sequence_number();
                    match command.pdu() {
                        Some(Pdu::DeliverSm(deliver)) => {
                            let status = if self.take(deliver).await {
                                CommandStatus::EsmeRok
                            } else {
                                // §5.1.3: for now; it comes again.
                                CommandStatus::EsmeRxTAppn
                            };
                            let answer = client.status(status).deliver_sm_resp(number, DeliverSmResp::default()).await;
                            if answer.is_ok() && status == CommandStatus::EsmeRok {
                                self.seen.answered(SystemClock.instant());
                            }
                        }
                        Some(Pdu::Unbind) => {
                            let _ = client.unbind_resp(number).await;
                            let _ = timeout(GOODBYE_WITHIN, client.close_and_wait()).await;
                            return Ended::Lost;
                        }
                        // Answers that nobody waits for any more, and what nobody asked for.
                        _ => {}
                    }
                }
                Some(Event::Error(_)) | None => return Ended::Lost,
            }
        }
    }

    /// Hands on what came in. Whether it is stored, or need not be.
    async fn take(&mut self, deliver: &DeliverSm) -> bool {
        let Some(what) = self.read(deliver) else {
            metrics::counter!("cordboard_texts_unreadable_total").increment(1);
            return true;
        };
        let Some(what) = what else { return true };
        let (taken, is_taken) = oneshot::channel();
        if self.incoming.send(Incoming { what, taken }).await.is_err() {
            return false;
        }
        is_taken.await.unwrap_or(false)
    }

    /// The outer `None`: it cannot be read, and nobody can be answered. The inner one: it tells nothing new.
    #[allow(clippy::option_option, reason = "what cannot be read is counted, what tells nothing is not")]
    fn read(&mut self, deliver: &DeliverSm) -> Option<Option<What>> {
        let payload = deliver.tlvs().iter().find_map(|tlv| match tlv.value() {
            Some(TlvValue::MessagePayload(payload)) => Some(payload.value.as_ref()),
            _ => None,
        });
        let octets: &[u8] = payload.unwrap_or_else(|| deliver.short_message().as_ref());
        let class = u8::from(deliver.esm_class);
        // §5.2.12: bits 2 and 5.
        if class & 0x24 != 0 {
            return self.read_receipt(deliver, octets);
        }
        let from = number(deliver.source_addr.as_str(), deliver.source_addr_ton)?;
        let to = number(deliver.destination_addr.as_str(), deliver.dest_addr_ton);
        let (place, words) = if class & 0x40 != 0 { read_head(octets)? } else { (place_of(deliver), octets) };
        let id = self.seen.name(deliver, octets);
        let body = decode(u8::from(deliver.data_coding), words, self.shared.alphabet);
        Some(Some(What::Text { id, from, to, body, place }))
    }

    #[allow(clippy::option_option, reason = "as `read`")]
    fn read_receipt(&self, deliver: &DeliverSm, octets: &[u8]) -> Option<Option<What>> {
        let receipt = receipt::read(&decode(u8::from(deliver.data_coding), octets, self.shared.alphabet));
        let Some(receipt) = receipt else { return Some(None) };
        let named = deliver.tlvs().iter().find_map(|tlv| match tlv.value() {
            Some(TlvValue::ReceiptedMessageId(id)) => Some(id.to_string()),
            _ => None,
        });
        let id = self.shared.receipt_ids.of_receipt(named.as_deref(), &receipt.id);
        let (id, fate) = match self.shared.wholes().heard(&id, receipt.fate) {
            Some(None) => return Some(None),
            Some(Some(whole)) => whole,
            None => (id, receipt.fate),
        };
        let what = match fate {
            Fate::Sent => Receipt::Sent,
            Fate::Delivered => Receipt::Delivered,
            Fate::Failed => Receipt::Failed { failure: Failure::Permanent, why: receipt.word.clone() },
        };
        Some(Some(What::Receipt { provider_id: self.shared.named(&id), word: receipt.word, receipt: what }))
    }
}

/// Waits until all is to end.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody will ever say it: the service is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The place of a part by SAR's parameters (§5.3.2.22 to 24).
fn place_of(deliver: &DeliverSm) -> Option<Place> {
    let (mut reference, mut of, mut number) = (None, None, None);
    for tlv in deliver.tlvs() {
        match tlv.value() {
            Some(TlvValue::SarMsgRefNum(value)) => reference = Some(*value),
            Some(TlvValue::SarTotalSegments(value)) => of = Some(*value),
            Some(TlvValue::SarSegmentSeqnum(value)) => number = Some(*value),
            _ => {}
        }
    }
    let (reference, of, number) = (reference?, of?, number?);
    (of > 1 && (1..=of).contains(&number)).then_some(Place { reference, of, number })
}

/// A number as carriers write it: without the plus, even where it is international.
fn number(digits: &str, ton: Ton) -> Option<PhoneNumber> {
    let plain = digits.trim_start_matches('+');
    let whole = || PhoneNumber::parse(&format!("+{plain}")).ok();
    match ton {
        Ton::International => whole(),
        _ => PhoneNumber::parse(digits).ok().or_else(whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart_by_whether_another_try_could_help() {
        let failure = |status| match refused(status) {
            Delivery::Failed { failure, why } => (failure, why),
            Delivery::Accepted { .. } => panic!("a refusal"),
        };
        assert_eq!(failure(CommandStatus::EsmeRthrottled), (Failure::Temporary, "smpp_58".into()));
        assert_eq!(failure(CommandStatus::EsmeRmsgqful), (Failure::Temporary, "smpp_14".into()));
        assert_eq!(failure(CommandStatus::EsmeRinvdstadr), (Failure::Permanent, "smpp_0b".into()));
        assert_eq!(failure(CommandStatus::EsmeRinvsrcadr), (Failure::Temporary, "smpp_0a".into()), "ours to mend");
        assert_eq!(failure(CommandStatus::Other(0x400)), (Failure::Temporary, "smpp_400".into()));
    }

    #[test]
    fn numbers_are_read_as_carriers_write_them() {
        let read = |digits, ton| number(digits, ton).map(|number| number.as_e164().to_owned());
        let whole = Some("+12025550110".to_owned());
        assert_eq!(read("12025550110", Ton::International), whole);
        assert_eq!(read("+12025550110", Ton::International), whole);
        assert_eq!(read("12025550110", Ton::Unknown), whole);
        assert_eq!(read("CARRIER", Ton::Alphanumeric), None);
    }
}
