//! What came in from outside for the dispatcher (replies, receipts, news of calls, operators' acts): stored
//! first, sealed, then handled once. The provider's own identifier absorbs repeats. And the nodes that are
//! alive, so that what a dead one had in flight is found.

use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, AttemptId, CallId, ContactId, DispatchId, StepRunId};
use crate::base::phone::PhoneNumber;
use crate::domain::dispatch::event::{CallNews, Failure, OperatorAct};
use crate::domain::dispatch::fax::FaxOutcome;
use crate::domain::dispatch::inbox::InboxNews;
use crate::domain::dispatch::job::JobNews;
use crate::domain::dispatch::mail::Fate;
use crate::domain::dispatch::patch_step::{PatchNews, add_names};

use super::{Query, Row, StoreError, Tx, args, readers};

/// Something that came in.
#[derive(Clone, PartialEq, Eq)]
pub struct Inbound {
    /// The door: `twilio`, `call`, `operator`.
    pub provider: String,
    /// The provider's name for it; a repeat has the same.
    pub provider_msg_id: String,
    pub received_at: UtcMs,
    pub what: Arrival,
}

impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbound").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// What it says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Arrival {
    /// A text from a person.
    Text { from: PhoneNumber, to: Option<PhoneNumber>, body: String },
    /// A part of one: the `number`th of `of`. `reference`: the same for all its parts.
    TextPart { from: PhoneNumber, to: Option<PhoneNumber>, body: String, reference: u16, of: u8, number: u8 },
    /// A receipt for a text that we sent.
    Receipt { provider_id: String, receipt: Receipt },
    /// News of a call-out.
    Call { attempt: AttemptId, news: CallNews },
    /// A call for a fax is over.
    Fax { attempt: AttemptId, outcome: FaxOutcome },
    /// News of a call that an operator makes.
    Job { attempt: AttemptId, news: JobNews },
    /// A push reached a device.
    Pushed { attempt: AttemptId },
    /// A person opened or confirmed a message in their inbox.
    Inbox { attempt: AttemptId, news: InboxNews },
    /// A person wrote about a message from their inbox.
    InboxReply { dispatch: DispatchId, contact: ContactId, name: String, body: String },
    /// A mail server says what became of an email. `recipient`: whom it names.
    MailFate { attempt: AttemptId, fate: Fate, recipient: Option<String> },
    /// A person answered an email. `from`: as the mail says it; what it is worth, nobody knows.
    MailReply { attempt: AttemptId, from: String, subject: String, body: String },
    /// An operator acts on a dispatch.
    Operator { dispatch: DispatchId, by: String, act: OperatorAct },
    /// News of a patch on a call, to this person or number. It is about messages of this account, as below.
    Patching {
        call: CallId,
        #[serde(default)]
        account: Option<AccountId>,
        contact: Option<ContactId>,
        number: PhoneNumber,
        news: PatchNews,
    },
    /// A patch on a call has connected. It is about messages of this account, whom the call was for then; of those stored
    /// before that was told, about all of the call.
    Patched {
        call: CallId,
        #[serde(default)]
        account: Option<AccountId>,
        to: String,
    },
    /// A recap with the message, in this edition, was accepted for these people.
    Recapped { dispatch: DispatchId, run: StepRunId, to: Vec<String>, edition: Option<u32> },
    /// `who` heard a held message at check-in: from the operator `by`, or by telephone. What came in before editions were
    /// told has none.
    ReadAtCheckIn {
        dispatch: DispatchId,
        who: String,
        by: Option<String>,
        #[serde(default)]
        edition: Option<u32>,
    },
}

/// What a provider says became of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "receipt", rename_all = "snake_case")]
pub enum Receipt {
    /// On its way.
    Sent,
    Delivered,
    Failed {
        failure: Failure,
        why: String,
    },
}

/// The door by which what was read at check-in is told.
pub const CHECK_INS: &str = "check_in";

/// The door by which inboxes tell.
pub const INBOXES: &str = "inbox";

/// The door that mail comes in by; the identifier is made of the attempt's and of the mail's own.
pub const MAILS: &str = "mail";

/// The door by which recaps are told; the identifier is the recap's with the dispatch's.
pub const RECAPS: &str = "recap";

/// The door by which patches are told; the identifier is [`patch_name`].
pub const PATCHES: &str = "patch";

/// Of so many patches on one call for one account it is said later to whom they were.
const PATCHES_TOLD: u32 = 8;

/// The name of the `nth` patch that has connected on a call while it was for this account, so that each is kept, and each once:
/// a call may go from one account to another, and be patched for both.
pub fn patch_name(call: &CallId, account: &AccountId, nth: u32) -> String {
    format!("{call}:{account}:{nth:06}")
}

