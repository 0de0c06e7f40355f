//! What handlers take from a request, and the problem each gives when it is not there: JSON bodies, query
//! parameters, identifiers in the path, idempotency keys, and the address of whoever asks.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;

use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use hyper::body::Body as _;
use serde::de::DeserializeOwned;

use super::error::Problem;
use super::misread;
use super::router::MAX_BODY_BYTES;
use super::state::Front;

/// The most of a body that is too large and is read all the same, so that its sender hears why.
const LINGER: usize = 64 * 1_024 * 1_024;

/// A JSON body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Front> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _front: &Front) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "body.not_json",
                "The request cannot be read",
                "Send the body as application/json.",
            ));
        }
        let bytes = read_body(request, MAX_BODY_BYTES).await?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let body = serde_path_to_error::deserialize(&mut json).map_err(|error| misread::of_body(&error))?;
        let end = json.end();
        end.map_err(|_| Problem::malformed("body.malformed", "After the JSON there is more. Send one value."))?;
        Ok(Self(body))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Reads a body of `most` octets at most. More than that is read to its end and thrown away, within reason: who is still
/// sending when the connection closes never sees the answer (RFC 9112 §9.6).
pub async fn read_body(request: Request, most: usize) -> Result<Vec<u8>, Problem> {
    // Who asks before sending is told before sending (RFC 9110 §10.1.1).
    let told =
        request.headers().get(header::CONTENT_LENGTH).and_then(|octets| octets.to_str().ok()?.parse::<u64>().ok());
    if request.headers().contains_key(header::EXPECT) && told.is_some_and(|octets| octets > most as u64) {
        return Err(too_large(most));
    }
    let mut body = request.into_body();
    let (mut read, mut octets) = (Vec::new(), 0_usize);
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|_| Problem::malformed("body.broken_off", "The body broke off. Send it again."))?;
        let Ok(data) = frame.into_data() else { continue };
        octets = octets.saturating_add(data.len());
        if octets <= most {
            read.extend_from_slice(&data);
        } else if octets > LINGER {
            break;
        } else {
            read = Vec::new();
        }
    }
    if octets > most { Err(too_large(most)) } else { Ok(read) }
}

/// 413: more than the `most` that is taken.
pub fn too_large(most: usize) -> Problem {
    let most = if most < 1_048_576 { format!("{} KiB", most / 1_024) } else { format!("{} MiB", most / 1_048_576) };
    let detail = format!("A body has {most} at most here. Send less.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body.too_large", "Too large", detail)
}

/// Query parameters.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Front> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let Query(params) =
            Query::<T>::from_request_parts(parts, front).await.map_err(|e| misread::of_query(&e.body_text()))?;
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
