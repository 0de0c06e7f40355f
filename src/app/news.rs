//! What the dispatcher learns of calls. The store knows it already: this only saves waiting for the next sweep.

use crate::engine::calls::record::CallNews;
use crate::engine::dispatcher::Dispatcher;

/// Tells the dispatcher.
pub(super) async fn tell(dispatcher: &Dispatcher, news: CallNews) {
    match news {
        // It waits among what came in.
        CallNews::Patched { .. } => dispatcher.wake(),
        CallNews::Ended { call } => {
            if let Err(error) = dispatcher.call_ended(&call).await {
                tracing::warn!(
                    code = error.code(),
                    "the dispatcher was not told of a call's end; its sweep will find it"
                );
            }
        }
    }
}
