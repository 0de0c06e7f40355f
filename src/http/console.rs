//! The console's bundle, built by `make console` into `console/dist` and embedded. Names carry no hash, so
//! every file has an ETag and is asked for again; a path that is no file is one of the console's own pages.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_embed::RustEmbed;

use super::error::Problem;
use super::state::Front;

// If this fails to build, the bundle is missing: `make console` makes it.
#[derive(RustEmbed)]
#[folder = "console/dist/"]
struct Bundle;

/// No inline script or style, nothing from elsewhere. What Svelte styles it sets by script, which is no inline
/// style.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; media-src 'self' blob:; connect-src 'self'; font-src 'self'; object-src 'none'; \
    base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// Serves the bundle for every path that no route takes.
pub async fn serve(State(front): State<Front>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") || path.starts_with("hooks/") {
        return Problem::not_found("route").into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Not here", "This path is only read.")
            .into_response();
    }
    let page = match path {
        _ if path == "sandbox" || path.starts_with("sandbox/") || path == "sandbox.html" => {
            if !front.settings.sandbox {
                return Problem::not_found("page").into_response();
            }
            "sandbox.html"
        }
        _ if path == "inbox" || path.starts_with("inbox/") => "inbox.html",
        _ if path == "portal" || path.starts_with("portal/") => "portal.html",
        // A file has an ending; a page of the console has none.
        _ if path.rsplit('/').next().is_some_and(|name| name.contains('.')) => path,
        _ => "index.html",
    };
    let Some(file) = Bundle::get(page) else {
        if page == "index.html" {
            return Problem::unavailable("console.missing", "The console was not built: run `make console`.")
                .into_response();
        }
        return Problem::not_found("file").into_response();
    };
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&file.metadata.sha256_hash()[..18]));
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    let unchanged = known.flat_map(|v| v.split(',')).any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
    });
    let mut response =
        if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { file.data.into_owned().into_response() };
    let kind = HeaderValue::from_str(&with_charset(file.metadata.mimetype()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::ETAG, HeaderValue::from_str(&etag).expect("base64 in quotes is a header value"));
    response
}

fn with_charset(kind: &str) -> String {
    let text = kind.starts_with("text/") || kind.ends_with("javascript");
    if text { format!("{kind}; charset=utf-8") } else { kind.to_owned() }
}
