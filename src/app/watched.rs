//! The work that goes on for as long as the service does. None of it ends by itself: a piece that does has panicked, and
//! a service that goes on without one of its sides answers no calls and looks well. So whoever waits here learns of it.

use std::collections::HashMap;
use std::future::Future;

use tokio::task::{Id, JoinError, JoinSet};

use super::Failure;

/// Pieces of work, by name. They end with it.
#[derive(Debug, Default)]
pub(super) struct Watched {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Watched {
    /// Starts a piece of work; or, of work that goes on elsewhere, something that waits for its end.
    pub(super) fn spawn(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.names.insert(self.tasks.spawn(work).id(), name);
    }

    /// Waits until a piece of work has ended, of itself or by a panic; for ever if there is none. Cancel-safe.
    pub(super) async fn first_end(&mut self) -> Failure {
        let Some(over) = self.tasks.join_next_with_id().await else { std::future::pending().await };
        let id = over.map_or_else(|error: JoinError| error.id(), |(id, ())| id);
        ended(self.names.remove(&id).unwrap_or("a piece of work"))
    }

    /// Ends all.
    pub(super) async fn shutdown(mut self) {
        self.tasks.shutdown().await;
    }
}

/// What is said when a part of the service has ended that should not.
pub(super) fn ended(name: &'static str) -> Failure {
    tracing::error!(name, "a part of the service has ended, and the service ends with it");
    Failure::new(format!("{name} has ended unexpectedly, so the service was stopped: start it again and report this"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_piece_of_work_that_panics_or_ends_is_told_by_name() {
        let mut watched = Watched::default();
        watched.spawn("the long one", std::future::pending());
        watched.spawn("the broken one", async { panic!("as it happens") });
        assert!(watched.first_end().await.to_string().starts_with("the broken one has ended unexpectedly"));
        watched.spawn("the short one", async {});
        assert!(watched.first_end().await.to_string().starts_with("the short one has ended unexpectedly"));
        watched.shutdown().await;
    }
}
