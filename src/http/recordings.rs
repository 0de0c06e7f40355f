//! Recordings of calls, to be listened to and looked at. Supervisors and admins hear all, operators the calls in which
//! they talked, and voicemails. Who listens is on the audit log and on the call's record before the first byte is given.
//!
//! Whoever asks for all of a recording is told at once if any of it is not what was written. Whoever asks for a part, as a
//! player does that is moved about, costs what is read for that part: told at once is what is wrong where it begins; where
//! a later second is, the answer ends.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::base::clock::UtcMs;
use crate::base::id::{CallId, UserId};
use crate::domain::account::RecordedLegs;
use crate::io::recording::{Figures, Mark, Peaks, Recorded, RecordingError, Recordings, Sound};
use crate::io::store::audit::Act;
use crate::io::store::calls::CallEventRecord;
use crate::io::store::users::Role;

use super::audit;
use super::auth::{Operator, Signed};
use super::error::{Problem, ProblemBody, as_sentence};
use super::extract::Id;
use super::state::Front;

/// What a recording holds.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RecordingView {
    started_at: UtcMs,
    figures: Figures,
    /// What is silence for another reason than that nobody spoke, in order.
    marks: Vec<Mark>,
    /// Its end is there. Not while the call goes on, nor after a crash in it.
    complete: bool,
    /// Whose words were ever recorded in it; whoever was not is silence on their channel.
    legs: RecordedLegs,
}

/// How loud a recording is.
#[derive(Serialize, utoipa::ToSchema)]
pub struct WaveView {
    #[serde(flatten)]
    peaks: Peaks,
    /// Whose words were ever recorded in it.
    legs: RecordedLegs,
}

impl From<RecordingError> for Problem {
    fn from(error: RecordingError) -> Self {
        let detail = as_sentence(&error);
        match error {
            RecordingError::Missing => Self::new(StatusCode::NOT_FOUND, error.code(), "Not found", detail),
            RecordingError::NotOurs | RecordingError::Damaged { .. } => {
                Self::new(StatusCode::CONFLICT, error.code(), "The recording cannot be played", detail)
            }
            RecordingError::Disk(why) => {
                tracing::error!(code = "recording.disk", error = %why, "a recording cannot be read");
                Self::fault()
            }
        }
    }
}

/// Refuses whoever may not listen to this call.
async fn permit(front: &Front, signed: &Signed, call: &CallId) -> Result<(), Problem> {
    let record = front.store.find_call(call).await?.ok_or_else(|| Problem::not_found("call"))?;
    let user = &signed.bearer.user;
    if matches!(signed.bearer.role, Role::Supervisor | Role::Admin)
        || record.end.and_then(|end| end.operator).is_some_and(|last| last == *user)
    {
        return Ok(());
    }
    let events = front.store.list_call_events(call).await?;
    if events.iter().any(|event| talked(event, user)) || is_voicemail(&events) {
        Ok(())
    } else {
        let detail = "Operators may listen to calls that they took and to voicemails, supervisors to all.";
        Err(Problem::forbidden("recording.not_yours", detail))
    }
}

/// The caller came to talk with this operator.
fn talked(event: &CallEventRecord, user: &UserId) -> bool {
    event.kind == "talking" && event.body.get("user").and_then(Value::as_str) == Some(user.as_str())
}

/// The caller spoke to nobody but the house: a message, which every operator may read and hear.
fn is_voicemail(events: &[CallEventRecord]) -> bool {
    let has = |kind: &str| events.iter().any(|event| event.kind == kind);
    has("voicemail_begun") && !has("talking")
}

/// Whose words the call's record says were recorded. Recordings of before this was said are of everybody.
fn recorded_legs(events: &[CallEventRecord]) -> RecordedLegs {
    let on = events.iter().filter(|e| e.kind == "recording_changed" && e.body.get("state") == Some(&Value::from("on")));
    let legs = on.map(|e| e.body.get("legs").and_then(|legs| RecordedLegs::deserialize(legs).ok()).unwrap_or_default());
    legs.reduce(RecordedLegs::or).unwrap_or_default()
}

