//! A menu tried out: rings its editor's phone and takes them through the menu as a caller would be, saved or not.
//!
//! The machine is the one that callers meet (`domain/ivr`), the words and keys are real; there is no caller, no record and
//! no queue. Each step is shown on the feed. At the exit the editor hears what a caller would hear, or where they would go,
//! and the call is over. What always holds: one trial at a time for each editor, and consoles are told that it is over
//! however it ends.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::check::{CheckRefused, connect};
use super::{Calls, CallsHandle};
use crate::base::id::UserId;
use crate::domain::account::flow::Flow;
use crate::domain::account::{Account, Speech};
use crate::domain::call::bridge::{HearMatrix, KeysBound, LegId};
use crate::domain::call::leg::LegInput;
use crate::domain::ivr::menu::{Context, Menu};
use crate::domain::ivr::{self, Ivr};
use crate::domain::operator::Phone;
use crate::engine::feed::{ChosenView, FeedEvent, TrialState, TrialView, UserRef};
use crate::engine::legs::Legs;
use crate::engine::mixer::Mixer;
use crate::io::media::MediaEvent;

/// What consoles know a trial by, in place of a call's identifier.
pub const TRIAL: &str = "trial";
/// How long the phone may take to answer and its path to come up; a desk phone is picked up by hand.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// The longest words at the exit whose end we were never told.
const EXIT_LIMIT: Duration = Duration::from_secs(180);

/// A menu to be tried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuTrial {
    pub account: Account,
    pub menu: Menu,
    /// What is to be known of the call.
    pub context: Context,
}

/// Whose telephone is taken by a menu that is tried out, or a greeting that is spoken in.
#[derive(Debug, Default)]
pub(super) struct Trials(Mutex<BTreeSet<UserId>>);

/// One of them, until it is dropped.
pub(super) struct Turn {
    calls: Arc<Calls>,
    user: UserId,
}

impl Turn {
    pub(super) fn take(calls: &Arc<Calls>, user: &UserId) -> Option<Self> {
        let mut trying = calls.trials.0.lock().unwrap_or_else(PoisonError::into_inner);
        trying.insert(user.clone()).then(|| Self { calls: Arc::clone(calls), user: user.clone() })
    }

    pub(super) const fn calls(&self) -> &Arc<Calls> {
        &self.calls
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.calls.trials.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.user);
    }
}

impl CallsHandle {
    /// Rings `user`'s softphone, the desk phone if there is no other, with a menu to be gone through.
    pub async fn try_menu(&self, user: UserRef, trial: MenuTrial) -> Result<(), CheckRefused> {
        let phone = self.0.free_phone(&user).await?;
        let turn = Turn::take(&self.0, &user.id).ok_or(CheckRefused::Trying)?;
        metrics::counter!("cordboard_menu_trials_total").increment(1);
        tokio::spawn(async move {
            Walk::new(turn, trial).run(phone).await;
        });
        Ok(())
    }
}

/// An editor on the way through a menu.
struct Walk {
    calls: Arc<Calls>,
    account: Account,
    /// Until the phone is there: how it begins.
    begins: Option<(Menu, Context)>,
    ivr: Option<Ivr>,
    leg: LegId,
    legs: Legs,
    mixer: Mixer,
    media: mpsc::UnboundedReceiver<Box<MediaEvent>>,
    last_play: u64,
    /// What plays now.
    playing: Option<u64>,
    /// Out of the menu: until when its last words are waited for.
    leaving: Option<Instant>,
    over: bool,
    shown: TrialView,
    turn: Option<Turn>,
}

impl Walk {
    fn new(turn: Turn, trial: MenuTrial) -> Self {
        let MenuTrial { account, menu, context } = trial;
        let calls = Arc::clone(&turn.calls);
        let wiring = &calls.wiring;
        let shard = wiring.media.pick_shard();
        let (media_events, media) = mpsc::unbounded_channel();
        let shown = TrialView {
            user: turn.user.clone(),
            account: account.id.clone(),
            menu: menu.name.clone(),
            state: TrialState::Ringing,
            trail: Vec::new(),
            chosen: Vec::new(),
            missed: 0,
            exit: None,
            says: None,
        };
        Self {
            leg: wiring.fresh_leg(),
            legs: Legs::new(Arc::clone(wiring), shard, TRIAL.to_owned(), media_events.clone()),
            mixer: Mixer::new(Arc::clone(wiring), shard, media_events),
            account,
            begins: Some((menu, context)),
            ivr: None,
            media,
            last_play: 0,
            playing: None,
            leaving: None,
            over: false,
            shown,
            turn: Some(turn),
            calls,
        }
    }

    async fn run(mut self, phone: Phone) {
        self.show();
        let rings = self.legs.ring(self.leg, &self.shown.user, Some(phone)).is_none();
        let up = rings && {
            let connected = connect(&mut self.legs, &mut self.media);
            tokio::time::timeout(CONNECT_LIMIT, connected).await == Ok(true)
        };
        if !up {
            self.shown.state = TrialState::Unreached;
            return;
        }
        self.mixer.set(1, HearMatrix::default().with(self.leg, &[]));
        self.calls.wiring.media.bind_keys(self.leg, KeysBound::All);
        self.shown.state = TrialState::Walking;
        if let Some((menu, context)) = self.begins.take() {
            self.ivr = Some(Ivr::new(self.now(), menu, context));
        }
        self.follow();
        while !self.over {
            self.turn().await;
        }
    }

