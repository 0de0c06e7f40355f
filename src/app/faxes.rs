//! Faxes at the start: who sends them, and whether this machine has the engine for them. Sends none: that is `engine/calls/fax`.
//!
//! `app` asks at its start, `cordboard check` before it. What always holds: a service whose file has `[fax]` does not start
//! without the engine; one without it starts, and says in the log what steps that fax will come to.

use super::Failure;
use crate::config::Config;
use crate::domain::dispatch::protocol::Method;
use crate::io::fax::Station;
use crate::io::fax::spandsp::{Missing, Spandsp};
use crate::io::store::Store;

/// Who sends faxes.
pub(super) fn station(config: &Config) -> Station {
    Station { header: config.fax.header.clone(), id: config.fax.station_id.clone() }
}

/// Refuses a file that means faxes to be sent on a machine that cannot send any.
///
/// # Errors
/// libspandsp2 is not there, or is not the one that is known.
pub fn check_fax_engine(config: &Config) -> Result<(), Failure> {
    let missing = if config.fax.is_meant { Spandsp::load().err() } else { None };
    missing.map_or(Ok(()), |missing| {
        Err(Failure::new(format!(
            "{}: the file has [fax], but {missing}; or take [fax] out, and no fax is sent",
            Missing::CODE
        )))
    })
}

/// Says in the log if a protocol has faxes sent and there is no engine for them.
pub(super) async fn look_for_faxes(store: &Store) -> Result<(), Failure> {
    let Err(missing) = Spandsp::load() else { return Ok(()) };
    for account in store.list_accounts().await.map_err(|e| Failure::new(e.to_string()))? {
        let protocols = store.list_protocols(&account.id).await.map_err(|e| Failure::new(e.to_string()))?;
        if protocols.iter().flat_map(|protocol| &protocol.steps).any(|s| matches!(s.method, Method::Fax { .. })) {
            tracing::warn!(code = Missing::CODE, account = %account.id, "{missing}. Until then no fax is sent");
        }
    }
    Ok(())
}
