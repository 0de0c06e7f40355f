//! Where in a value something is wrong, when serde does not say: what stands in an internally tagged enum is read from a copy, and the
//! path to it ends at the enum. These read a field and put its name in front of what is wrong: `/failed/speech: missing field …`.
//!
//! Used as `#[serde(deserialize_with = "placed::speech")]`; `http/misread` makes a JSON pointer of it. A field that may be left out needs
//! `#[serde(default)]` beside it.

use serde::de::{Deserialize, Deserializer, Error};

fn read<'de, D: Deserializer<'de>, T: Deserialize<'de>>(field: &str, from: D) -> Result<T, D::Error> {
    T::deserialize(from).map_err(|error| {
        let said = error.to_string();
        let between = if said.starts_with('/') { "" } else { ": " };
        D::Error::custom(format_args!("/{field}{between}{said}"))
    })
}

macro_rules! fields {
    ($($field:ident)*) => { $(
        pub fn $field<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
            read(stringify!($field), from)
        }
    )* };
}

fields! { speech invalid silent flow failed number timeout_secs retries min max ring_secs max_secs silence_secs priority }