/// The door by which calls tell of patches that have not connected; the identifier is the call's with a count.
pub const PATCH_TRIES: &str = "patch_try";

impl Arrival {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::TextPart { .. } => "text_part",
            Self::Receipt { .. } => "receipt",
            Self::Call { .. } => "call",
            Self::Fax { .. } => "fax",
            Self::Job { .. } => "job",
            Self::Pushed { .. } => "pushed",
            Self::Inbox { .. } => "inbox",
            Self::InboxReply { .. } => "inbox_reply",
            Self::MailFate { .. } => "mail_fate",
            Self::MailReply { .. } => "mail_reply",
            Self::Operator { .. } => "operator",
            Self::Patching { .. } => "patching",
            Self::Patched { .. } => "patched",
            Self::Recapped { .. } => "recapped",
            Self::ReadAtCheckIn { .. } => "read_at_check_in",
        }
    }
}

readers! {
    /// What has come in and is not handled, oldest first; what cannot be opened is passed over.
    list_waiting_inbound(limit: u32) -> Vec<Inbound>;
    /// What has come in, is not handled and cannot be opened: its door and its name there.
    list_unreadable_inbound(limit: u32) -> Vec<(String, String)>;
    /// Texts and mails that were no answer to anything, mails that came back, and what was written from inboxes, that no operator has seen to, newest first.
    list_unplaced_texts(limit: u32) -> Vec<Inbound>;
    /// Parts of texts from this number that no text was made of yet, oldest first.
    list_waiting_text_parts(from_number: &PhoneNumber) -> Vec<Inbound>;
    /// Whom the caller of this call was put through to for this account, if a patch has connected: the first few, by name.
    find_patched_to(call: &CallId, account: &AccountId) -> Vec<String>;
    /// How often a number was told how to confirm since its last reply that was understood.
    count_help_replies(from_number: &PhoneNumber) -> i64;
}

const COLUMNS: &str = "provider, provider_msg_id, received_at, sealed";

async fn waiting(from: &mut impl Query, limit: u32) -> Result<Vec<Row>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM inbound WHERE handled_at IS NULL ORDER BY received_at, provider_msg_id LIMIT $1"
    ));
    from.fetch_all(sql, args![limit]).await
}

async fn list_waiting_inbound(from: &mut impl Query, limit: u32) -> Result<Vec<Inbound>, StoreError> {
    let rows = waiting(from, limit).await?;
    Ok(rows.iter().filter_map(|row| inbound(row, from).ok()).collect())
}

async fn list_waiting_text_parts(from: &mut impl Query, from_number: &PhoneNumber) -> Result<Vec<Inbound>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM inbound WHERE sender_index = $1 AND handled_at IS NULL AND kind = 'text_part'
         ORDER BY received_at, provider_msg_id"
    ));
    let sender = from.seal().index("sender", from_number.as_e164());
    let rows = from.fetch_all(sql, args![sender]).await?;
    Ok(rows.iter().filter_map(|row| inbound(row, from).ok()).collect())
}

async fn list_unreadable_inbound(from: &mut impl Query, limit: u32) -> Result<Vec<(String, String)>, StoreError> {
    let rows = waiting(from, limit).await?;
    let unreadable = rows.iter().filter(|row| inbound(row, from).is_err());
    unreadable.map(|row| Ok((row.read("provider")?, row.read("provider_msg_id")?))).collect()
}

async fn list_unplaced_texts(from: &mut impl Query, limit: u32) -> Result<Vec<Inbound>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM inbound WHERE outcome IN ('unplaced', 'helped', 'noted')
         AND kind IN ('text', 'inbox_reply', 'mail_fate', 'mail_reply')
         ORDER BY received_at DESC LIMIT $1"
    ));
    let rows = from.fetch_all(sql, args![limit]).await?;
    rows.iter().map(|row| inbound(row, from)).collect()
}

pub(super) async fn find_patched_to(
    from: &mut impl Query,
    call: &CallId,
    account: &AccountId,
) -> Result<Vec<String>, StoreError> {
    // One that was stored before patches were told apart has the call's name alone. By name rather than by its beginning: how
    // text sorts is PostgreSQL's locale's to say.
    let names = (1..=PATCHES_TOLD).map(|nth| patch_name(call, account, nth));
    let mut args = args![PATCHES, call];
    args.extend(names.flat_map(|name| args![name]));
    let places: Vec<_> = (2..=args.len()).map(|n| format!("${n}")).collect();
    // Safe: made of placeholders.
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM inbound WHERE provider = $1 AND provider_msg_id IN ({}) ORDER BY provider_msg_id",
        places.join(", ")
    ));
    let mut all = Vec::new();
    for row in from.fetch_all(sql, args).await? {
        if let Arrival::Patched { to, account: of, .. } = inbound(&row, from)?.what
            && of.as_ref().is_none_or(|of| of == account)
        {
            add_names(&mut all, &[to]);
        }
    }
    Ok(all)
}

