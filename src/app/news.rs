//! What the dispatcher and whoever looks after voicemails learn of calls. The store knows it already: this only saves waiting for the next sweep.

use tokio::sync::mpsc;

use crate::engine::calls::record::CallNews;
use crate::engine::dispatcher::Dispatcher;
use crate::engine::voicemails::Voicemails;

/// News taken together: calls end by the dozen, and one look at the store does for all.
const TOGETHER: usize = 256;

/// Tells the dispatcher, until nobody has news any more.
pub(super) async fn tell(dispatcher: Dispatcher, voicemails: Voicemails, mut news: mpsc::UnboundedReceiver<CallNews>) {
    let mut batch = Vec::new();
    while news.recv_many(&mut batch, TOGETHER).await > 0 {
        if batch.iter().any(|news| matches!(news, CallNews::Patched { .. } | CallNews::CheckedIn { .. })) {
            // It waits among what came in.
            dispatcher.wake();
        }
        if batch.iter().any(|news| matches!(news, CallNews::Voicemail { .. })) {
            voicemails.wake();
        }
        for news in &batch {
            let paused = match news {
                CallNews::RingsBack { asked, by } => dispatcher.pause(asked, by).await,
                CallNews::RangBack { dispatches } => dispatcher.resume_paused(dispatches).await,
                _ => Ok(()),
            };
            if let Err(error) = paused {
                tracing::warn!(
                    code = error.code(),
                    "a dispatch was not paused for who rang back, or not resumed; that ends by itself"
                );
            }
        }
        if batch.iter().any(|news| matches!(news, CallNews::Ended { .. }))
            && let Err(error) = dispatcher.calls_ended().await
        {
            tracing::warn!(code = error.code(), "the dispatcher did not see that calls ended; its sweep will");
        }
        batch.clear();
    }
}
