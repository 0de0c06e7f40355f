//! The figures of a client's account by day, and the same as CSV.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::guard::{PortalClient, needs};
use crate::base::id::AccountId;
use crate::domain::portal::usage::{Day, MAX_DAYS, Span, SpanFault};
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::Params;
use crate::http::state::Front;

/// Ends of dispatches, in the order of the columns.
const ENDS: [&str; 9] = [
    "confirmed",
    "told",
    "delivered",
    "patched",
    "recapped",
    "read_at_check_in",
    "closed_by_operator",
    "cancelled",
    "open",
];

/// Which days, by the account's clock.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `2026-03-01`. Left out: six days before `to`.
    from: Option<String>,
    /// Left out: today.
    to: Option<String>,
}

/// Figures by day.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Report {
    from: String,
    to: String,
    zone: String,
    days: Vec<Day>,
    total: Day,
}

async fn read(front: &Front, client: &PortalClient<needs::Reports>, which: &Which) -> Result<Report, Problem> {
    let zone = front.store.find_account_zone(&client.account).await?.ok_or_else(|| Problem::not_found("account"))?;
    let span = Span::read(which.from.as_deref(), which.to.as_deref(), &zone, front.clock.utc());
    let span = span.map_err(|fault| {
        let detail = match fault {
            SpanFault::NoDate => "`from` and `to` are days: 2026-03-01.".to_owned(),
            SpanFault::Backwards => "`from` comes after `to`: turn them round.".to_owned(),
            SpanFault::TooLong => format!("{MAX_DAYS} days at most: ask for fewer."),
        };
        Problem::malformed("query.invalid", detail)
    })?;
    let (from_at, until) = span.bounds();
    let (days, total) = span.count(&front.store.list_usage(&client.account, from_at, until).await?);
    Ok(Report { from: span.from.to_string(), to: span.to.to_string(), zone, days, total })
}

/// Figures of my account, day by day.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/report", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path), Which),
    responses((status = OK, body = Report), (status = BAD_REQUEST, body = ProblemBody),
        (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn show(
    State(front): State<Front>,
    client: PortalClient<needs::Reports>,
    Params(which): Params<Which>,
) -> Result<Json<Report>, Problem> {
    Ok(Json(read(&front, &client, &which).await?))
}

/// The same as CSV, a line for each day.
#[utoipa::path(get, path = "/api/v1/portal/accounts/{account}/report.csv", tag = "portal", security(("bearer" = [])),
    params(("account" = AccountId, Path), Which),
    responses((status = OK, content_type = "text/csv", body = String), (status = BAD_REQUEST, body = ProblemBody),
        (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody)))]
pub async fn csv(
    State(front): State<Front>,
    client: PortalClient<needs::Reports>,
    Params(which): Params<Which>,
) -> Result<Response, Problem> {
    let report = read(&front, &client, &which).await?;
    let name = format!("attachment; filename=\"report-{}-{}.csv\"", report.from, report.to);
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, as_csv(&report.days)).into_response())
}

/// Words and numbers of our own alone, so that nothing of it needs quoting (RFC 4180 §2).
fn as_csv(days: &[Day]) -> String {
    let mut text = format!(
        "date,calls,answered,abandoned,messages,{},wait_median_s,wait_p90_s,delivery_median_s,delivery_p90_s,patch_minutes\r\n",
        ENDS.join(",")
    );
    let secs = |ms: Option<i64>| ms.map(|ms| format!("{:.1}", ms as f64 / 1_000.0)).unwrap_or_default();
    for day in days {
        let ends = ENDS.map(|end| day.dispatches.get(end).copied().unwrap_or(0).to_string()).join(",");
        text.push_str(&format!(
            "{},{},{},{},{},{ends},{},{},{},{},{:.1}\r\n",
            day.date.as_deref().unwrap_or_default(),
            day.calls,
            day.answered,
            day.abandoned,
            day.messages,
            secs(day.wait_median_ms),
            secs(day.wait_p90_ms),
            secs(day.delivery_median_ms),
            secs(day.delivery_p90_ms),
            day.patch_ms as f64 / 60_000.0
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_as_many_columns_as_the_first() {
        let mut day = Day::default();
        (day.date, day.calls, day.patch_ms) = (Some("2026-03-07".into()), 3, 90_000);
        day.wait_median_ms = Some(4_250);
        day.dispatches.insert("confirmed".into(), 2);
        let text = as_csv(&[day, Day::default()]);
        let lines: Vec<&str> = text.lines().collect();
        let columns: Vec<usize> = lines.iter().map(|line| line.split(',').count()).collect();
        assert_eq!(columns, [19, 19, 19]);
        assert!(lines[1].starts_with("2026-03-07,3,0,0,0,2,0,"), "{text}");
        assert!(lines[1].ends_with(",4.2,,,,1.5") || lines[1].ends_with(",4.3,,,,1.5"), "{text}");
    }
}
