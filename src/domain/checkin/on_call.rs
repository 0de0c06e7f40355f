//! Putting somebody else on call at a check-in: for which duty, whom, until when, and is that right?
//!
//! Chooses among the people of a schedule by number. Says for how long and never until which instant: the machine knows no
//! wall time, whoever carries it out does. What always holds: nobody is put on call without a key that says "that is right"
//! after their name was spoken.

use super::words::{self, joined};
use super::{CheckIn, Leave, Output, State, Then};
use crate::base::id::{ContactId, ScheduleId};

/// People who can be chosen by one key.
pub const MOST_PEOPLE: usize = 9;
/// The longest, in hours: a week.
const MOST_HOURS: u32 = 7 * 24;

/// A duty of the client's people, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    pub schedule: ScheduleId,
    /// "technician".
    pub role: String,
    /// Who is on call, if anybody is.
    pub now: Option<String>,
    /// When the next of the rotation takes over, as it is said; none if there is no rotation.
    pub hand_off: Option<String>,
    /// Those who can be, nine at the most.
    pub people: Vec<(ContactId, String)>,
}

/// For how long somebody is on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    HandOff,
    Hours(u32),
}

/// How far the choice has come. Duties and people by their place in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choosing {
    Duty,
    Person { duty: usize },
    Length { duty: usize, person: usize },
    Hours { duty: usize, person: usize, keys: String },
    Sure { duty: usize, person: usize, span: Span },
}

impl CheckIn {
    pub(super) fn choose_duty(&mut self) {
        self.asked = 0;
        let only = self.welcome.duties.len() == 1;
        self.ask_duty(if only { Choosing::Person { duty: 0 } } else { Choosing::Duty });
    }

    pub(super) fn ask_duty(&mut self, choosing: Choosing) {
        let text = self.question(&choosing);
        self.ask(State::OnCall(choosing), text);
    }

    /// What is asked, all choices named.
    fn question(&self, choosing: &Choosing) -> String {
        let keys = |names: &[&str]| {
            let named = (1..).zip(names).map(|(key, name)| format!("For {name}, press {key}."));
            named.chain(["To leave it as it is, press the star key.".to_owned()]).collect::<Vec<_>>().join(" ")
        };
        let duties = &self.welcome.duties;
        match choosing {
            Choosing::Duty => {
                let roles: Vec<&str> = duties.iter().take(MOST_PEOPLE).map(|duty| duty.role.as_str()).collect();
                joined(&["Who is on call for what?", &keys(&roles)])
            }
            Choosing::Person { duty } => {
                let Some(duty) = duties.get(*duty) else { return String::new() };
                let now = duty.now.as_deref().unwrap_or("Nobody");
                let names: Vec<&str> = duty.people.iter().map(|(_, name)| name.as_str()).collect();
                joined(&[&format!("{now} is on call as {}.", duty.role), &keys(&names)])
            }
            Choosing::Length { duty, .. } => {
                let hand_off = duties.get(*duty).and_then(|duty| duty.hand_off.as_deref()).unwrap_or_default();
                format!("Until the next hand-off, {hand_off}, press 1. For a number of hours, press 2.")
            }
            Choosing::Hours { .. } => "For how many hours? Please enter the number, and then the pound key.".to_owned(),
            Choosing::Sure { duty, person, span } => {
                let Some(duty) = duties.get(*duty) else { return String::new() };
                let name = duty.people.get(*person).map_or("", |(_, name)| name.as_str());
                let span = match span {
                    Span::HandOff => {
                        let at = duty.hand_off.as_deref().unwrap_or("the next hand-off");
                        format!("until {}", at.trim_end_matches('.'))
                    }
                    Span::Hours(1) => "for 1 hour".to_owned(),
                    Span::Hours(hours) => format!("for {hours} hours"),
                };
                let role = &duty.role;
                format!("{name} on call as {role} from now on, {span}. If that is right, press 1. If not, press 2.")
            }
        }
    }

    pub(super) fn on_duty_key(&mut self, key: char, choosing: Choosing) {
        self.asked = 0;
        let number = key.to_digit(10).and_then(|n| usize::try_from(n).ok()).and_then(|n| n.checked_sub(1));
        match (choosing, key) {
            (Choosing::Hours { duty, person, keys }, _) => self.on_hours_key(key, duty, person, keys),
            (_, '0') => self.leave(Leave::Operator),
            (_, '*') => self.menu(String::new()),
            (Choosing::Duty, _) => {
                if let Some(duty) = number.filter(|n| *n < self.welcome.duties.len()) {
                    self.ask_duty(Choosing::Person { duty });
                }
            }
            (Choosing::Person { duty }, _) => {
                let there = self.welcome.duties.get(duty);
                let Some(person) = number.filter(|n| there.is_some_and(|duty| *n < duty.people.len())) else { return };
                let turns = there.is_some_and(|duty| duty.hand_off.is_some());
                let hours = Choosing::Hours { duty, person, keys: String::new() };
                self.ask_duty(if turns { Choosing::Length { duty, person } } else { hours });
            }
            (Choosing::Length { duty, person }, '1') => {
                self.ask_duty(Choosing::Sure { duty, person, span: Span::HandOff });
            }
            (Choosing::Length { duty, person }, '2') => {
                self.ask_duty(Choosing::Hours { duty, person, keys: String::new() });
            }
            (Choosing::Sure { duty, person, span }, '1') => self.put_on_call(duty, person, span),
            (Choosing::Sure { duty, .. }, '2') => self.ask_duty(Choosing::Person { duty }),
            (Choosing::Length { .. } | Choosing::Sure { .. }, _) => {}
        }
    }

    fn on_hours_key(&mut self, key: char, duty: usize, person: usize, mut keys: String) {
        match key {
            '#' if !keys.is_empty() => return self.hours_entered(duty, person, &keys),
            '*' if keys.is_empty() => return self.menu(String::new()),
            '*' => keys.clear(),
            '0'..='9' if keys.len() < 3 => keys.push(key),
            _ => {}
        }
        self.stop_play();
        self.wait_for_key(State::OnCall(Choosing::Hours { duty, person, keys }));
    }

    pub(super) fn hours_entered(&mut self, duty: usize, person: usize, keys: &str) {
        match keys.parse().ok().filter(|hours| (1..=MOST_HOURS).contains(hours)) {
            Some(hours) => self.ask_duty(Choosing::Sure { duty, person, span: Span::Hours(hours) }),
            None => {
                let text = format!("Please take 1 to {MOST_HOURS} hours, and then the pound key.");
                self.ask(State::OnCall(Choosing::Hours { duty, person, keys: String::new() }), text);
            }
        }
    }

    fn put_on_call(&mut self, duty: usize, person: usize, span: Span) {
        let chosen = self.welcome.duties.get(duty);
        let chosen = chosen.and_then(|duty| Some((duty.schedule.clone(), duty.people.get(person)?.0.clone())));
        let Some((schedule, contact)) = chosen else { return self.menu(String::new()) };
        self.stop_play();
        self.wait(State::PuttingOnCall);
        // What is said of it from now on.
        let duty = &mut self.welcome.duties[duty];
        duty.now = duty.people.get(person).map(|(_, name)| name.clone());
        self.outputs.push_back(Output::PutOnCall { schedule, contact, span });
    }

    pub(super) fn on_put_on_call(&mut self, done: bool) {
        if self.state != State::PuttingOnCall {
            return;
        }
        if done {
            self.say("That is changed.", Then::Menu);
        } else {
            self.say(words::SORRY_OPERATOR, Then::Leave(Leave::Operator));
        }
    }
}
