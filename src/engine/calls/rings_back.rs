//! A contact who rings back: whoever calls from a number that an open dispatch has asked, or of a person whom it has asked; or to whom
//! a notice of a protected message was handed over that they have not heard yet, though its dispatch is closed.
//!
//! Looked up beside the call, which is answered meanwhile as any other. A number can be forged or withheld: what is found
//! brings the caller to an operator sooner and shows her what they may call about, and confirms nothing by itself. Where the
//! account asks for a PIN on its calls about a message, it asks for it here too: counted as it is when the number is called.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::outbound::Opened;
use super::view::Facts;
use super::{Calls, LOOK_UP_LIMIT};
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, DispatchId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Contact;
use crate::domain::checkin::pin::Pin;
use crate::domain::dispatch::notice::TOLD_WITHIN_MS;
use crate::domain::dispatch::state::State;
use crate::domain::message::render;
use crate::engine::calls::task::ToCall;
use crate::engine::feed::{AccountRef, AskedView, RingsBackView};
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::check_in::{PinFrom, Tried};
use crate::io::store::{Store, StoreError};

/// Served before callers of every account: whoever rings back would end a dispatch, or was sent a notice to ring for.
pub(super) const PRIORITY: i32 = 1_000;
/// Whoever has had a notice rings back for it so long; later they may as well call for anything else.
pub(super) const FRESH_MS: i64 = 24 * 3_600_000;
/// Open dispatches shown at most, and notices, of which the newest.
const MOST: usize = 20;

/// What a caller's number says, as the store has it.
pub async fn find(store: &Store, caller: &PhoneNumber, now: UtcMs) -> Result<Option<RingsBackView>, StoreError> {
    let people = store.list_contacts_by_phone(caller).await?;
    let Some(first) = people.first() else { return Ok(None) };
    let mut contact = first.id.clone();
    let since = now.plus_ms(-TOLD_WITHIN_MS);
    let mut notices = BTreeSet::new();
    for person in &people {
        notices.extend(store.list_closed_notices_to(person, caller, since).await?);
    }
    let ids: Vec<_> = people.iter().map(|person| person.id.clone()).collect();
    let open = store.list_open_dispatches_asking(caller, &ids).await?;
    // Whoever has many calls for the newest.
    let newest = notices.len().saturating_sub(MOST);
    let notices = notices.into_iter().skip(newest).map(|id| (id, true));
    let mut dispatches: Vec<AskedView> = Vec::new();
    for (id, notice) in open.into_iter().take(MOST).map(|id| (id, false)).chain(notices) {
        let Some(read) = store.find_dispatch(&id).await? else { continue };
        if notice && read.state.find_unheard_notice(caller, &ids).is_none() {
            continue;
        }
        // A telephone may be of several people, of several clients' as well: each client's is named to it alone.
        let own = people.iter().find(|person| person.account == read.state.account).unwrap_or(first);
        let asked = read.state.find_asked(caller, &ids);
        let name = asked.map_or(&own.name, |a| &a.name).clone();
        let unheard = !notice && read.state.find_untold(caller, &ids).is_some();
        let view = asked_about(store, &read.state, name, notice, unheard).await?;
        if dispatches.is_empty() && view.is_some() {
            // The same person as is named.
            contact = asked.and_then(|a| a.contact.clone()).unwrap_or_else(|| own.id.clone());
        }
        dispatches.extend(view);
    }
    let name = dispatches.first().map(|asked| asked.name.clone());
    Ok(name.map(|name| RingsBackView { contact, name, dispatches }))
}

/// What somebody is asked by a dispatch, or has had a notice of.
async fn asked_about(
    store: &Store,
    state: &State,
    name: String,
    notice: bool,
    unheard: bool,
) -> Result<Option<AskedView>, StoreError> {
    let message = store.find_message(&state.message).await?;
    let account = store.find_account(&state.account).await?;
    let (Some(message), Some(account)) = (message, account) else { return Ok(None) };
    let protected = store.is_protected(&message.id).await?;
    Ok(Some(AskedView {
        dispatch: state.id.clone(),
        name,
        message: state.message.clone(),
        edition: message.edition,
        account: AccountRef::from(&account),
        headline: render::headline(&message),
        urgency: state.urgency,
        pin: account.secure.call_pin.is_asked(protected),
        notice,
        // What is not protected said itself what it is about.
        unheard: unheard && protected,
    }))
}

/// What a caller names by its reference who is known by no number, if it is an open dispatch that a PIN is asked for.
pub async fn find_named(store: &Store, dispatch: &DispatchId) -> Result<Option<AskedView>, StoreError> {
    let Some(read) = store.find_dispatch(dispatch).await? else { return Ok(None) };
    if read.state.closed_at.is_some() {
        return Ok(None);
    }
    // Who it is shows their PIN.
    Ok(asked_about(store, &read.state, String::new(), false, false).await?.filter(|asked| asked.pin))
}

