//! What handlers take from a request, and the problem each gives when it is not there: JSON bodies, query
//! parameters, identifiers in the path, idempotency keys, and the address of whoever asks.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::Problem;
use super::state::Front;

/// A JSON body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Front> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, front: &Front) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, front).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "body.not_json",
                "The request cannot be read",
                "Send the body as application/json.",
            )),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
            Err(JsonRejection::JsonDataError(e)) => Err(Problem::malformed("body.invalid", e.body_text())),
            Err(rejection) => Err(Problem::malformed("body.malformed", rejection.body_text())),
        }
    }
}

/// 413: more than is taken.
pub fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body.too_large",
        "Too large",
        format!("A body has {} KiB at most.", super::router::MAX_BODY_BYTES / 1_024),
    )
}

/// Query parameters.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Front> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let Query(params) = Query::<T>::from_request_parts(parts, front)
            .await
            .map_err(|e| Problem::malformed("query.invalid", e.body_text()))?;
        Ok(Self(params))
    }
}

/// The identifier in the path.
pub struct Id<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Front> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, front).await {
            Ok(Path(id)) => Ok(Self(id)),
            // A text that is no identifier names nothing.
            Err(_) => Err(Problem::not_found("thing")),
        }
    }
}

/// The `Idempotency-Key` header, if there is one: a request sent again with it has one effect.
pub struct IdempotencyKey(pub Option<String>);

impl FromRequestParts<Front> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _front: &Front) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        match value.to_str() {
            Ok(key) if (1..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(Self(Some(key.to_owned())))
            }
            _ => Err(Problem::malformed("idempotency.key_invalid", "Idempotency-Key: 1 to 128 printable characters.")),
        }
    }
}

/// Marks a request that came over TLS of our own.
#[derive(Clone, Copy, Debug)]
pub struct OverTls;

/// Who is at the other end of the connection.
fn direct(parts: &Parts) -> SocketAddr {
    let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    info.map_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |ConnectInfo(peer)| *peer)
}

fn is_proxy(front: &Front, ip: IpAddr) -> bool {
    front.settings.proxies.iter().any(|proxy| proxy.contains(ip.to_canonical()))
}

/// Who asks: the peer's address, or what our proxy says it is.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

impl FromRequestParts<Front> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Self::Rejection> {
        let direct = direct(parts);
        if !is_proxy(front, direct.ip()) {
            return Ok(Self(direct));
        }
        // The last entry is the one our own proxy added; those before it are the client's word.
        let told = parts.headers.get_all("x-forwarded-for").iter().next_back();
        let told = told.and_then(|v| v.to_str().ok()).and_then(|v| v.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
        Ok(Self(told.map_or(direct, |ip| SocketAddr::new(ip, direct.port()))))
    }
}

/// Whether the client speaks TLS: to us, as our proxy says, or else as the configured public address does.
#[derive(Clone, Copy, Debug)]
pub struct Secure(pub bool);

impl FromRequestParts<Front> for Secure {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Self::Rejection> {
        if parts.extensions.get::<OverTls>().is_some() {
            return Ok(Self(true));
        }
        let header = |name| parts.headers.get(name).and_then(|v| v.to_str().ok());
        if is_proxy(front, direct(parts).ip())
            && let Some(scheme) = header("x-forwarded-proto")
        {
            return Ok(Self(scheme.eq_ignore_ascii_case("https")));
        }
        let host = header("host").unwrap_or_default();
        let public = front.settings.public_url.strip_prefix("https://");
        Ok(Self(public.is_some_and(|public| public.trim_end_matches('/') == host)))
    }
}
