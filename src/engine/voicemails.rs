//! Makes messages of voicemails: message, dispatch and the voicemail's own row in one transaction, like any other saving.
//!
//! What calls put on record is the only way here (`calls/record`): a row that is over and not settled is made a message,
//! however often it takes. What always holds: a voicemail in which something was said becomes exactly one message, also
//! when the process dies anywhere between its first word and that message.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::dispatcher::Dispatcher;
use crate::base::clock::{SharedClock, UtcMs};
use crate::base::id::MessageId;
use crate::domain::account::{Account, CallType, Urgency};
use crate::domain::message::Message;
use crate::domain::message::voicemail::{Spoken, message};
use crate::io::recording::{RecordingError, Recordings};
use crate::io::store::voicemails::{OpenVoicemail, VoicemailEnd};
use crate::io::store::{Store, StoreError, Tx};

/// The net under what wakes it.
const SWEEP: Duration = Duration::from_secs(10);
/// What a crash left of a voicemail is a message if it is as long as this.
const WORTH_HEARING_MS: i64 = 1_000;

/// Looks after voicemails. Cheap to clone.
#[derive(Clone)]
pub struct Voicemails {
    store: Store,
    clock: SharedClock,
    dispatcher: Dispatcher,
    recordings: Recordings,
    wake: Arc<Notify>,
}

impl std::fmt::Debug for Voicemails {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Voicemails")
    }
}

impl Voicemails {
    pub fn new(store: Store, clock: SharedClock, dispatcher: Dispatcher, recordings: Recordings) -> Self {
        Self { store, clock, dispatcher, recordings, wake: Arc::default() }
    }

    /// One is over: looks now rather than at the next sweep.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Makes messages for as long as the service runs, first of what an earlier start left: `cut_off` are the voicemails
    /// that were being spoken then.
    pub async fn run(self, mut cut_off: Vec<OpenVoicemail>) {
        loop {
            cut_off = self.close(cut_off).await;
            self.settle_all().await;
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(SWEEP) => {}
            }
        }
    }

    /// Ends voicemails that a crash cut off where their recordings do. Those that the store would not take come back.
    pub async fn close(&self, cut_off: Vec<OpenVoicemail>) -> Vec<OpenVoicemail> {
        let mut left = Vec::new();
        for voicemail in cut_off {
            let end = self.find_end(&voicemail).await;
            if let Err(error) = self.write_end(&voicemail, end).await {
                tracing::error!(call = %voicemail.call, code = error.code(), %error, "a voicemail that was cut off waits for the store");
                left.push(voicemail);
            }
        }
        left
    }

    async fn write_end(&self, voicemail: &OpenVoicemail, end: VoicemailEnd) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        tx.end_voicemail(&voicemail.call, end.at, end.heard).await?;
        tx.commit("voicemail").await
    }

    /// By what there is of its recording. One that cannot be read is a message all the same: somebody has to look.
    async fn find_end(&self, voicemail: &OpenVoicemail) -> VoicemailEnd {
        let (recordings, call) = (self.recordings.clone(), voicemail.call.clone());
        let length = tokio::task::spawn_blocking(move || {
            let recorded = recordings.open(&call)?;
            let ms = i64::try_from(recorded.figures().length_ms).unwrap_or(i64::MAX);
            Ok::<_, RecordingError>(recorded.started_at().plus_ms(ms))
        });
        match length.await {
            Ok(Ok(at)) => VoicemailEnd { at, heard: at.since(voicemail.begun_at) >= WORTH_HEARING_MS },
            Ok(Err(RecordingError::Missing)) => VoicemailEnd { at: voicemail.begun_at, heard: false },
            Ok(Err(_)) | Err(_) => VoicemailEnd { at: voicemail.begun_at, heard: true },
        }
    }

    /// Makes a message of each voicemail that is over. What fails is tried again at the next sweep.
    pub async fn settle_all(&self) {
        let open = match self.store.list_open_voicemails().await {
            Ok(open) => open,
            Err(error) => {
                return tracing::warn!(code = error.code(), %error, "voicemails wait for the store");
            }
        };
        for voicemail in open {
            let Some(end) = voicemail.end else { continue };
            if let Err(error) = self.settle(&voicemail, end).await {
                tracing::error!(call = %voicemail.call, code = error.code(), %error, "a voicemail is no message yet; it is tried again");
            }
        }
    }

    async fn settle(&self, voicemail: &OpenVoicemail, end: VoicemailEnd) -> Result<(), StoreError> {
        let now = self.clock.utc();
        let mut tx = self.store.write().await?;
        let made = if end.heard { Some(make(&mut tx, voicemail, end.at, now).await?) } else { None };
        let mut sent = true;
        if let Some((message, account)) = &made {
            tx.insert_message(message).await?;
            sent = self.dispatcher.open(&mut tx, message, account).await?;
        }
        let id = made.as_ref().map(|(message, _)| &message.id);
        if !tx.settle_voicemail(&voicemail.call, id, now).await? {
            return tx.rollback().await;
        }
        tx.commit("voicemail_done").await?;
        if let Some((message, account)) = made {
            self.dispatcher.wake();
            if message.urgency == Urgency::Urgent && !sent {
                self.dispatcher.alarm_of_unsent(&message, &account);
            }
            metrics::counter!("cordboard_voicemails_saved_total").increment(1);
            tracing::info!(message = %message.id, account = %message.account, "voicemail saved as a message");
        }
        Ok(())
    }
}

/// The message that a voicemail makes, and its account.
async fn make(
    tx: &mut Tx,
    voicemail: &OpenVoicemail,
    ended_at: UtcMs,
    now: UtcMs,
) -> Result<(Message, Account), StoreError> {
    let call = tx.find_call(&voicemail.call).await?.ok_or(StoreError::Missing { what: "call" })?;
    let account = tx.find_account(&call.account).await?.ok_or(StoreError::Missing { what: "account" })?;
    let call_type = pick_call_type(tx, voicemail, &account).await?;
    let entered = tx.list_digits(&call.id).await?;
    let spoken = Spoken { call: call.id, caller: call.remote, begun_at: voicemail.begun_at, ended_at, entered };
    Ok((message(MessageId::fresh(now), &account, &call_type, &spoken), account))
}

/// The call type that the voicemail was asked for with, retired or not; one of the account's if there is none any more.
async fn pick_call_type(tx: &mut Tx, voicemail: &OpenVoicemail, account: &Account) -> Result<CallType, StoreError> {
    let asked = tx.find_call_type(&voicemail.call_type).await?;
    let asked = asked.filter(|(owner, _)| *owner == account.id).map(|(_, call_type)| call_type);
    let other = || account.call_types.first().cloned();
    asked.or_else(other).ok_or(StoreError::Missing { what: "call type" })
}
