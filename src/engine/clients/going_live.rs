//! Whether an account is a draft: what of it its client has approved, and what is another since. An approval names the version that was
//! read; one of another is refused, and so is one of nothing. The one with which an account goes live is refused while an urgent message
//! would go by a way that was never tried, unless whoever gives it says yes to that. Calls never ask: a draft takes them as any does.

use super::{Clients, Refusal, lock};
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, DestinationId, UserId};
use crate::domain::account::edit_contact::ContactEdit;
use crate::domain::account::fault::{Faults, Text};
use crate::domain::account::{Account, Contact};
use crate::domain::dispatch::protocol::Protocol;
use crate::domain::oncall::Schedule;
use crate::domain::portal::going_live::{
    Content, Part, PartState, Standing, Whole, lacks, lines, part_state, standing,
};
use crate::domain::portal::untried::{Untried, untried};
use crate::domain::recap::plan::Plan;
use crate::io::store::approvals::{Approval, Approved};
use crate::io::store::audit::{Act, Entry};
use crate::io::store::seal::Seal;
use crate::io::store::verifications::Verified;
use crate::io::store::{StoreError, Tx};

const MAX_NAME: usize = 80;

/// How an account stands.
#[derive(Clone, Debug)]
pub struct GoingLive {
    pub standing: Standing,
    /// It was in service before approvals were kept.
    pub before: bool,
    pub parts: Vec<PartNow>,
}

/// How one part of it does.
#[derive(Clone, Debug)]
pub struct PartNow {
    pub part: Part,
    pub state: PartState,
    pub version: String,
    pub lines: Vec<String>,
    /// Why there is nothing to approve yet.
    pub lacks: Option<&'static str>,
    pub approved: Option<Approval>,
}

/// What somebody says yes to, and in whose name.
#[derive(Clone, Copy, Debug)]
pub struct Yes<'a> {
    pub part: Part,
    /// The version that was read.
    pub version: &'a str,
    pub name: &'a str,
    /// The account may go live though urgent messages go by ways that were never tried.
    pub accept_unverified: bool,
}

impl GoingLive {
    /// The parts that stand so.
    pub fn parts_that_are(&self, state: PartState) -> Vec<Part> {
        self.parts.iter().filter(|part| part.state == state).map(|part| part.part).collect()
    }
}

/// An account with everything that is approved of it.
struct Read {
    account: Account,
    contacts: Vec<Contact>,
    schedules: Vec<Schedule>,
    protocols: Vec<Protocol>,
    recap: Option<Plan>,
}

impl Read {
    async fn of(tx: &mut Tx, account: Account) -> Result<Self, StoreError> {
        let id = &account.id;
        Ok(Self {
            contacts: tx.list_contacts(id).await?,
            schedules: tx.list_schedules(id).await?,
            protocols: tx.list_protocols(id).await?,
            recap: tx.find_recap_plan(id).await?.map(|set| set.plan),
            account,
        })
    }

    fn whole(&self) -> Whole<'_> {
        Whole {
            account: &self.account,
            contacts: &self.contacts,
            schedules: &self.schedules,
            protocols: &self.protocols,
            recap: self.recap.as_ref(),
        }
    }
}

impl Clients {
    /// How an account stands, part by part.
    pub async fn going_live(&self, id: &AccountId) -> Result<GoingLive, Refusal> {
        let read = self.read_whole(id).await?;
        let approvals = self.store.list_approvals(id).await?;
        let before = self.store.was_served_before(id).await?;
        Ok(stands(&read, approvals, before))
    }

    /// By which ways nobody of an account was shown to be reached.
    pub async fn untried(&self, id: &AccountId) -> Result<Vec<Untried>, Refusal> {
        let read = self.read_whole(id).await?;
        let mut verified = Vec::new();
        for contact in &read.contacts {
            verified.extend(self.store.list_verified(&contact.id).await?);
        }
        let tried = tried(&read.contacts, &verified, &self.store.house_seal());
        Ok(untried(&read.whole(), self.clock.utc(), &tried))
    }

    async fn read_whole(&self, id: &AccountId) -> Result<Read, Refusal> {
        let account = self.store.find_account(id).await?.ok_or(Refusal::Missing { what: "account" })?;
        Ok(Read {
            contacts: self.store.list_contacts(id).await?,
            schedules: self.store.list_schedules(id).await?,
            protocols: self.store.list_protocols(id).await?,
            recap: self.store.find_recap_plan(id).await?.map(|set| set.plan),
            account,
        })
    }

