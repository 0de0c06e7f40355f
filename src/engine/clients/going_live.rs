//! Whether an account is a draft: what of it its client has approved, and what is another since. An approval names the version that was
//! read; one of another is refused, and so is one of nothing. Calls never ask: a draft takes them as any account does.

use super::{Clients, Refusal, lock};
use crate::base::id::{AccountId, UserId};
use crate::domain::account::fault::{Faults, Text};
use crate::domain::account::{Account, Contact};
use crate::domain::dispatch::protocol::Protocol;
use crate::domain::oncall::Schedule;
use crate::domain::portal::going_live::{
    Content, Part, PartState, Standing, Whole, lacks, lines, part_state, standing,
};
use crate::domain::recap::plan::Plan;
use crate::io::store::approvals::{Approval, Approved};
use crate::io::store::audit::{Act, Entry};
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
        let account = self.store.find_account(id).await?.ok_or(Refusal::Missing { what: "account" })?;
        let read = Read {
            contacts: self.store.list_contacts(id).await?,
            schedules: self.store.list_schedules(id).await?,
            protocols: self.store.list_protocols(id).await?,
            recap: self.store.find_recap_plan(id).await?.map(|set| set.plan),
            account,
        };
        let approvals = self.store.list_approvals(id).await?;
        let before = self.store.was_served_before(id).await?;
        Ok(stands(&read, approvals, before))
    }

    /// Puts down that `name` approves a part as of `version`; in the name of `by`, who signed in.
    pub async fn approve_part(
        &self,
        id: &AccountId,
        part: Part,
        version: &str,
        name: &str,
        by: &UserId,
    ) -> Result<(), Refusal> {
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
        let words = Approved { name, content: content.to_text(), lines: lines(part, &read.whole()) };
        let approval = Approval { part, by: by.clone(), at: now, version: version.to_owned(), words };
        tx.insert_approval(id, &approval).await?;
        tx.audit(Entry::new(now, self.by.clone(), Act::AccountApproved, id.to_string()));
        tx.commit("approve_part").await?;
        Ok(())
    }
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
