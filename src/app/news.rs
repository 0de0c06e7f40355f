//! What the dispatcher learns of calls.

use crate::engine::calls::record::CallNews;
use crate::engine::dispatcher::Dispatcher;

/// Tells the dispatcher; tries again while the store does not answer.
pub(super) async fn tell(dispatcher: &Dispatcher, news: CallNews) {
    let mut pause = std::time::Duration::from_millis(200);
    for _ in 0..8 {
        let told = match &news {
            CallNews::Patched { call, to } => dispatcher.patched(call, to).await,
            CallNews::Ended { call } => dispatcher.call_ended(call).await,
        };
        match told {
            Ok(()) => return,
            Err(why) => tracing::warn!(code = why.code(), "the dispatcher was not told of a call, trying again"),
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    tracing::error!("the dispatcher was not told of a call; its start will find out");
}