    /// Puts down that somebody approves a part; in the name of `by`, who signed in.
    pub async fn approve_part(&self, id: &AccountId, yes: Yes<'_>, by: &UserId) -> Result<(), Refusal> {
        let Yes { part, version, name, accept_unverified } = yes;
        let mut faults = Faults::default();
        let name = faults.text(name, &Text::line("/name", "going_live.name", "Who approves it", MAX_NAME));
        faults.unless(()).map_err(Refusal::Faulty)?;
        let now = self.clock.utc();
        let mut tx = self.store.write().await?;
        let account = lock(&mut tx, id, None).await?;
        let read = Read::of(&mut tx, account).await?;
        let content = Content::of(part, &read.whole());
        if content.version() != version {
            tx.rollback().await?;
            let detail = "It is another than the one that was read: read it again, and approve that.";
            return Err(Refusal::NotNow { code: "going_live.stale", detail });
        }
        if let Some(detail) = lacks(part, &read.whole()) {
            tx.rollback().await?;
            return Err(Refusal::NotNow { code: "going_live.empty", detail });
        }
        let is_unverified = self.goes_live_unverified(&mut tx, &read, part, now).await?;
        if is_unverified && !accept_unverified {
            tx.rollback().await?;
            let detail = "With this the account goes live, and urgent messages go by ways that nobody has tried yet. Send a code to \
                each of them first (in the portal under People), or say that it shall go live all the same.";
            return Err(Refusal::NotNow { code: "going_live.unverified", detail });
        }
        let words = Approved { name, content: content.to_text(), lines: lines(part, &read.whole()) };
        let approval = Approval { part, by: by.clone(), at: now, version: version.to_owned(), words };
        tx.insert_approval(id, &approval).await?;
        tx.audit(Entry::new(now, self.by.clone(), Act::AccountApproved, id.to_string()));
        if is_unverified {
            tx.audit(Entry::new(now, self.by.clone(), Act::AccountLiveUnverified, id.to_string()));
        }
        tx.commit("approve_part").await?;
        Ok(())
    }

    /// With this part an account that is a draft would be in service, and an urgent message would go by a way that was never tried.
    async fn goes_live_unverified(&self, tx: &mut Tx, read: &Read, part: Part, now: UtcMs) -> Result<bool, StoreError> {
        let approvals = tx.list_approvals(&read.account.id).await?;
        let before = tx.was_served_before(&read.account.id).await?;
        let stands = stands(read, approvals, before);
        let is_last = stands.parts.iter().all(|other| other.part == part || other.state != PartState::Open);
        if stands.standing != Standing::Draft || !is_last {
            return Ok(false);
        }
        let mut verified = Vec::new();
        for contact in &read.contacts {
            verified.extend(tx.list_verified(&contact.id).await?);
        }
        let tried = tried(&read.contacts, &verified, &self.store.house_seal());
        Ok(untried(&read.whole(), now, &tried).iter().any(|way| way.urgent))
    }
}

/// Those whose address is the one that was shown to reach them.
fn tried(contacts: &[Contact], verified: &[Verified], seal: &Seal) -> Vec<DestinationId> {
    let mut tried = Vec::new();
    for contact in contacts {
        for (way, written) in contact.destinations.iter().zip(ContactEdit::from(contact).destinations) {
            if verified.iter().any(|shown| shown.destination == way.id && shown.is_of(seal, &written.reach.address)) {
                tried.push(way.id.clone());
            }
        }
    }
    tried
}

fn stands(read: &Read, mut approvals: Vec<Approval>, before: bool) -> GoingLive {
    let whole = read.whole();
    let parts: Vec<PartNow> = Part::ALL
        .into_iter()
        .map(|part| {
            let content = Content::of(part, &whole);
            let approved = approvals.iter().position(|a| a.part == part).map(|at| approvals.swap_remove(at));
            PartNow {
                part,
                state: part_state(approved.as_ref().map(|a| a.words.content.as_str()), &content),
                version: content.version(),
                lines: lines(part, &whole),
                lacks: lacks(part, &whole),
                approved,
            }
        })
        .collect();
    let states: Vec<(Part, PartState)> = parts.iter().map(|part| (part.part, part.state)).collect();
    GoingLive { standing: standing(&states, before), before, parts }
}
