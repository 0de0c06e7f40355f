//! Walking the audit log from where it was cut off to its end: the first row that is not what was written is named.

use std::fmt;

use super::anchor::Anchor;
use super::chain::{self, Mark};
use super::{Act, AuditRow, CUT, HEAD};
use crate::io::store::{Store, StoreError};

/// Rows read at once.
const PAGE: u32 = 1_000;

/// A log that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The first row that is kept; the one after the last if there is none.
    pub first: i64,
    /// The last, to be checked against later; none before anything was written.
    pub last: Option<Anchor>,
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// What is in it is not what was written.
    Changed { number: i64 },
    /// It is not there.
    Missing { number: i64 },
    /// It does not follow the row before.
    Unlinked { number: i64 },
    /// The log says itself that its end had been altered before this row.
    Altered { number: i64 },
    /// The mark at the end was altered or taken away.
    End,
    /// The mark where the log was cut off was altered or taken away.
    Cut,
    /// Rows up to this one were there once.
    Older { number: i64 },
    /// Another row was there once.
    Replaced { number: i64 },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { number } => write!(f, "row {number} is not what was written"),
            Self::Missing { number } => write!(f, "row {number} is missing"),
            Self::Unlinked { number } => write!(f, "row {number} does not follow the row before it"),
            Self::Altered { number } => {
                write!(f, "the end of the log had been altered before row {number} was written")
            }
            Self::End => f.write_str("the mark at the end of the log was altered"),
            Self::Cut => f.write_str("the mark where old rows were cut off was altered"),
            Self::Older { number } => write!(
                f,
                "rows up to {number} were there once and the last of them are not: they were removed, or an older copy of the database was put back"
            ),
            Self::Replaced { number } => write!(f, "row {number} is another than was there once"),
        }
    }
}

impl Store {
    /// Walks the log, and holds it against what was seen of it earlier. Whatever is written meanwhile is left out.
    pub async fn verify_audit(&self, anchors: &[Anchor]) -> Result<Result<Verified, Broken>, StoreError> {
        loop {
            let cut = self.find_audit_mark(CUT).await?;
            let walked = self.walk(cut.as_ref(), anchors).await?;
            // What was cut off meanwhile is missing for no bad reason.
            if walked.is_ok() || self.find_audit_mark(CUT).await? == cut {
                return Ok(walked);
            }
        }
    }

    async fn walk(&self, cut: Option<&Mark>, anchors: &[Anchor]) -> Result<Result<Verified, Broken>, StoreError> {
        let seal = self.house_seal();
        let key = seal.audit_key();
        let Some(head) = self.find_audit_mark(HEAD).await?.filter(|head| head.is_ours(key, HEAD)) else {
            return Ok(Err(Broken::End));
        };
        if cut.is_some_and(|cut| !cut.is_ours(key, CUT)) {
            return Ok(Err(Broken::Cut));
        }
        let begin = cut.cloned().unwrap_or_else(Mark::beginning);
        if let Some(later) = anchors.iter().find(|anchor| anchor.number > head.number) {
            return Ok(Err(Broken::Older { number: later.number }));
        }
        let seen = |number: i64, hash: &[u8]| anchors.iter().all(|a| a.number != number || a.hash == hash);
        let (mut number, mut hash) = (begin.number, begin.hash);
        if !seen(number, &hash) {
            return Ok(Err(Broken::Replaced { number }));
        }
        while number < head.number {
            let rows = self.list_audit_after(number, head.number, PAGE).await?;
            if rows.is_empty() {
                return Ok(Err(Broken::Missing { number: number + 1 }));
            }
            for row in rows {
                if let Some(broken) = look(key, &row, number, &hash) {
                    return Ok(Err(broken));
                }
                if !seen(row.number, &row.hash) {
                    return Ok(Err(Broken::Replaced { number: row.number }));
                }
                (number, hash) = (row.number, row.hash);
            }
        }
        if hash != head.hash {
            return Ok(Err(Broken::End));
        }
        // One beyond the end is somebody else's, unless the end has moved on since.
        if let Some(beyond) = self.list_audit_after(number, i64::MAX, 1).await?.pop()
            && self.find_audit_mark(HEAD).await?.as_ref() == Some(&head)
        {
            return Ok(Err(Broken::Changed { number: beyond.number }));
        }
        let last = (number > 0).then_some(Anchor { number, hash });
        Ok(Ok(Verified { first: begin.number + 1, last }))
    }

    /// Whether the log still holds what was seen of it earlier: one row looked at, not the way there.
    pub async fn holds_anchor(&self, anchor: &Anchor) -> Result<bool, StoreError> {
        if let Some(row) = self.list_audit_after(anchor.number - 1, anchor.number, 1).await?.pop() {
            return Ok(row.hash == anchor.hash);
        }
        let cut = self.find_audit_mark(CUT).await?;
        Ok(cut.is_some_and(|cut| cut.is_ours(self.house_seal().audit_key(), CUT) && cut.number >= anchor.number))
    }

    /// The last row, to be checked against later; none before anything was written, and where the end was altered.
    pub async fn find_audit_end(&self) -> Result<Option<Anchor>, StoreError> {
        let head = self.find_audit_mark(HEAD).await?;
        let head = head.filter(|head| head.number > 0 && head.is_ours(self.house_seal().audit_key(), HEAD));
        Ok(head.map(|head| Anchor { number: head.number, hash: head.hash }))
    }
}

/// What is wrong with a row that should follow the one numbered `before`.
fn look(key: &ring::hmac::Key, row: &AuditRow, before: i64, hash: &[u8]) -> Option<Broken> {
    let number = before + 1;
    if row.number != number {
        return Some(Broken::Missing { number });
    }
    if chain::hash(key, row) != row.hash {
        return Some(Broken::Changed { number });
    }
    if row.before != hash {
        return Some(Broken::Unlinked { number });
    }
    (row.act == Act::AuditAltered.as_str()).then_some(Broken::Altered { number })
}