async fn open(front: &Front, call: &CallId) -> Result<Recorded, Problem> {
    let (recordings, call) = (front.recordings.clone(), call.clone());
    let opened = spawn_blocking(move || recordings.open(&call)).await;
    Ok(opened.map_err(|_| Problem::fault())??)
}

/// What is recorded of a call.
#[utoipa::path(get, path = "/api/v1/calls/{id}/recording/figures", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)),
    responses((status = OK, body = RecordingView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn figures(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(call): Id<CallId>,
) -> Result<Json<RecordingView>, Problem> {
    permit(&front, &signed, &call).await?;
    let recorded = open(&front, &call).await?;
    let legs = recorded_legs(&front.store.list_call_events(&call).await?);
    Ok(Json(RecordingView {
        started_at: recorded.started_at(),
        figures: recorded.figures(),
        marks: recorded.marks().to_vec(),
        complete: recorded.is_complete(),
        legs,
    }))
}

/// The wave form of a call's recording.
#[utoipa::path(get, path = "/api/v1/calls/{id}/recording/peaks", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path)),
    responses((status = OK, body = WaveView), (status = FORBIDDEN, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn peaks(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(call): Id<CallId>,
) -> Result<Json<WaveView>, Problem> {
    permit(&front, &signed, &call).await?;
    let legs = recorded_legs(&front.store.list_call_events(&call).await?);
    let (recordings, of) = (front.recordings.clone(), call);
    let peaks = spawn_blocking(move || recordings.peaks(&of)).await;
    Ok(Json(WaveView { peaks: (*peaks.map_err(|_| Problem::fault())??).clone(), legs }))
}

/// A call's recording as WAV, the caller left, our side right. That I listen goes on the call's record.
#[utoipa::path(get, path = "/api/v1/calls/{id}/recording", tag = "calls", security(("bearer" = [])),
    params(("id" = CallId, Path), ("Range" = Option<String>, Header, description = "One range of bytes.")),
    responses((status = OK, content_type = "audio/wav", body = [u8]),
        (status = PARTIAL_CONTENT, content_type = "audio/wav", body = [u8]),
        (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody), (status = RANGE_NOT_SATISFIABLE, body = ProblemBody),
        (status = SERVICE_UNAVAILABLE, body = ProblemBody)))]
pub async fn listen(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(call): Id<CallId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    permit(&front, &signed, &call).await?;
    play(&front, &signed, call, &headers).await
}

/// Gives a recording to whoever may hear it, all or the part that they ask for, once that they listen is on record.
pub(super) async fn play(
    front: &Front,
    signed: &Signed,
    call: CallId,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let asked = headers.get(header::RANGE).and_then(|range| range.to_str().ok()).map(str::to_owned);
    let (recordings, of) = (front.recordings.clone(), call.clone());
    let found = spawn_blocking(move || find(&recordings, &of, asked.as_deref())).await;
    let (wav, whole) = match found.map_err(|_| Problem::fault())?? {
        Found::Part(wav, whole) => (wav, whole),
        Found::Nothing(whole) => {
            let detail = format!("The recording has {whole} bytes.");
            let status = StatusCode::RANGE_NOT_SATISFIABLE;
            let problem = Problem::new(status, "range", "No such part", detail).into_response();
            return Ok(([(header::CONTENT_RANGE, format!("bytes */{whole}"))], problem).into_response());
        }
    };
    audit::reads(front, signed, Act::RecordingHeard, &call).await?;
    if !front.desk.listened(call.clone(), signed.bearer.user.clone()).await {
        let detail =
            "That you listen cannot be put on the call's record now, so nothing is played: try again in a while.";
        return Err(Problem::unavailable("recording.not_on_record", detail));
    }
    let name = format!("inline; filename=\"{call}.wav\"");
    let fixed = [
        (header::CONTENT_TYPE, "audio/wav".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    let part = wav.is_part.then(|| format!("bytes {}-{}/{whole}", wav.left.start, wav.left.end - 1));
    let body = axum::body::Body::new(wav);
    Ok(match part {
        None => (fixed, body).into_response(),
        Some(part) => (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, part)], fixed, body).into_response(),
    })
}

/// What was asked for.
enum Found {
    /// It, and how many octets the whole has.
    Part(Wav, u64),
    /// There is no such part of so many octets.
    Nothing(u64),
}

/// Finds what was asked for, all or a range, and sees to it that the answer can begin.
fn find(recordings: &Recordings, call: &CallId, asked: Option<&str>) -> Result<Found, RecordingError> {
    let sound = recordings.open_sound(call)?;
    let whole = sound.wav_len();
    let range = match asked.and_then(|asked| parse_range(asked, whole)) {
        Some(None) => return Ok(Found::Nothing(whole)),
        Some(Some(range)) => Some(range),
        None => None,
    };
    let is_part = range.is_some();
    let left = range.unwrap_or(0..whole);
    // Also a player that begins at the beginning asks for a range.
    let sound = if left == (0..whole) { Recorded::look(sound)?.into() } else { sound };
    let first = sound.wav(left.clone())?;
    Ok(Found::Part(Wav { sound: Arc::new(sound), left, is_part, first: Some(first), reading: None }, whole))
}

/// One range of bytes (RFC 9110 §14.1.2). `None`: to be ignored; `Some(None)`: there is no such part.
fn parse_range(text: &str, whole: u64) -> Option<Option<Range<u64>>> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let range = match (from.parse::<u64>().ok(), to.parse::<u64>().ok()) {
        (Some(from), Some(to)) if from <= to => from..to.saturating_add(1).min(whole),
        (Some(from), None) if to.is_empty() => from..whole,
        (None, Some(last)) if from.is_empty() => whole.saturating_sub(last)..whole,
        _ => return None,
    };
    Some((!range.is_empty()).then_some(range))
}

/// What one read gives.
type Part = Result<Vec<u8>, RecordingError>;

/// A body that reads a recording as it is sent, a second at a time, off the threads that serve.
struct Wav {
    sound: Arc<Sound>,
    left: Range<u64>,
    /// It was asked for as a range.
    is_part: bool,
    /// Read beforehand.
    first: Option<Vec<u8>>,
    reading: Option<JoinHandle<Part>>,
}

impl Body for Wav {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(first) = self.first.take() {
            self.left.start += first.len() as u64;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from(first)))));
        }
        let (sound, range) = (Arc::clone(&self.sound), self.left.clone());
        let reading = self.reading.get_or_insert_with(|| spawn_blocking(move || sound.wav(range)));
        let read = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        Poll::Ready(Some(match read {
            Ok(Ok(part)) if !part.is_empty() => {
                self.left.start += part.len() as u64;
                Ok(Frame::data(Bytes::from(part)))
            }
            Ok(Ok(_)) => Err("the recording became shorter while it was read".into()),
            Ok(Err(error)) => Err(error.into()),
            Err(error) => Err(error.into()),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.end.saturating_sub(self.left.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_means_them() {
        assert_eq!(parse_range("bytes=0-43", 1_000), Some(Some(0..44)));
        assert_eq!(parse_range("bytes=900-", 1_000), Some(Some(900..1_000)));
        assert_eq!(parse_range("bytes=900-5000", 1_000), Some(Some(900..1_000)));
        assert_eq!(parse_range("bytes=-100", 1_000), Some(Some(900..1_000)));
        assert_eq!(parse_range("bytes=-5000", 1_000), Some(Some(0..1_000)));
        assert_eq!(parse_range("bytes=1000-", 1_000), Some(None));
        assert_eq!(parse_range("bytes=-0", 1_000), Some(None));
        for ignored in ["bytes=9-1", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes=-"] {
            assert_eq!(parse_range(ignored, 1_000), None, "{ignored}");
        }
    }
}
