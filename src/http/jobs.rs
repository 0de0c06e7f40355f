//! Jobs: calls that dispatches ask operators to make. Which there are, taking one, and saying what came of it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, AttemptId, CallId, DispatchId, MessageId, UserId};
use crate::domain::dispatch::job::JobOutcome;
use crate::domain::message::form::FieldError;
use crate::engine::calls::Command;
use crate::engine::dispatcher::{Decided, to_its_end};
use crate::engine::feed::UserRef;

use super::auth::Operator;
use super::calls;
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id};
use super::state::{Front, NotNow};

/// Jobs listed at most.
const MOST: u32 = 500;
/// Longest name, in characters.
const MAX_CHARS: usize = 100;

/// Jobs that are to be done, oldest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct JobList {
    items: Vec<JobLine>,
}

/// A call that an operator is to make.
#[derive(Serialize, utoipa::ToSchema)]
pub struct JobLine {
    attempt: AttemptId,
    dispatch: DispatchId,
    message: MessageId,
    account: AccountId,
    offered_at: UtcMs,
    /// By then somebody should have taken it, or have said what came of it.
    due_at: UtcMs,
    /// Who has it.
    taken_by: Option<UserId>,
    taken_at: Option<UtcMs>,
}

/// Calls that operators are to make.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", security(("bearer" = [])),
    responses((status = OK, body = JobList), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn list(State(front): State<Front>, _by: Operator) -> Result<Json<JobList>, Problem> {
    let jobs = front.store.list_open_jobs(MOST).await?;
    let items = jobs.into_iter().map(|job| JobLine {
        attempt: job.attempt,
        dispatch: job.dispatch,
        message: job.message,
        account: job.account,
        offered_at: job.offered_at,
        due_at: job.due_at,
        taken_by: job.taken_by,
        taken_at: job.taken_at,
    });
    Ok(Json(JobList { items: items.collect() }))
}

/// Says what came of a job of mine, while I talk or after. The dispatch goes on by it.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/outcome", tag = "jobs", security(("bearer" = [])),
    params(("id" = AttemptId, Path)), request_body = JobOutcome,
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn finish(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(attempt): Id<AttemptId>,
    Body(outcome): Body<JobOutcome>,
) -> Result<StatusCode, Problem> {
    let outcome = with_name(outcome)?;
    let user = signed.user();
    // Once the dispatcher knows it, her call has to: she could say it to nobody any more.
    to_its_end(async move { finish_now(&front, &attempt, &user, outcome).await }).await
}

async fn finish_now(
    front: &Front,
    attempt: &AttemptId,
    user: &UserRef,
    outcome: JobOutcome,
) -> Result<StatusCode, Problem> {
    let word = outcome.name();
    match front.dispatcher.finish_job(attempt, user, outcome).await? {
        Decided::Changed => {
            metrics::counter!("cordboard_jobs_done_total", "outcome" => word).increment(1);
            front.desk.settle_job(attempt, word);
            Ok(StatusCode::NO_CONTENT)
        }
        Decided::Unchanged => Err(not_yours()),
        Decided::NotFound => Err(Problem::not_found("job")),
    }
}

/// Gives a job of mine back: another operator is asked.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/give_back", tag = "jobs", security(("bearer" = [])),
    params(("id" = AttemptId, Path)),
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn give_back(
    State(front): State<Front>,
    Operator(signed): Operator,
    Id(attempt): Id<AttemptId>,
) -> Result<StatusCode, Problem> {
    match front.dispatcher.free_job(&attempt, &signed.bearer.user).await? {
        Decided::Changed => {
            front.desk.give_back_job(&attempt);
            Ok(StatusCode::NO_CONTENT)
        }
        Decided::Unchanged => Err(not_yours()),
        Decided::NotFound => Err(Problem::not_found("job")),
    }
}

/// Has an operator take a call: a job is theirs for the dispatcher first, so that the machine does not call as well. To its
/// end, also if who asks for it goes away: nobody else can have the job between the two.
pub(super) async fn take(front: &Front, call: CallId, by: &Operator) -> Result<(), Problem> {
    let (front, user) = (front.clone(), by.0.user());
    to_its_end(async move { take_now(&front, call, user).await }).await
}

async fn take_now(front: &Front, call: CallId, user: UserRef) -> Result<(), Problem> {
    let job = front.desk.job_of(&call);
    if let Some(attempt) = &job
        && !front.dispatcher.take_job(attempt, &user).await?
    {
        return Err(Problem::conflict("job.gone", "Another has this job, or it is no longer to be done."));
    }
    let taken = front.desk.command(call.clone(), user.id.clone(), Command::Take).await;
    if let Err(NotNow(why)) = taken {
        if let Some(attempt) = &job {
            front.dispatcher.free_job(attempt, &user.id).await?;
        }
        return Err(calls::not_taken(front, &call, &user, why).await);
    }
    Ok(())
}

fn not_yours() -> Problem {
    Problem::conflict("job.not_yours", "You do not have this job, or it is done.")
}

/// The outcome with its name as it is written down.
fn with_name(outcome: JobOutcome) -> Result<JobOutcome, Problem> {
    let checked = |name: String| {
        let name = name.trim();
        let (code, message) = if name.is_empty() {
            ("required", "Say who it was.")
        } else if name.chars().count() > MAX_CHARS {
            ("too_long", "Too long: 100 characters at most.")
        } else {
            return Ok(name.to_owned());
        };
        let error = FieldError::new("name", code, message);
        Err(Problem::invalid("job.invalid", message, vec![error]))
    };
    Ok(match outcome {
        JobOutcome::Told { name } => JobOutcome::Told { name: checked(name)? },
        JobOutcome::Confirmed { name } => JobOutcome::Confirmed { name: checked(name)? },
        JobOutcome::LeftWith { name } => JobOutcome::LeftWith { name: checked(name)? },
        other => other,
    })
}