async fn count_help_replies(from: &mut impl Query, from_number: &PhoneNumber) -> Result<i64, StoreError> {
    const SQL: &str =
        "SELECT COUNT(*) AS n FROM inbound WHERE sender_index = $1 AND outcome IN ('helped', 'helped_seen')
        AND handled_at > (SELECT COALESCE(MAX(handled_at), 0) FROM inbound
            WHERE sender_index = $1 AND outcome = 'confirmed')";
    let sender = from.seal().index("sender", from_number.as_e164());
    from.fetch_optional(SQL, args![sender]).await?.map_or(Ok(0), |row| row.read("n"))
}

fn context(provider: &str, id: &str) -> String {
    format!("inbound:{provider}:{id}")
}

fn inbound(row: &Row, from: &impl Query) -> Result<Inbound, StoreError> {
    let provider: String = row.read("provider")?;
    let provider_msg_id: String = row.read("provider_msg_id")?;
    let sealed: Vec<u8> = row.read("sealed")?;
    let what = from.seal().open_json(&context(&provider, &provider_msg_id), &sealed)?;
    Ok(Inbound { provider, provider_msg_id, received_at: row.read("received_at")?, what })
}

impl Tx {
    /// Stores what came in; `false`: it was there already.
    pub async fn insert_inbound(&mut self, inbound: &Inbound) -> Result<bool, StoreError> {
        let sender = match &inbound.what {
            Arrival::Text { from, .. } | Arrival::TextPart { from, .. } => {
                Some(self.seal().index("sender", from.as_e164()))
            }
            _ => None,
        };
        let sealed = self.seal().seal_json(&context(&inbound.provider, &inbound.provider_msg_id), &inbound.what);
        let inserted = self
            .execute(
                "INSERT INTO inbound (provider, provider_msg_id, received_at, kind, sender_index, sealed)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                args![
                    &inbound.provider,
                    &inbound.provider_msg_id,
                    inbound.received_at,
                    inbound.what.kind(),
                    sender,
                    sealed
                ],
            )
            .await?;
        Ok(inserted > 0)
    }

    /// Marks it handled, in the transaction that applied it; `false`: somebody else has handled it.
    pub async fn settle_inbound(&mut self, inbound: &Inbound, outcome: &str, now: UtcMs) -> Result<bool, StoreError> {
        let changed = self
            .execute(
                "UPDATE inbound SET handled_at = $3, outcome = $4
                 WHERE provider = $1 AND provider_msg_id = $2 AND handled_at IS NULL",
                args![&inbound.provider, &inbound.provider_msg_id, now, outcome],
            )
            .await?;
        Ok(changed > 0)
    }

    /// An operator has seen to a text that matched nothing.
    pub async fn see_unplaced(&mut self, provider: &str, id: &str) -> Result<(), StoreError> {
        // That help was sent is still counted.
        const SQL: &str = "UPDATE inbound SET outcome = CASE outcome WHEN 'helped' THEN 'helped_seen' ELSE 'seen' END
            WHERE provider = $1 AND provider_msg_id = $2 AND outcome IN ('unplaced', 'helped', 'noted')";
        self.execute(SQL, args![provider, id]).await?;
        Ok(())
    }

    /// Marks as done with what cannot be opened; the row stays as it came.
    pub async fn settle_unreadable(&mut self, provider: &str, id: &str, now: UtcMs) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE inbound SET handled_at = $3, outcome = 'unreadable'
            WHERE provider = $1 AND provider_msg_id = $2 AND handled_at IS NULL";
        self.execute(SQL, args![provider, id, now]).await?;
        Ok(())
    }

    /// Says that the node `name` lives as `boot`; an earlier boot of the same name is dead by it.
    pub async fn beat_node(&mut self, name: &str, boot: &str, now: UtcMs) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO node (name, boot, beat_at) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET boot = excluded.boot, beat_at = excluded.beat_at",
            args![name, boot, now],
        )
        .await?;
        Ok(())
    }

    /// Forgets nodes that have not been heard of since `before`.
    pub async fn bury_nodes(&mut self, before: UtcMs) -> Result<u64, StoreError> {
        self.execute("DELETE FROM node WHERE beat_at < $1", args![before]).await
    }
}
