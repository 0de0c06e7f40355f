//! The words of a call-out: all of a message spoken before its number is dialled, or before it joins a call that is up.
//!
//! Says nothing to anybody; the task does. What always holds: without a voice nobody's telephone is rung, and that is an alarm,
//! one for all of an account in a row.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::account::Speech;
use crate::domain::call::outbound::{Reading, speeches};
use crate::engine::callout::{CallOutRequest, OutboundEnd};
use crate::engine::calls::{Calls, LOOK_UP_LIMIT, alarm_text};
use crate::io::media::prompt::Prompt;

/// How long the voice may take for the words of one call-out.
const VOICE_LIMIT: Duration = Duration::from_secs(30);

/// What one call-out says.
pub(super) type Words = HashMap<Speech, Arc<Prompt>>;

pub(super) fn reading(request: &CallOutRequest) -> Reading {
    Reading {
        intro: request.intro.clone(),
        content: request.content.clone(),
        leave: request.leave.clone(),
        pin: request.pin.clone(),
        caller: request.caller.clone(),
    }
}

/// All words of a message, spoken. Errors are what the call-out ended with.
pub(super) async fn make_ready(calls: Arc<Calls>, request: CallOutRequest) -> Result<Words, OutboundEnd> {
    let speak = async {
        let mut words = Words::new();
        for speech in speeches(&reading(&request)) {
            let prompt = calls.wiring.voice.prepare_once(&speech).await?;
            words.insert(speech, prompt);
        }
        Ok::<_, String>(words)
    };
    match tokio::time::timeout(VOICE_LIMIT, speak).await {
        Ok(Ok(words)) => Ok(words),
        Ok(Err(why)) => Err(without_voice(&calls, &request, &why).await),
        Err(_) => Err(without_voice(&calls, &request, "it took too long").await),
    }
}

async fn without_voice(calls: &Arc<Calls>, request: &CallOutRequest, why: &str) -> OutboundEnd {
    tracing::error!("a call-out was not made, the voice failed: {why}");
    let account = match &request.account {
        Some(id) => {
            let found = tokio::time::timeout(LOOK_UP_LIMIT, calls.accounts.find_account(id)).await;
            found.ok().and_then(Result::ok).flatten()
        }
        None => None,
    };
    let text = alarm_text::unread(account.as_ref().map(|account| account.name.as_str()), request.person.as_deref());
    calls.raise_of_voice(request.account.as_ref(), text);
    OutboundEnd::NoVoice
}
