//! A menu tried out: rings its editor's phone and takes them through the menu as a caller would be, saved or not.
//!
//! The machine is the one that callers meet (`domain/ivr`), the words and keys are real; there is no caller, no record and
//! no queue. Each step is shown on the feed. At the exit the editor hears what a caller would hear, or where they would go,
//! and the call is over. What always holds: consoles are told that it is over however it ends.

use std::time::{Duration, Instant};

use super::CallsHandle;
use super::check::CheckRefused;
use super::editors_phone::{EditorsPhone, Happened};
use crate::domain::account::flow::Flow;
use crate::domain::account::{Account, Speech};
use crate::domain::ivr::menu::{Context, Menu};
use crate::domain::ivr::{self, Ivr};
use crate::domain::operator::Phone;
use crate::domain::operator::skill::Skill;
use crate::engine::feed::{ChosenView, FeedEvent, TrialState, TrialView, UserRef};

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

impl CallsHandle {
    /// Rings `user`'s softphone, the desk phone if there is no other, with a menu to be gone through.
    pub async fn try_menu(&self, user: UserRef, trial: MenuTrial) -> Result<(), CheckRefused> {
        let phone = self.0.free_phone(&user).await?;
        let editor = EditorsPhone::take(&self.0, &user.id).ok_or(CheckRefused::Trying)?;
        metrics::counter!("cordboard_menu_trials_total").increment(1);
        tokio::spawn(async move {
            Walk::new(editor, trial).run(phone).await;
        });
        Ok(())
    }
}

/// An editor on the way through a menu.
struct Walk {
    editor: EditorsPhone,
    account: Account,
    /// Until the phone is there: how it begins.
    begins: Option<(Menu, Context)>,
    ivr: Option<Ivr>,
    /// Out of the menu: until when its last words are waited for.
    leaving: Option<Instant>,
    over: bool,
    shown: TrialView,
}

impl Walk {
    fn new(editor: EditorsPhone, trial: MenuTrial) -> Self {
        let MenuTrial { account, menu, context } = trial;
        let shown = TrialView {
            user: editor.user.clone(),
            account: account.id.clone(),
            menu: menu.name.clone(),
            state: TrialState::Ringing,
            trail: Vec::new(),
            chosen: Vec::new(),
            missed: 0,
            exit: None,
            says: None,
        };
        Self { editor, account, begins: Some((menu, context)), ivr: None, leaving: None, over: false, shown }
    }

    async fn run(mut self, phone: Phone) {
        self.show();
        if !self.editor.connect(phone).await {
            self.shown.state = TrialState::Unreached;
            return;
        }
        self.shown.state = TrialState::Walking;
        if let Some((menu, context)) = self.begins.take() {
            self.ivr = Some(Ivr::new(self.editor.now(), menu, context));
        }
        self.follow();
        while !self.over {
            self.turn().await;
        }
    }

    /// Waits for one thing to happen and follows it.
    async fn turn(&mut self) {
        let wake = self.leaving.or_else(|| self.ivr.as_ref().and_then(Ivr::poll_timeout));
        match self.editor.next(wake).await {
            Happened::Key(key) => self.tell(ivr::Input::Digit(key)),
            Happened::PlayDone => {
                self.over |= self.leaving.is_some();
                self.tell(ivr::Input::PlayDone);
            }
            Happened::Tick if self.leaving.is_some() => self.over = true,
            Happened::Tick => self.tell(ivr::Input::Tick),
            Happened::Gone => self.over = true,
        }
    }

    fn tell(&mut self, input: ivr::Input) {
        let now = self.editor.now();
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
                ivr::Output::Play(speech) => self.editor.play(speech),
                ivr::Output::PlayOnce(speech) => self.editor.play_once(speech),
                ivr::Output::StopPlay => self.editor.stop_play(),
                ivr::Output::Chose(choice) => {
                    self.shown.chosen.push(ChosenView { key: choice.digits, label: choice.label });
                }
                ivr::Output::Entered(entered) => {
                    let key = entered.digits.into_inner();
                    self.shown.chosen.push(ChosenView { key, label: entered.label });
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

    fn leave(&mut self, flow: Flow) {
        let says = say_exit(&flow, &self.account);
        let words = flow.speeches().next().cloned();
        self.editor.play(words.unwrap_or_else(|| Speech::Spoken { text: says.clone() }));
        self.leaving = Some(self.editor.now() + EXIT_LIMIT);
        self.shown.state = TrialState::Left;
        (self.shown.exit, self.shown.says) = (Some(flow), Some(says));
    }

    fn show(&self) {
        self.editor.calls.feed.publish(FeedEvent::Trial { trial: Box::new(self.shown.clone()) });
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        if self.shown.state != TrialState::Unreached {
            self.shown.state = TrialState::Over;
        }
        self.editor.free();
        self.show();
    }
}

/// Where a caller goes at an exit, in a sentence.
fn say_exit(flow: &Flow, account: &Account) -> String {
    match flow {
        Flow::Queue { priority, call_type, skills } => {
            let named = call_type.as_ref().and_then(|id| account.call_types.iter().find(|there| there.id == *id));
            let named = named.map(|there| format!(", as {}", there.name)).unwrap_or_default();
            // As the call will have it: of a type that goes before others, at least that.
            let typed = call_type.as_ref().and_then(|id| account.priority_of(id));
            let ranked = typed.map_or(*priority, |typed| Some(typed.max(priority.unwrap_or(account.priority))));
            let ranked = ranked.map(|priority| format!(", with priority {priority}")).unwrap_or_default();
            let words: Vec<&str> = skills.iter().map(Skill::as_str).collect();
            let able = if words.is_empty() { String::new() } else { format!(" with {}", words.join(" and ")) };
            format!("Here a caller goes to the operators{able}{named}{ranked}.")
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
