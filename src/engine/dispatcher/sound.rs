//! The sound of a voicemail for those who are told of it by email: attached, or where it is heard.
//!
//! Decides nothing about who is told. What always holds: an email leaves with or without the sound, and says which.

use crate::base::clock::UtcMs;
use crate::base::id::{CallId, MessageId};
use crate::domain::account::{Account, VoicemailMail};
use crate::domain::message::Message;
use crate::domain::message::voicemail::{Heard, is_spoken, where_to_hear};
use crate::io::deliver::Attached;
use crate::io::recording::{RecordingError, Recordings};

/// The longest sound that goes along: over four minutes. Relays take emails of 10 MB and more, and this becomes 5.6 of them.
const MOST: u64 = 4 * 1_024 * 1_024;

/// Where voicemails are kept, and how the world reaches the console.
#[derive(Clone, Debug)]
pub struct Sounds {
    pub recordings: Recordings,
    /// `https://desk.example.com`.
    pub public_url: String,
}

impl Sounds {
    /// What goes along with an email about `message`, and the words about it; nothing if nobody spoke it.
    pub(super) async fn of(&self, message: &Message, account: &Account) -> Option<(Option<Attached>, String)> {
        let call = message.call.as_ref().filter(|_| is_spoken(message))?;
        let (heard, wav) = match account.recording.voicemail_mail {
            VoicemailMail::Link => (Heard::Linked, None),
            VoicemailMail::Attached => match self.read(call.clone(), message.taken_at).await {
                Ok(Some(wav)) => (Heard::Attached, Some(wav)),
                Ok(None) => (Heard::TooLong, None),
                Err(error) => {
                    let code = error.code();
                    tracing::error!(%call, code, %error, "an email about a voicemail leaves without its sound");
                    (Heard::Lost, None)
                }
            },
        };
        let attached = wav.map(|wav| Attached { name: "voicemail.wav".to_owned(), kind: "audio/wav", octets: wav });
        Some((attached, where_to_hear(heard, &self.page(&message.id))))
    }

    async fn read(&self, call: CallId, from: UtcMs) -> Result<Option<Vec<u8>>, RecordingError> {
        let recordings = self.recordings.clone();
        let read = tokio::task::spawn_blocking(move || recordings.open_sound(&call)?.caller_wav(from, MOST));
        read.await.unwrap_or_else(|panic| Err(RecordingError::Disk(std::io::Error::other(panic))))
    }

    fn page(&self, message: &MessageId) -> String {
        format!("{}/messages/{message}", self.public_url.trim_end_matches('/'))
    }
}
