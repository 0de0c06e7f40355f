//! The part of a check-in in which held messages are read, repeated, kept and marked as delivered.
//!
//! What always holds: only what was heard to its end, as it is now, is marked; and no word of a message is said before it is on
//! record that it is read.

use super::{CheckIn, Held, Leave, Marked, Output, State, Then, words};

impl CheckIn {
    /// Reads the message at `at` from its beginning, after `first`.
    pub(super) fn read(&mut self, at: usize, first: &str) {
        let Some(held) = self.welcome.held.get(at) else { return self.menu(String::new()) };
        let text = words::message(first, at, self.welcome.held.len(), &held.words);
        let dispatch = held.dispatch.clone();
        self.at = at;
        if self.read.get(at) == Some(&true) {
            return self.ask(State::Content, text);
        }
        self.stop_play();
        self.wait(State::Noting { text });
        self.outputs.push_back(Output::Read { dispatch });
    }

    /// It is on record that the message is read, or could not be put there: then nobody hears it without a person.
    pub(super) fn on_read_noted(&mut self, noted: bool) {
        let State::Noting { text } = &mut self.state else { return };
        let text = std::mem::take(text);
        if !noted {
            return self.say(words::SORRY_OPERATOR, Then::Leave(Leave::Operator));
        }
        if let Some(read) = self.read.get_mut(self.at) {
            *read = true;
        }
        self.ask(State::Content, text);
    }

    pub(super) fn on_message_key(&mut self, key: char) {
        match key {
            '1' => self.read(self.at, ""),
            '2' if self.is_heard() => self.mark(),
            // It plays on: only what was heard can be delivered.
            '2' if self.state == State::Content => {}
            '2' => self.read(self.at, words::TO_ITS_END),
            '3' => self.next(words::KEPT),
            '7' => self.menu(String::new()),
            '9' => self.back(),
            '0' => self.leave(Leave::Operator),
            '*' => self.goodbye(),
            _ => {}
        }
    }

    fn is_heard(&self) -> bool {
        self.heard.get(self.at) == Some(&true)
    }

    fn mark(&mut self) {
        let Some(held) = self.welcome.held.get(self.at) else { return };
        let (dispatch, edition) = (held.dispatch.clone(), held.edition);
        self.stop_play();
        self.wait(State::Marking);
        self.outputs.push_back(Output::Mark { dispatch, edition });
    }

    pub(super) fn on_marked(&mut self, marked: Marked) {
        if self.state != State::Marking {
            return;
        }
        match marked {
            Marked::Noted => {
                if let Some(this) = self.marked.get_mut(self.at) {
                    *this = true;
                }
                self.next(words::DELIVERED);
            }
            Marked::Changed(now) => self.read_anew(*now),
            Marked::Failed => self.next(words::NOT_NOTED),
        }
    }

    /// The message is another than was heard: it is read as it is now, and has not been heard.
    fn read_anew(&mut self, now: Held) {
        // What is answered for another message than was asked about says nothing of this one.
        let asked = self.welcome.held.get_mut(self.at).filter(|held| held.dispatch == now.dispatch);
        let Some(held) = asked else { return self.next(words::NOT_NOTED) };
        *held = now;
        if let Some(heard) = self.heard.get_mut(self.at) {
            *heard = false;
        }
        self.read(self.at, words::CHANGED);
    }

    /// On to the next message that is not marked, after `first`.
    fn next(&mut self, first: &str) {
        let next = (self.at + 1..self.marked.len()).find(|at| !self.marked[*at]);
        match next {
            Some(at) => self.read(at, first),
            None => self.menu(words::no_more(first, self.kept())),
        }
    }

    fn back(&mut self) {
        let before = (0..self.at).rev().find(|at| !self.marked[*at]);
        self.read(before.unwrap_or(self.at), "");
    }

    /// How many are not marked.
    pub(super) fn kept(&self) -> usize {
        self.marked.iter().filter(|marked| !**marked).count()
    }

    /// The message is over: what becomes of it?
    pub(super) fn decide(&mut self) {
        self.asked = 0;
        self.ask(State::Deciding, words::KEYS.to_owned());
    }
}
