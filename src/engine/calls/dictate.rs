//! A greeting spoken in by telephone: rings its editor's phone and takes down what they say.
//!
//! The machine is the one of a status greeting (`domain/dictation`); here nobody calls, and nothing is on record. Each step is
//! shown on the feed. What is kept stands among the account's recordings and is heard once the account names it. What always
//! holds: consoles are told that it is over however it ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::CallsHandle;
use super::check::CheckRefused;
use super::editors_phone::{EditorsPhone, Happened};
use super::greetings::Spoken;
use crate::base::id::AccountId;
use crate::domain::account::Speech;
use crate::domain::dictation::{Dictation, Input, Output, Script};
use crate::domain::operator::Phone;
use crate::engine::dictaphone::Dictaphone;
use crate::engine::feed::{DictationState, DictationView, FeedEvent, UserRef};
use crate::engine::mixer::tone;

/// How long the store may take while somebody waits.
const KEEP_LIMIT: Duration = Duration::from_secs(10);

impl CallsHandle {
    /// Rings `user`'s softphone, the desk phone if there is no other, and takes down a greeting for this account.
    pub async fn dictate(&self, user: UserRef, account: AccountId) -> Result<(), CheckRefused> {
        let phone = self.0.free_phone(&user).await?;
        let editor = EditorsPhone::take(&self.0, &user.id).ok_or(CheckRefused::Trying)?;
        metrics::counter!("cordboard_dictations_total").increment(1);
        tokio::spawn(async move {
            Speaking::new(editor, user, account).run(phone).await;
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
struct Speaking {
    editor: EditorsPhone,
    dictation: Option<Dictation>,
    dictaphone: Dictaphone,
    doing: mpsc::UnboundedSender<Done>,
    done: mpsc::UnboundedReceiver<Done>,
    over: bool,
    shown: DictationView,
}

impl Speaking {
    fn new(editor: EditorsPhone, user: UserRef, account: AccountId) -> Self {
        let (doing, done) = mpsc::unbounded_channel();
        let (state, silent) = (DictationState::Ringing, 0);
        Self {
            editor,
            dictation: None,
            dictaphone: Dictaphone::default(),
            doing,
            done,
            over: false,
            shown: DictationView { user: user.id, account, state, silent, speech: None, millis: None },
        }
    }

    async fn run(mut self, phone: Phone) {
        self.show();
        if !self.editor.connect(phone).await {
            self.shown.state = DictationState::Unreached;
            return;
        }
        let script = Script {
            ask: "Please say the greeting after the tone.".to_owned(),
            keep: "To keep it".to_owned(),
            for_a_time: None,
            kept: "It is kept. You find it on the account's page.".to_owned(),
        };
        self.dictation = Some(Dictation::new(self.editor.now(), script));
        self.follow();
        while !self.over {
            self.turn().await;
        }
    }

    /// Waits for one thing to happen and follows it.
    async fn turn(&mut self) {
        let wake = self.dictation.as_ref().and_then(Dictation::poll_timeout);
        tokio::select! {
            happened = self.editor.next(wake) => match happened {
                Happened::Key(key) => self.tell(Input::Digit(key)),
                Happened::PlayDone => self.tell(Input::PlayDone),
                Happened::Tick => self.tell(Input::Tick),
                Happened::Gone => self.over = true,
            },
            Some(done) = self.done.recv() => self.on_done(done),
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
        let now = self.editor.now();
        if let Some(dictation) = &mut self.dictation {
            dictation.handle(now, input);
        }
        self.follow();
    }

    /// Does what the dictation says, until it says no more, and shows how far it is.
    fn follow(&mut self) {
        while let Some(output) = self.dictation.as_mut().and_then(Dictation::poll_output) {
            match output {
                Output::Play(speech) => self.editor.play(speech),
                Output::StopPlay => self.editor.stop_play(),
                Output::PlayBack => self.editor.play_ready(self.dictaphone.spoken().unwrap_or_else(tone)),
                Output::Begin => self.dictaphone.begin(&*self.editor.calls.wiring.media, self.editor.leg),
                Output::End => {
                    let taken = self.dictaphone.end(&*self.editor.calls.wiring.media, self.editor.leg);
                    let doing = self.doing.clone();
                    // An error means that they have hung up.
                    tokio::spawn(async move { doing.send(Done::Taken(taken.await)) });
                }
                Output::Keep { .. } => self.keep(),
                Output::Leave { .. } => self.over = true,
            }
        }
        self.show_progress();
    }

    fn keep(&self) {
        let Some(prompt) = self.dictaphone.spoken() else { return };
        let (calls, doing) = (Arc::clone(&self.editor.calls), self.doing.clone());
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
        self.editor.calls.feed.publish(FeedEvent::Dictation { dictation: Box::new(self.shown.clone()) });
    }
}

impl Drop for Speaking {
    fn drop(&mut self) {
        if self.shown.state != DictationState::Unreached {
            self.shown.state = DictationState::Over;
        }
        self.editor.free();
        self.show();
    }
}
