//! A greeting spoken in by telephone: rings its editor's phone and takes down what they say.
//!
//! The machine is the one of a status greeting (`domain/dictation`); here nobody calls, and nothing is on record. Each step is
//! shown on the feed. What is kept stands among the account's recordings and is heard once the account names it. What always
//! holds: one telephone does one such thing at a time; consoles are told that it is over however it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::check::{CheckRefused, connect};
use super::greetings::Spoken;
use super::trial::Turn;
use super::{Calls, CallsHandle};
use crate::base::id::AccountId;
use crate::domain::account::Speech;
use crate::domain::call::bridge::{HearMatrix, KeysBound, LegId};
use crate::domain::call::leg::LegInput;
use crate::domain::dictation::{Dictation, Input, Output, Script};
use crate::domain::operator::Phone;
use crate::engine::dictaphone::Dictaphone;
use crate::engine::feed::{DictationState, DictationView, FeedEvent, UserRef};
use crate::engine::legs::Legs;
use crate::engine::mixer::{Mixer, tone};
use crate::io::media::MediaEvent;

/// What consoles know a dictation by, in place of a call's identifier: their telephones answer by themselves, as to a trial.
const DICTATION: &str = super::trial::TRIAL;
/// How long the phone may take to answer and its path to come up; a desk phone is picked up by hand.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// How long the store may take while somebody waits.
const KEEP_LIMIT: Duration = Duration::from_secs(10);

impl CallsHandle {
    /// Rings `user`'s softphone, the desk phone if there is no other, and takes down a greeting for this account.
    pub async fn dictate(&self, user: UserRef, account: AccountId) -> Result<(), CheckRefused> {
        let phone = self.0.free_phone(&user).await?;
        let turn = Turn::take(&self.0, &user.id).ok_or(CheckRefused::Trying)?;
        metrics::counter!("cordboard_dictations_total").increment(1);
        tokio::spawn(async move {
            Desk::new(turn, user, account).run(phone).await;
        });
        Ok(())
    }
}

/// What ends without the telephone's doing.
enum Done {
    Taken(bool),
    /// As it is kept; none: it could not be.
    Kept(Option<(Speech, u64)>),
}

/// An editor who speaks a greeting in.
struct Desk {
    calls: Arc<Calls>,
    dictation: Option<Dictation>,
    dictaphone: Dictaphone,
    leg: LegId,
    legs: Legs,
    mixer: Mixer,
    media: mpsc::UnboundedReceiver<Box<MediaEvent>>,
    doing: mpsc::UnboundedSender<Done>,
    done: mpsc::UnboundedReceiver<Done>,
    last_play: u64,
    /// What plays now.
    playing: Option<u64>,
    over: bool,
    shown: DictationView,
    turn: Option<Turn>,
}

