//! A call made by the machine that reads a message out (design §6, *Call-out by machine*).
//!
//! Says who calls; 1 hears the message; once that was heard to its end, call-back number included, 1 confirms and
//! 9 repeats. Does not know why it calls or what follows: `engine/calls` drives it for the dispatcher.
//!
//! What always holds: a 1 pressed before the message was heard through is never a confirmation; who hangs up in
//! mid-message was not told; nothing of the message is left where nobody pressed 1; [`OutboundEvent::Ended`]
//! comes exactly once and the leg is hung up exactly once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::bridge::LegId;
use super::cause::Cause;
use super::leg::{Leg, LegInput, LegState};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Speech;

/// How often the introduction, and the question at the end, are said.
const TIMES: u32 = 3;
/// How often the message is read at most.
const READINGS: u32 = 5;
/// Silence for a key after words.
const KEY_WAIT: Duration = Duration::from_secs(4);
/// Nothing said lasts longer than this.
const PROMPT_LIMIT: Duration = Duration::from_secs(180);

/// What to say, and to whom.
#[derive(Clone, Debug)]
pub struct OutboundSetup {
    pub leg: LegId,
    pub to: PhoneNumber,
    pub ring: Duration,
    /// Who calls and what for; nothing of the message.
    pub intro: String,
    /// The message with its call-back number.
    pub content: String,
    /// What is left when nobody presses 1.
    pub leave: Option<String>,
}

/// What a call-out is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundInput {
    Start,
    Leg(LegInput),
    PlayDone {
        play: u64,
    },
    /// No longer wanted: whoever listens is told that the message is handled.
    Cancel,
    /// The service is stopping: hung up at once, and nothing is said that may not be true.
    Stop,
    Tick,
}

/// What a call-out wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboundOutput {
    Dial { leg: LegId, to: PhoneNumber },
    Play { leg: LegId, play: u64, speech: Speech },
    StopPlay { leg: LegId, play: u64 },
    HangUp { leg: LegId },
    Event(OutboundEvent),
}

/// What happened, for the dispatcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundEvent {
    Ringing,
    Answered,
    /// The whole message was heard after a key.
    Told,
    /// 1 was pressed after that.
    Confirmed,
    Ended(OutboundEnd),
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundEnd {
    Confirmed,
    ToldOnly,
    LeftRequest,
    NotAccepted,
    NotReached(Cause),
    Cancelled,
}

/// What is being said, and so what a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saying {
    Intro,
    Content,
    Question,
    Leave,
    Thanks,
    Handled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Ringing {
        until: Instant,
    },
    /// Words are being said (`play` of the outputs), or were just said and a key may follow.
    Saying {
        what: Saying,
        until: Instant,
    },
    Over,
}

/// One call-out.
#[derive(Debug)]
pub struct Outbound {
    setup: OutboundSetup,
    leg: Leg,
    phase: Phase,
    now: Instant,
    playing: Option<u64>,
    last_play: u64,
    /// How often the present words were said.
    said: u32,
    readings: u32,
    told: bool,
    outputs: VecDeque<OutboundOutput>,
}

impl Outbound {
    /// A call-out that has not begun; give it [`OutboundInput::Start`].
    pub fn new(now: Instant, setup: OutboundSetup) -> Self {
        let leg = Leg::new(setup.leg);
        Self {
            setup,
            leg,
            phase: Phase::New,
            now,
            playing: None,
            last_play: 0,
            said: 0,
            readings: 0,
            told: false,
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Instant, input: OutboundInput) {
        self.now = now;
        match input {
            OutboundInput::Start => self.start(),
            OutboundInput::Leg(event) => self.on_leg(event),
            OutboundInput::PlayDone { play } => self.on_play_done(play),
            OutboundInput::Cancel => self.cancel(),
            OutboundInput::Stop => match self.phase {
                Phase::Saying { what, .. } => self.end(self.result_of(what)),
                _ => self.end(OutboundEnd::NotReached(Cause::Released)),
            },
            OutboundInput::Tick => self.on_tick(),
        }
    }

    /// The next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<OutboundOutput> {
        self.outputs.pop_front()
    }

