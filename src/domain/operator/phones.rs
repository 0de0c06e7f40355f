//! The kinds of telephone that an operator talks on, and which of them are there.
//!
//! Knows neither registrations nor whether a phone works: the registrar tells the first, the [`Seat`](super::Seat) judges the second. What
//! always holds: the kind that came last is the first.

/// What an operator talks on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phone {
    /// In the console.
    Softphone,
    /// On the desk.
    DeskPhone,
}

/// The phones of an operator that are registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phones {
    /// The kind of the one that came last.
    pub last: Option<Phone>,
    /// There is one of the other kind as well.
    pub both: bool,
}

impl Phones {
    /// One, or several of one kind.
    pub const fn of(phone: Phone) -> Self {
        Self { last: Some(phone), both: false }
    }

    /// Whether there is one of this kind.
    pub fn has(self, phone: Phone) -> bool {
        self.last.is_some() && (self.both || self.last == Some(phone))
    }

    /// The kinds there are, the one that came last first.
    pub(super) fn kinds(self) -> impl Iterator<Item = Phone> {
        let other = self.last.filter(|_| self.both).map(|last| match last {
            Phone::Softphone => Phone::DeskPhone,
            Phone::DeskPhone => Phone::Softphone,
        });
        self.last.into_iter().chain(other)
    }
}
