//! A greeting spoken in on its editor's telephone, through the drivers.

use super::check::CheckRefused;
use super::greetings::Spoken;
use super::house::*;
use super::*;
use crate::base::id::AccountId;
use crate::domain::account::Speech;
use crate::domain::call::bridge::LegId;
use crate::domain::operator::{Phone, Phones};
use crate::engine::feed::{DictationState, DictationView};
use crate::engine::signal::LegEvent;
use crate::io::media::take::Take;
use crate::proto::audio::tone::sine;

/// An editor who is rung.
struct Editor {
    house: House,
    leg: LegId,
    events: mpsc::Sender<LegEvent>,
}

fn plumbing() -> AccountId {
    AccountId::named("plumbing")
}

impl Editor {
    /// Told what to do.
    async fn rung() -> Self {
        let mut house = House::open("greeting");
        assert_eq!(house.calls.dictate(user("sam"), plumbing()).await, Err(CheckRefused::NoPhone));
        house.desk.heartbeat(user("sam"), false);
        house.desk.phones(UserId::named("sam"), Phones::of(Phone::Softphone));
        assert_eq!(house.calls.dictate(user("sam"), plumbing()).await, Ok(()));
        let (leg, events) = house.takes("sam").await;
        let mut editor = Self { house, leg, events };
        editor.shown(DictationState::Listening).await;
        assert_eq!(editor.house.calls.dictate(user("sam"), plumbing()).await, Err(CheckRefused::Trying));
        editor
    }

    async fn shown(&mut self, state: DictationState) -> DictationView {
        let is_it = move |event: &FeedEvent| match event {
            FeedEvent::Dictation { dictation } if dictation.state == state => Some((**dictation).clone()),
            _ => None,
        };
        self.house.shown("the dictation", is_it).await
    }

    async fn presses(&self, key: char) {
        self.events.send(LegEvent::Digit(key)).await.expect("the dictation listens");
    }

    /// Hears the next words to their end.
    async fn hears_out(&mut self) {
        let leg = self.leg;
        let play = self.house.until("words", |d| plays(d, leg)).await.1;
        self.house.calls.on_media(MediaEvent::PlayDone { leg, play });
    }

    /// Says this after the tone, and presses the pound key.
    async fn speaks(&mut self, pcm: &[i16]) {
        self.hears_out().await;
        self.hears_out().await;
        let (did, ()) =
            self.house.until("to be taken down", |d| matches!(d, Did::TakesDown { .. }).then_some(())).await;
        let Did::TakesDown { take, leg } = did else { unreachable!("it was picked") };
        assert_eq!(leg, self.leg);
        let mut take: Take = *take;
        take.add(pcm);
        self.shown(DictationState::Speaking).await;
        self.presses('#').await;
        self.house.until("the end of it", |d| matches!(d, Did::EndsTake { .. }).then_some(())).await;
        take.end();
    }
}

fn kept(did: &Did) -> Option<Spoken> {
    match did {
        Did::KeptGreeting(spoken) => Some(spoken.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn what_an_editor_says_is_heard_back_and_kept_without_the_silence_around_it() {
    let mut editor = Editor::rung().await;
    let words = sine(500.0, 4_000.0, 16_000);
    let pcm = [vec![0; 24_000], words, vec![0; 24_000]].concat();
    editor.speaks(&pcm).await;
    editor.hears_out().await;
    editor.shown(DictationState::Choosing).await;
    let leg = editor.leg;
    editor.house.until("their own words", |d| plays(d, leg)).await;
    editor.presses('1').await;
    let spoken = editor.house.until("the greeting to be kept", kept).await.1;
    assert_eq!((spoken.account, spoken.by), (plumbing(), UserId::named("sam")));
    let length = spoken.prompt.pcm().len();
    assert!((16_000..24_000).contains(&length), "the silence is gone: {length}");
    let shown = editor.shown(DictationState::Kept).await;
    assert_eq!(shown.speech, Some(Speech::Uploaded { recording: "spoken".into() }));
    editor.hears_out().await;
    editor.shown(DictationState::Over).await;
    editor.house.until("the end", |d| hangs_up(d, leg)).await;
    assert!(editor.house.seen.is_empty() && editor.house.calls.views().is_empty(), "nothing is on record");
}

#[tokio::test]
async fn who_says_nothing_is_told_so_and_who_hangs_up_has_kept_nothing() {
    let mut editor = Editor::rung().await;
    editor.speaks(&[10; 16_000]).await;
    let leg = editor.leg;
    // "We heard nothing", and the tone again.
    editor.hears_out().await;
    editor.house.until("the tone", |d| plays(d, leg)).await;
    editor.events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the dictation listens");
    let over = editor.shown(DictationState::Over).await;
    assert_eq!((over.silent, over.speech), (1, None));
    // The telephone is free again.
    assert_eq!(editor.house.calls.dictate(user("sam"), plumbing()).await, Ok(()));
}