/// As whom a caller is shown who has named `asked` and told a PIN: whose it is; of one that is shared, whoever was asked last
/// and is still there.
pub async fn known_by_pin(
    store: &Store,
    mut asked: AskedView,
    whose: Option<ContactId>,
) -> Result<Option<RingsBackView>, StoreError> {
    let candidates: Vec<ContactId> = match whose {
        Some(contact) => vec![contact],
        None => {
            let read = store.find_dispatch(&asked.dispatch).await?;
            read.map(|read| read.state.list_asked().into_iter().cloned().collect::<Vec<_>>()).unwrap_or_default()
        }
    };
    let mut looked_up = BTreeSet::new();
    for contact in candidates {
        if !looked_up.insert(contact.clone()) {
            continue;
        }
        if let Some(person) = store.find_contact(&contact).await? {
            (asked.pin, asked.name) = (false, person.name.clone());
            return Ok(Some(RingsBackView { contact, name: person.name, dispatches: vec![asked] }));
        }
    }
    Ok(None)
}

/// Whether a PIN that `by` was told shows that whoever rings back from this number is one of the account's people who have it, or one
/// of those who share a PIN. A try counts with those on calls to the number, and is on the audit log either way.
pub async fn prove(
    store: &Store,
    account: &AccountId,
    caller: &PhoneNumber,
    pin: &Pin,
    by: &UserId,
    now: UtcMs,
) -> Result<Opened, StoreError> {
    let people = store.list_contacts_by_phone(caller).await?;
    let people = ids_of(people, account);
    let whose = people.first().map_or_else(|| account.to_string(), ToString::to_string);
    let from = PinFrom::Called { number: caller, people: &people };
    Ok(match tried(store, account, from, pin, by, whose, now).await? {
        Tried::Right(_) => Opened::Right,
        refused => Opened::Wrong { limit: refused == Tried::Wrong { locks: true } },
    })
}

/// The same of a caller who is known by no number, and names a dispatch by its reference: any PIN of the account's people shows whose it
/// is. Counted as of a stranger who calls for the check-in; from the telephone of one of the account's people theirs alone is taken.
pub async fn prove_named(
    store: &Store,
    account: &AccountId,
    caller: Option<&PhoneNumber>,
    pin: &Pin,
    by: &UserId,
    now: UtcMs,
) -> Result<Tried, StoreError> {
    let people = match caller {
        Some(caller) => store.list_contacts_by_phone(caller).await?,
        None => Vec::new(),
    };
    let people = ids_of(people, account);
    let from = match caller {
        Some(number) if !people.is_empty() => PinFrom::Called { number, people: &people },
        _ => PinFrom::Stranger(caller),
    };
    tried(store, account, from, pin, by, account.to_string(), now).await
}

/// Those of them who are the account's.
fn ids_of(people: Vec<Contact>, account: &AccountId) -> Vec<ContactId> {
    people.into_iter().filter(|person| person.account == *account).map(|person| person.id).collect()
}

/// Tries a PIN; what came of it is on the audit log.
async fn tried(
    store: &Store,
    account: &AccountId,
    from: PinFrom<'_>,
    pin: &Pin,
    by: &UserId,
    whose: String,
    now: UtcMs,
) -> Result<Tried, StoreError> {
    let mut tx = store.write().await?;
    let tried = tx.try_pin(account, from, pin, now).await?;
    if let Tried::Right(found) = &tried {
        let whose = found.contact.as_ref().map_or(whose, ToString::to_string);
        tx.audit(Entry::new(now, Who::User(by.clone()), Act::RingBackOpened, whose));
        tx.commit("ring_back_opened").await?;
    } else {
        tx.audit(Entry::new(now, Who::User(by.clone()), Act::RingBackRefused, whose));
        tx.commit("ring_back_refused").await?;
    }
    Ok(tried)
}

impl Calls {
    /// Has it looked up who calls, and tells the call.
    pub(super) fn look_who_rings_back(self: &Arc<Self>, facts: &Facts) {
        let Some(caller) = facts.caller.clone() else { return };
        let (calls, id) = (Arc::clone(self), facts.id.clone());
        tokio::spawn(async move {
            let found = tokio::time::timeout(LOOK_UP_LIMIT, calls.accounts.find_who_rings_back(&caller)).await;
            if let Ok(Some(view)) = found {
                metrics::counter!("cordboard_contacts_rang_back_total").increment(1);
                // An error means that the call is over.
                let _ = calls.to_call(&id, ToCall::RingsBack(view));
            }
        });
    }
}
