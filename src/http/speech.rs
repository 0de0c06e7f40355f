//! What callers hear, for those who write it: recordings uploaded, and any words listened to before they are saved.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::domain::account::Speech;
use crate::domain::account::edit::MAX_SPEECH;
use crate::domain::account::fault::Fault;
use crate::io::speech::{MAX_UPLOAD_BYTES, SpeechError};

use super::auth::Supervisor;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, read_body};
use super::state::Front;

/// A recording that was kept.
#[derive(Serialize, utoipa::ToSchema)]
pub struct KeptRecording {
    /// Say this where the recording is to be heard.
    speech: Speech,
    millis: u64,
}

/// Keeps a recording: a WAV file (PCM, 8 to 48 kHz, five minutes at most), turned into what telephones play. It is heard once an
/// account names it.
#[utoipa::path(post, path = "/api/v1/speech/recordings", tag = "accounts", security(("bearer" = [])),
    request_body(content = [u8], content_type = "audio/wav"),
    responses((status = CREATED, body = KeptRecording), (status = FORBIDDEN, body = ProblemBody),
        (status = PAYLOAD_TOO_LARGE, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn upload(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    request: Request,
) -> Result<(StatusCode, Json<KeptRecording>), Problem> {
    let body = read_body(request, MAX_UPLOAD_BYTES).await?;
    let kept = front.voice.keep_upload(body).await.map_err(refuse)?;
    tracing::info!(user = %signed.bearer.user, millis = kept.millis, "a recording was uploaded");
    let speech = Speech::Uploaded { recording: kept.recording };
    Ok((StatusCode::CREATED, Json(KeptRecording { speech, millis: kept.millis })))
}

/// What callers would hear, as WAV.
#[utoipa::path(post, path = "/api/v1/speech/listen", tag = "accounts", security(("bearer" = [])), request_body = Speech,
    responses((status = OK, content_type = "audio/wav", body = [u8]), (status = FORBIDDEN, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn listen(
    State(front): State<Front>,
    _by: Supervisor,
    Body(speech): Body<Speech>,
) -> Result<Response, Problem> {
    if let Speech::Spoken { text } = &speech {
        if text.trim().is_empty() {
            return Err(fault("speech.text_missing", "There is nothing to say.".into(), "Write it."));
        }
        // As much as an account may have said.
        if text.chars().count() > MAX_SPEECH {
            let cure = format!("Write {MAX_SPEECH} characters at most.");
            return Err(fault("speech.text_too_long", "That is too long to be spoken.".into(), &cure));
        }
    }
    let wav = front.voice.wav(&speech).await.map_err(refuse)?;
    Ok(([(header::CONTENT_TYPE, "audio/wav")], wav).into_response())
}

fn fault(code: &'static str, detail: String, cure: &str) -> Problem {
    let fault = Fault { pointer: String::new(), code: code.into(), detail, cure: cure.to_owned() };
    Problem::faulty(code, vec![fault])
}

pub(super) fn refuse(error: SpeechError) -> Problem {
    match error {
        SpeechError::Upload(why) => {
            fault("speech.upload", format!("The recording cannot be used: {why}."), "Upload another.")
        }
        SpeechError::Prompt(_) => {
            fault("speech.no_recording", "There is no such recording.".into(), "Upload it again.")
        }
        SpeechError::Engine(why) => {
            tracing::warn!("the voice engine fails: {why}");
            let detail = "The voice engine cannot say it; the log has the reason.".into();
            fault("speech.no_voice", detail, "See to the voice engine, or upload a recording.")
        }
        SpeechError::Cache(path, why) => {
            tracing::error!(path = %path.display(), %why, "a recording cannot be kept");
            Problem::fault()
        }
    }
}
