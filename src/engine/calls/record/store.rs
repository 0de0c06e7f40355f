//! Lines into the store, all of them in one transaction or none.
//!
//! Asked by the writer; whether it is tried again is not decided here. What always holds: a call is there before what is written of it.

use std::collections::HashMap;

use super::{CallLog, Line, NotWritten};
use crate::base::clock::UtcMs;
use crate::base::id::CallId;
use crate::domain::ivr::digits::Entered;
use crate::engine::legs::Later;
use crate::io::store::calls::{CallEnd, CallRecord, NewCallEvent};
use crate::io::store::inbound::{Arrival, Inbound, PATCH_TRIES, PATCHES, patch_name};
use crate::io::store::inner_calls::InnerCall;
use crate::io::store::voicemails::VoicemailBegun;
use crate::io::store::{Store, StoreError};

impl CallLog for Store {
    fn write<'a>(&'a self, lines: &'a [Line]) -> Later<'a, Result<(), NotWritten>> {
        Box::pin(async move {
            let written = async {
                let mut tx = Self::write(self).await?;
                let Sorted { started, events, digits, patched, begun, spoken, finished, inner } = sort(lines);
                tx.insert_calls(&started.iter().collect::<Vec<_>>()).await?;
                tx.append_call_events(&events).await?;
                for (call, at, entered) in digits {
                    tx.insert_digits(call, at, entered).await?;
                }
                for inbound in &patched {
                    tx.insert_inbound(inbound).await?;
                }
                for voicemail in begun {
                    tx.insert_voicemail(voicemail).await?;
                }
                for (call, at, heard) in spoken {
                    tx.end_voicemail(call, at, heard).await?;
                }
                tx.finish_calls(&finished).await?;
                for call in inner {
                    tx.upsert_inner_call(call).await?;
                }
                tx.commit("call_record").await
            };
            written.await.map_err(|error: StoreError| {
                let why = format!("{error} ({})", error.code());
                if error.may_pass() { NotWritten::Away(why) } else { NotWritten::Refused(why) }
            })
        })
    }
}

/// Lines in the order in which they can be written in few statements: an event needs its call to be there.
#[derive(Default)]
struct Sorted<'a> {
    /// With their ends, where these are among the lines.
    started: Vec<CallRecord>,
    events: Vec<NewCallEvent<'a>>,
    digits: Vec<(&'a CallId, UtcMs, &'a Entered)>,
    patched: Vec<Inbound>,
    begun: Vec<&'a VoicemailBegun>,
    spoken: Vec<(&'a CallId, UtcMs, bool)>,
    finished: Vec<(&'a CallId, &'a CallEnd)>,
    inner: Vec<&'a InnerCall>,
}

fn sort(lines: &[Line]) -> Sorted<'_> {
    let mut sorted = Sorted::default();
    let mut places = HashMap::new();
    for line in lines {
        match line {
            Line::Started(call) => {
                places.insert(&call.id, sorted.started.len());
                sorted.started.push(call.clone());
            }
            Line::Event { call, at, kind, body } => sorted.events.push(NewCallEvent { call, at: *at, kind, body }),
            Line::Digits { call, at, entered } => sorted.digits.push((call, *at, entered)),
            Line::Patched { call, account, at, nth, to } => sorted.patched.push(Inbound {
                provider: PATCHES.to_owned(),
                provider_msg_id: patch_name(call, account, *nth),
                received_at: *at,
                what: Arrival::Patched { call: call.clone(), account: Some(account.clone()), to: to.reveal().clone() },
            }),
            Line::Patching { account, call, at, nth, contact, number, news } => sorted.patched.push(Inbound {
                provider: PATCH_TRIES.to_owned(),
                provider_msg_id: format!("{call}:{nth:06}"),
                received_at: *at,
                what: Arrival::Patching {
                    call: call.clone(),
                    account: Some(account.clone()),
                    contact: contact.clone(),
                    number: number.clone(),
                    news: *news,
                },
            }),
            Line::VoicemailBegun(begun) => sorted.begun.push(begun),
            Line::Inner(call) => sorted.inner.push(call),
            Line::VoicemailEnded { call, at, heard } => sorted.spoken.push((call, *at, *heard)),
            Line::Finished { call, end } => match places.get(call).and_then(|place| sorted.started.get_mut(*place)) {
                // The first end counts.
                Some(call) => {
                    call.end.get_or_insert_with(|| end.clone());
                }
                None if sorted.finished.iter().any(|(other, _)| *other == call) => {}
                None => sorted.finished.push((call, end)),
            },
        }
    }
    sorted
}
