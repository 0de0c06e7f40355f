//! Stories: a night at the answering service on simulated time, from a saved message to a person's yes,
//! through the real store and dispatcher. Phones and mailboxes are recorders; anything that reaches them
//! and was not expected fails the story.

#[path = "../support/mod.rs"]
mod support;

mod alarms;
mod call_outs;
mod changes;
mod check_ins;
mod conditions;
mod crowds;
mod desk;
mod faxes;
mod hours;
mod jobs;
mod joint;
mod lanes;
mod mails;
mod nights;
mod pages;
mod recaps;
mod replies;
mod schedules;
mod secure;
mod steps;
mod text_parts;
mod texts_by_hand;
mod town;
mod voicemails;
mod webhooks;