    /// When to come back with [`OutboundInput::Tick`]; the reason is always the same: what was waited for
    /// did not come.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Ringing { until } | Phase::Saying { until, .. } => Some(until),
            Phase::New | Phase::Over => None,
        }
    }

    /// True when nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.phase == Phase::Over && self.outputs.is_empty()
    }

    /// All words this call may say, to be made ready before it dials.
    pub fn speeches(setup: &OutboundSetup) -> Vec<Speech> {
        [Saying::Intro, Saying::Content, Saying::Question, Saying::Leave, Saying::Thanks, Saying::Handled]
            .into_iter()
            .filter_map(|what| speech(setup, what))
            .collect()
    }

    fn start(&mut self) {
        if self.phase != Phase::New {
            return;
        }
        self.leg.state = LegState::Dialling;
        self.leg.media_up = true;
        self.phase = Phase::Ringing { until: self.now + self.setup.ring };
        self.outputs.push_back(OutboundOutput::Dial { leg: self.leg.id, to: self.setup.to.clone() });
    }

    fn on_leg(&mut self, event: LegInput) {
        let was = self.leg.state;
        let came_up = self.leg.advance(event);
        match (event, self.phase) {
            (_, Phase::Ringing { .. }) if came_up => {
                self.tell(OutboundEvent::Answered);
                self.said = 0;
                self.say(Saying::Intro);
            }
            (LegInput::Ringing | LegInput::Early, Phase::Ringing { .. }) if was == LegState::Dialling => {
                self.tell(OutboundEvent::Ringing);
            }
            (LegInput::Digit(key), Phase::Saying { what, .. }) => self.on_key(key, what),
            (LegInput::Ended(why), Phase::Ringing { .. }) => self.end(OutboundEnd::NotReached(why)),
            (LegInput::Ended(_), Phase::Saying { what, .. }) => self.end(self.result_of(what)),
            _ => {}
        }
    }

    fn on_key(&mut self, key: char, what: Saying) {
        match (key, what) {
            ('1', Saying::Intro) => self.read(),
            // Before the call-back number was spoken, 1 is no confirmation (design §6).
            ('1', Saying::Question) => {
                self.tell(OutboundEvent::Confirmed);
                self.say(Saying::Thanks);
            }
            ('9', Saying::Content | Saying::Question) if self.readings < READINGS => self.read(),
            _ => {}
        }
    }

    fn read(&mut self) {
        self.readings += 1;
        self.said = 0;
        self.say(Saying::Content);
    }

    fn on_play_done(&mut self, play: u64) {
        if self.playing != Some(play) {
            return;
        }
        self.playing = None;
        let Phase::Saying { what, .. } = self.phase else { return };
        self.said_to_end(what);
    }

    fn said_to_end(&mut self, what: Saying) {
        match what {
            Saying::Intro | Saying::Question => {
                self.said += 1;
                self.phase = Phase::Saying { what, until: self.now + KEY_WAIT };
            }
            Saying::Content => {
                if !self.told {
                    self.told = true;
                    self.tell(OutboundEvent::Told);
                }
                self.said = 0;
                self.say(Saying::Question);
            }
            Saying::Leave => self.end(OutboundEnd::LeftRequest),
            Saying::Thanks => self.end(OutboundEnd::Confirmed),
            Saying::Handled => self.end(OutboundEnd::Cancelled),
        }
    }

    fn on_tick(&mut self) {
        match self.phase {
            Phase::Ringing { until } if until <= self.now => {
                // A telephone that never rang was not left unanswered: the line to it is down.
                let rang = self.leg.state != LegState::Dialling;
                self.end(OutboundEnd::NotReached(if rang { Cause::NoAnswer } else { Cause::Unreachable }));
            }
            Phase::Saying { what, until } if until <= self.now => {
                if self.playing.is_some() {
                    // We were never told that it ended: nothing is taken as heard.
                    self.end(self.result_of(what));
                } else if self.said < TIMES {
                    self.say(what);
                } else if what == Saying::Intro && self.setup.leave.is_some() {
                    self.say(Saying::Leave);
                } else {
                    self.end(self.result_of(what));
                }
            }
            _ => {}
        }
    }

    fn cancel(&mut self) {
        match self.phase {
            Phase::New | Phase::Ringing { .. } => self.end(OutboundEnd::Cancelled),
            Phase::Saying { what: Saying::Thanks | Saying::Handled, .. } | Phase::Over => {}
            Phase::Saying { .. } => self.say(Saying::Handled),
        }
    }

    /// What it means that the call ends while `what` is being said.
    const fn result_of(&self, what: Saying) -> OutboundEnd {
        match what {
            Saying::Thanks => OutboundEnd::Confirmed,
            Saying::Handled => OutboundEnd::Cancelled,
            _ if self.told => OutboundEnd::ToldOnly,
            _ => OutboundEnd::NotAccepted,
        }
    }

    fn say(&mut self, what: Saying) {
        let Some(speech) = speech(&self.setup, what) else {
            self.end(self.result_of(what));
            return;
        };
        if let Some(play) = self.playing.take() {
            self.outputs.push_back(OutboundOutput::StopPlay { leg: self.leg.id, play });
        }
        self.last_play += 1;
        let play = self.last_play;
        self.playing = Some(play);
        self.phase = Phase::Saying { what, until: self.now + PROMPT_LIMIT };
        self.outputs.push_back(OutboundOutput::Play { leg: self.leg.id, play, speech });
    }

    fn tell(&mut self, event: OutboundEvent) {
        self.outputs.push_back(OutboundOutput::Event(event));
    }

    fn end(&mut self, how: OutboundEnd) {
        if self.phase == Phase::Over {
            return;
        }
        self.phase = Phase::Over;
        self.playing = None;
        if self.leg.release() {
            self.outputs.push_back(OutboundOutput::HangUp { leg: self.leg.id });
        }
        self.tell(OutboundEvent::Ended(how));
    }
}