impl Desk {
    fn new(turn: Turn, user: UserRef, account: AccountId) -> Self {
        let calls = Arc::clone(turn.calls());
        let wiring = &calls.wiring;
        let shard = wiring.media.pick_shard();
        let (media_events, media) = mpsc::unbounded_channel();
        let (doing, done) = mpsc::unbounded_channel();
        let (state, silent) = (DictationState::Ringing, 0);
        Self {
            leg: wiring.fresh_leg(),
            legs: Legs::new(Arc::clone(wiring), shard, DICTATION.to_owned(), media_events.clone()),
            mixer: Mixer::new(Arc::clone(wiring), shard, media_events),
            dictation: None,
            dictaphone: Dictaphone::default(),
            media,
            doing,
            done,
            last_play: 0,
            playing: None,
            over: false,
            shown: DictationView { user: user.id, account, state, silent, speech: None, millis: None },
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
            self.shown.state = DictationState::Unreached;
            return;
        }
        self.mixer.set(1, HearMatrix::default().with(self.leg, &[]));
        self.calls.wiring.media.bind_keys(self.leg, KeysBound::All);
        let script = Script {
            ask: "Please say the greeting after the tone.".to_owned(),
            keep: "To keep it".to_owned(),
            for_a_time: None,
            kept: "It is kept. You find it on the account's page.".to_owned(),
        };
        self.dictation = Some(Dictation::new(self.now(), script));
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
        let wake = self.dictation.as_ref().and_then(Dictation::poll_timeout);
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
            Some(done) = self.done.recv() => self.on_done(done),
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => self.tell(Input::Tick),
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
                self.tell(Input::PlayDone);
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
            LegInput::Digit(key) => self.tell(Input::Digit(key)),
            LegInput::Ended(_) => self.over = true,
            _ => {}
        }
    }

    fn on_done(&mut self, done: Done) {
        match done {
            Done::Taken(spoken) => {
                self.shown.silent += u32::from(!spoken);
                self.tell(Input::Taken { spoken });
            }
            Done::Kept(kept) => {
                let is_kept = kept.is_some();
                if let Some((speech, millis)) = kept {
                    self.shown.state = DictationState::Kept;
                    (self.shown.speech, self.shown.millis) = (Some(speech), Some(millis));
                    self.show();
                }
                self.tell(Input::Kept(is_kept));
            }
        }
    }

    fn tell(&mut self, input: Input) {
        let now = self.now();
        if let Some(dictation) = &mut self.dictation {
            dictation.handle(now, input);
        }
        self.follow();
    }

    /// Does what the dictation says, until it says no more, and shows how far it is.
    fn follow(&mut self) {
        while let Some(output) = self.dictation.as_mut().and_then(Dictation::poll_output) {
            match output {
                Output::Play(speech) => {
                    let play = self.next_play();
                    self.mixer.play(self.leg, play, speech);
                }
                Output::StopPlay => {
                    if let Some(play) = self.playing.take() {
                        self.mixer.stop(self.leg, play);
                    }
                }
                Output::PlayBack => {
                    let play = self.next_play();
                    self.mixer.play_ready(self.leg, play, self.dictaphone.spoken().unwrap_or_else(tone));
                }
                Output::Begin => self.dictaphone.begin(&*self.calls.wiring.media, self.leg),
                Output::End => {
                    let (taken, doing) = (self.dictaphone.end(&*self.calls.wiring.media, self.leg), self.doing.clone());
                    // An error means that they have hung up.
                    tokio::spawn(async move { doing.send(Done::Taken(taken.await)) });
                }
                Output::Keep { .. } => self.keep(),
                Output::Leave { .. } => self.over = true,
            }
        }
        self.show_progress();
    }

    fn next_play(&mut self) -> u64 {
        self.last_play += 1;
        self.playing = Some(self.last_play);
        self.last_play
    }

    fn keep(&self) {
        let Some(prompt) = self.dictaphone.spoken() else { return };
        let (calls, doing) = (Arc::clone(&self.calls), self.doing.clone());
        let (account, by) = (self.shown.account.clone(), self.shown.user.clone());
        let spoken = Spoken { account, by, at: calls.wiring.clock.utc(), prompt };
        tokio::spawn(async move {
            let kept = match tokio::time::timeout(KEEP_LIMIT, calls.greetings.keep(&spoken)).await {
                Ok(Ok(kept)) => Some((Speech::Uploaded { recording: kept.recording }, kept.millis)),
                Ok(Err(why)) => {
                    tracing::error!(account = %spoken.account, "a greeting that was spoken in could not be kept: {why}");
                    None
                }
                Err(_) => {
                    tracing::error!(account = %spoken.account, "a greeting that was spoken in was not kept in time");
                    None
                }
            };
            // An error means that they have hung up; what is kept is in the list all the same.
            let _ = doing.send(Done::Kept(kept));
        });
    }

    fn show_progress(&mut self) {
        let Some(dictation) = &self.dictation else { return };
        let state = match self.shown.state {
            DictationState::Kept => return,
            _ if dictation.is_speaking() => DictationState::Speaking,
            _ if dictation.is_choosing() => DictationState::Choosing,
            _ => DictationState::Listening,
        };
        if self.shown.state != state {
            self.shown.state = state;
            self.show();
        }
    }

    fn show(&self) {
        self.calls.feed.publish(FeedEvent::Dictation { dictation: Box::new(self.shown.clone()) });
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if self.shown.state != DictationState::Unreached {
            self.shown.state = DictationState::Over;
        }
        // Whoever is told that it is over may begin the next one.
        self.turn = None;
        self.show();
    }
}
