//! What all edges over HTTP have in common: one way to send, and one judgement of what goes wrong before there is an
//! answer. No redirect is ever followed: it would carry a message and our password elsewhere.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, RequestBuilder, StatusCode, redirect};

use super::Delivery;
use super::outside::{Reach, is_inside};
use crate::domain::dispatch::event::Failure;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(15);
/// Its address leads into our own network.
pub(super) const INSIDE: &str = "inside_address";
/// No answer of a provider is longer; what is beyond is not read.
const MAX_ANSWER_BYTES: usize = 64 * 1_024;

/// # Errors
/// A sentence for whoever configures `whom`.
pub(super) fn client(whom: &str) -> Result<Client, String> {
    build(whom, common())
}

/// One for addresses that somebody outside told us: it goes no further than `reach`.
///
/// # Errors
/// A sentence for whoever configures `whom`.
pub(super) fn client_within(whom: &str, reach: Reach) -> Result<Client, String> {
    // A proxy would look names up itself, and reach what we do not.
    build(whom, common().dns_resolver(reach).no_proxy())
}

fn common() -> ClientBuilder {
    // The first one to install it wins; all of ours install the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("cordboard/", env!("CARGO_PKG_VERSION")))
}

fn build(whom: &str, client: ClientBuilder) -> Result<Client, String> {
    client.build().map_err(|_| format!("HTTPS cannot be set up for {whom}"))
}

/// The answer, or what it means that there is none.
pub(super) async fn send(request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), Delivery> {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if is_inside(&error) => return Err(Delivery::failed(Failure::Permanent, INSIDE)),
        // Nothing was sent over a connection that never was.
        Err(error) if error.is_connect() => return Err(Delivery::failed(Failure::Temporary, "no_connection")),
        Err(error) if error.is_timeout() => return Err(Delivery::failed(Failure::Unknown, "timeout")),
        Err(_) => return Err(Delivery::failed(Failure::Unknown, "broken_off")),
    };
    let status = response.status();
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    Ok((status, body))
}

/// What a status without a word of its own means for a delivery that was not taken.
pub(super) fn judge(status: StatusCode, why: String) -> Delivery {
    match status {
        // The proxy in between gave up on an answer: it may have been taken.
        StatusCode::GATEWAY_TIMEOUT => Delivery::failed(Failure::Unknown, why),
        // 429, 5xx, and what is wrong with our own account, which somebody can mend.
        _ => Delivery::failed(Failure::Temporary, why),
    }
}
