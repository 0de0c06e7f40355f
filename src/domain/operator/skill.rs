//! Skills: what an operator can do and a caller may need, in the service's own words: "spanish", "medical".
//!
//! Nothing is known of them but whether two are the same; small and capital letters and spaces make no difference.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest word for a skill, in characters.
pub const MAX_CHARS: usize = 40;

/// Something an operator can do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct Skill(String);

/// Several of them.
pub type Skills = BTreeSet<Skill>;

/// Why a text is no skill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSkill;

impl fmt::Display for NoSkill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a skill is a word or a few, of 1 to {MAX_CHARS} characters: \"spanish\"")
    }
}

impl std::error::Error for NoSkill {}

impl Skill {
    /// Understands a skill as people write it.
    pub fn parse(text: &str) -> Result<Self, NoSkill> {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let fits = (1..=MAX_CHARS).contains(&words.chars().count()) && !words.contains(char::is_control);
        if fits { Ok(Self(words)) } else { Err(NoSkill) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Skill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Skill {
    type Error = NoSkill;

    fn try_from(text: String) -> Result<Self, NoSkill> {
        Self::parse(&text)
    }
}

impl From<Skill> for String {
    fn from(skill: Skill) -> Self {
        skill.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skill_is_the_same_however_it_is_written() {
        assert_eq!(Skill::parse("  Spanish "), Skill::parse("SPANISH"));
        assert_eq!(Skill::parse("Medical  triage").map(|s| s.to_string()), Ok("medical triage".to_owned()));
    }

    #[test]
    fn nothing_and_a_novel_are_no_skills() {
        assert_eq!((Skill::parse("  "), Skill::parse(&"x".repeat(41))), (Err(NoSkill), Err(NoSkill)));
        assert!(serde_json::from_str::<Skill>("\" \"").is_err());
    }
}