    fn now(&self) -> Instant {
        self.calls.wiring.clock.instant()
    }

    /// Waits for one thing to happen and follows it.
    async fn turn(&mut self) {
        let wake = self.leaving.or_else(|| self.ivr.as_ref().and_then(Ivr::poll_timeout));
        let wait = wake.map(|at| at.saturating_duration_since(self.now()));
        tokio::select! {
            (leg, event) = self.legs.next() => {
                if let Some(input) = self.legs.translate(leg, event) {
                    self.on_leg(input);
                }
            }
            Some(event) = self.media.recv() => self.on_media(&event),
            prepared = self.mixer.prepared() => {
                self.mixer.on_prepared(prepared);
            }
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {
                if self.leaving.is_some() {
                    self.over = true;
                } else {
                    self.tell(ivr::Input::Tick);
                }
            }
        }
    }

    fn on_media(&mut self, event: &MediaEvent) {
        if self.legs.follow_path(self.now(), event) {
            return;
        }
        if let Some((_, input)) = self.legs.heard_of_media(event) {
            return self.on_leg(input);
        }
        match event {
            MediaEvent::PlayDone { play, .. } if self.playing == Some(play.0) => {
                self.playing = None;
                self.over |= self.leaving.is_some();
                self.tell(ivr::Input::PlayDone);
            }
            MediaEvent::Closed { leg, .. } => {
                let _ = self.legs.closed(*leg);
                self.over = true;
            }
            _ => {}
        }
    }

    fn on_leg(&mut self, input: LegInput) {
        match input {
            LegInput::Digit(key) => self.tell(ivr::Input::Digit(key)),
            LegInput::Ended(_) => self.over = true,
            _ => {}
        }
    }

    fn tell(&mut self, input: ivr::Input) {
        let now = self.now();
        if let Some(ivr) = &mut self.ivr {
            ivr.handle(now, input);
        }
        self.follow();
    }

    /// Does what the menu says, until it says no more, and shows where that has led.
    fn follow(&mut self) {
        let before = self.shown.clone();
        while let Some(output) = self.ivr.as_mut().and_then(Ivr::poll_output) {
            match output {
                ivr::Output::Play(speech) => self.play(speech),
                ivr::Output::StopPlay => {
                    if let Some(play) = self.playing.take() {
                        self.mixer.stop(self.leg, play);
                    }
                }
                ivr::Output::Chose(choice) => {
                    self.shown.chosen.push(ChosenView { key: choice.digits, label: choice.label });
                }
                ivr::Output::Missed { .. } => self.shown.missed += 1,
                ivr::Output::Exit(flow) => self.leave(flow),
            }
        }
        if let Some(ivr) = &self.ivr {
            self.shown.trail = ivr.trail().to_vec();
        }
        if self.shown != before || before.trail.is_empty() {
            self.show();
        }
    }

    fn play(&mut self, speech: Speech) {
        self.last_play += 1;
        self.playing = Some(self.last_play);
        self.mixer.play(self.leg, self.last_play, speech);
    }

    fn leave(&mut self, flow: Flow) {
        let says = say_exit(&flow, &self.account);
        let words = flow.speeches().next().cloned();
        self.play(words.unwrap_or_else(|| Speech::Spoken { text: says.clone() }));
        self.leaving = Some(self.now() + EXIT_LIMIT);
        self.shown.state = TrialState::Left;
        (self.shown.exit, self.shown.says) = (Some(flow), Some(says));
    }

    fn show(&self) {
        self.calls.feed.publish(FeedEvent::Trial { trial: Box::new(self.shown.clone()) });
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        if self.shown.state != TrialState::Unreached {
            self.shown.state = TrialState::Over;
        }
        // Whoever is told that it is over may begin the next one.
        self.turn = None;
        self.show();
    }
}

/// Where a caller goes at an exit, in a sentence.
fn say_exit(flow: &Flow, account: &Account) -> String {
    match flow {
        Flow::Queue { priority, call_type } => {
            let named = call_type.as_ref().and_then(|id| account.call_types.iter().find(|there| there.id == *id));
            let named = named.map(|there| format!(", as {}", there.name)).unwrap_or_default();
            let ranked = priority.map(|priority| format!(", with priority {priority}")).unwrap_or_default();
            format!("Here a caller goes to the operators{named}{ranked}.")
        }
        // Refused when it is saved, and followed so by calls.
        Flow::Menu { .. } => "Here a caller goes to the operators.".to_owned(),
        Flow::Voicemail(_) => "Here a caller leaves a message after the tone.".to_owned(),
        Flow::Announcement { .. } => "Here a caller hears this, and the call is over.".to_owned(),
        Flow::Spill(_) => "Here a caller is put through to a number elsewhere.".to_owned(),
        Flow::CheckIn => "Here one of the account's people hears held messages, by PIN.".to_owned(),
        Flow::Patch(_) => "Here a caller is put through to whoever of the account's people wants the call.".to_owned(),
    }
}