fn speech(setup: &OutboundSetup, what: Saying) -> Option<Speech> {
    let text = match what {
        Saying::Intro => format!("{} To hear the message, press 1.", setup.intro),
        Saying::Content => setup.content.clone(),
        Saying::Question => "To confirm that you have this message, press 1. To hear it again, press 9.".to_owned(),
        Saying::Leave => setup.leave.clone()?,
        Saying::Thanks => "Thank you. The message is confirmed. Goodbye.".to_owned(),
        Saying::Handled => "This message has already been handled. Goodbye.".to_owned(),
    };
    Some(Speech::Spoken { text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, TestClock, UtcMs};
    use crate::base::rng::Rng;

    struct Phone {
        clock: TestClock,
        call: Outbound,
        heard: Vec<String>,
        events: Vec<OutboundEvent>,
        hung_up: usize,
        play: u64,
    }

    impl Phone {
        fn dialled(leave: Option<&str>) -> Self {
            let clock = TestClock::at(UtcMs(0));
            let setup = OutboundSetup {
                leg: LegId(1),
                to: PhoneNumber::parse("+12025550190").expect("a valid number"),
                ring: Duration::from_secs(30),
                intro: "Intro.".into(),
                content: "Content.".into(),
                leave: leave.map(str::to_owned),
            };
            let call = Outbound::new(clock.instant(), setup);
            let mut phone = Self { clock, call, heard: vec![], events: vec![], hung_up: 0, play: 0 };
            phone.hear(OutboundInput::Start);
            phone
        }

        fn rings(leave: Option<&str>) -> Self {
            let mut phone = Self::dialled(leave);
            phone.hear(OutboundInput::Leg(LegInput::Ringing));
            phone
        }

        fn answers(leave: Option<&str>) -> Self {
            let mut phone = Self::rings(leave);
            phone.hear(OutboundInput::Leg(LegInput::Answered));
            phone
        }

        fn hear(&mut self, input: OutboundInput) {
            self.call.handle(self.clock.instant(), input);
            while let Some(output) = self.call.poll_output() {
                match output {
                    OutboundOutput::Play { play, speech: Speech::Spoken { text }, .. } => {
                        self.play = play;
                        self.heard.push(text.split('.').next().unwrap_or_default().to_owned());
                    }
                    OutboundOutput::Event(event) => self.events.push(event),
                    OutboundOutput::HangUp { .. } => self.hung_up += 1,
                    _ => {}
                }
            }
        }

        fn hears_to_end(&mut self) {
            self.hear(OutboundInput::PlayDone { play: self.play });
        }

        fn presses(&mut self, key: char) {
            self.hear(OutboundInput::Leg(LegInput::Digit(key)));
        }

        fn waits(&mut self) {
            if let Some(at) = self.call.poll_timeout() {
                self.clock.advance(at - self.clock.instant());
                self.hear(OutboundInput::Tick);
            }
        }

        fn ended(&self) -> Option<OutboundEnd> {
            self.events.iter().find_map(|e| match e {
                OutboundEvent::Ended(how) => Some(*how),
                _ => None,
            })
        }
    }

    #[test]
    fn one_hears_and_one_confirms() {
        let mut phone = Phone::answers(None);
        phone.presses('1');
        phone.hears_to_end();
        phone.presses('1');
        phone.hears_to_end();
        assert_eq!(
            phone.events,
            [
                OutboundEvent::Ringing,
                OutboundEvent::Answered,
                OutboundEvent::Told,
                OutboundEvent::Confirmed,
                OutboundEvent::Ended(OutboundEnd::Confirmed)
            ]
        );
        assert_eq!(phone.hung_up, 1);
    }

    #[test]
    fn a_one_before_the_call_back_number_does_not_confirm() {
        let mut phone = Phone::answers(None);
        phone.presses('1');
        phone.presses('1');
        phone.presses('1');
        phone.hear(OutboundInput::Leg(LegInput::Ended(Cause::HungUp)));
        assert_eq!(phone.ended(), Some(OutboundEnd::NotAccepted), "hung up in mid-message: not told");
        assert!(!phone.events.contains(&OutboundEvent::Confirmed) && !phone.events.contains(&OutboundEvent::Told));
    }

    #[test]
    fn nine_repeats_the_message() {
        let mut phone = Phone::answers(None);
        phone.presses('1');
        phone.hears_to_end();
        phone.presses('9');
        phone.presses('1');
        assert_eq!(phone.ended(), None, "1 during the second reading is no confirmation either");
        phone.hears_to_end();
        phone.presses('1');
        assert!(phone.events.contains(&OutboundEvent::Confirmed));
        assert_eq!(phone.heard.iter().filter(|h| *h == "Content").count(), 2);
        assert_eq!(phone.events.iter().filter(|e| **e == OutboundEvent::Told).count(), 1);
    }

    #[test]
    fn a_voicemail_is_left_the_callback_request_and_nothing_of_the_message() {
        let mut phone = Phone::answers(Some("Leave."));
        for _ in 0..3 {
            phone.hears_to_end();
            phone.waits();
        }
        phone.hears_to_end();
        assert_eq!(phone.heard, ["Intro", "Intro", "Intro", "Leave"]);
        assert_eq!(phone.ended(), Some(OutboundEnd::LeftRequest));
    }

    #[test]
    fn without_words_to_leave_nothing_is_left() {
        let mut phone = Phone::answers(None);
        for _ in 0..3 {
            phone.hears_to_end();
            phone.waits();
        }
        assert_eq!((phone.ended(), phone.hung_up), (Some(OutboundEnd::NotAccepted), 1));
    }

    #[test]
    fn heard_and_not_confirmed_is_told_only() {
        let mut phone = Phone::answers(Some("Leave."));
        phone.presses('1');
        phone.hears_to_end();
        for _ in 0..3 {
            phone.hears_to_end();
            phone.waits();
        }
        assert_eq!(phone.ended(), Some(OutboundEnd::ToldOnly));
        assert!(!phone.heard.contains(&"Leave".to_owned()));
    }

    #[test]
    fn a_telephone_that_never_rang_was_out_of_reach() {
        let mut phone = Phone::dialled(None);
        phone.waits();
        assert_eq!(phone.ended(), Some(OutboundEnd::NotReached(Cause::Unreachable)));
    }

    #[test]
    fn nobody_answers_within_the_ring_time() {
        let mut phone = Phone::rings(Some("Leave."));
        phone.waits();
        assert_eq!((phone.ended(), phone.hung_up), (Some(OutboundEnd::NotReached(Cause::NoAnswer)), 1));
    }

    #[test]
    fn a_busy_number_is_not_reached() {
        let mut phone = Phone::rings(None);
        phone.hear(OutboundInput::Leg(LegInput::Ended(Cause::Busy)));
        assert_eq!(phone.ended(), Some(OutboundEnd::NotReached(Cause::Busy)));
    }

    #[test]
    fn a_stand_down_is_said_to_whoever_listens_and_silences_a_ringing_phone() {
        let mut phone = Phone::rings(None);
        phone.hear(OutboundInput::Cancel);
        assert_eq!((phone.ended(), phone.hung_up), (Some(OutboundEnd::Cancelled), 1));

        let mut phone = Phone::answers(None);
        phone.presses('1');
        phone.hear(OutboundInput::Cancel);
        assert_eq!(phone.heard.last().map(String::as_str), Some("This message has already been handled"));
        phone.hears_to_end();
        assert_eq!(phone.ended(), Some(OutboundEnd::Cancelled));
    }

    #[test]
    fn a_service_that_stops_says_nothing_untrue() {
        let mut phone = Phone::answers(None);
        phone.hear(OutboundInput::Stop);
        assert_eq!((phone.ended(), phone.hung_up), (Some(OutboundEnd::NotAccepted), 1));
        assert_eq!(phone.heard, ["Intro"]);
    }

    #[test]
    fn whatever_happens_it_ends_once_and_a_confirmation_follows_a_whole_message() {
        for seed in 0..5_000 {
            let mut rng = Rng::seeded(seed);
            let mut phone = Phone::rings((seed % 2 == 0).then_some("Leave."));
            for _ in 0..200 {
                match rng.below(9) {
                    0 => phone.hear(OutboundInput::Leg(LegInput::Answered)),
                    1 | 2 => phone.hears_to_end(),
                    3 => phone.presses('1'),
                    4 => phone.presses('9'),
                    5 if rng.below(6) == 0 => phone.hear(OutboundInput::Leg(LegInput::Ended(Cause::HungUp))),
                    6 if rng.below(6) == 0 => phone.hear(OutboundInput::Cancel),
                    7 => phone.hear(OutboundInput::PlayDone { play: rng.below(phone.play + 2) }),
                    _ => phone.waits(),
                }
            }
            while phone.call.poll_timeout().is_some() {
                phone.waits();
            }
            let at = |event: OutboundEvent| phone.events.iter().position(|e| *e == event);
            let ends = phone.events.iter().filter(|e| matches!(e, OutboundEvent::Ended(_))).count();
            assert_eq!((ends, phone.hung_up), (1, 1), "seed {seed}: {:?}", phone.events);
            assert!(phone.call.is_done(), "seed {seed}");
            if let Some(confirmed) = at(OutboundEvent::Confirmed) {
                assert!(at(OutboundEvent::Told).is_some_and(|told| told < confirmed), "seed {seed}");
                assert_eq!(phone.ended(), Some(OutboundEnd::Confirmed), "seed {seed}");
            }
        }
    }
}
