//! Who may look: on loopback everybody, unless a token is set; elsewhere who knows the token.

use super::App;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Lets a request pass that knows the token: `Authorization: Bearer TOKEN`, or the password of Basic, for browsers.
pub async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(token) = &app.secrets.token else { return next.run(request).await };
    let offered = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(offered);
    if offered.is_some_and(|offered| token.is(&offered)) {
        return next.run(request).await;
    }
    let mut response = (StatusCode::UNAUTHORIZED, "a token is needed\n").into_response();
    let ask = HeaderValue::from_static("Basic realm=\"upheaval probe\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
    response
}

fn offered(header: &str) -> Option<String> {
    let (scheme, rest) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(base64(rest.trim())?).ok()?;
    Some(text.split_once(':')?.1.to_owned())
}

/// Decodes Base64.
fn base64(text: &str) -> Option<Vec<u8>> {
    let value = |byte: u8| -> Option<u32> {
        let at = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        Some(u32::from(at))
    };
    let mut out = Vec::new();
    for group in text.trim_end_matches('=').as_bytes().chunks(4) {
        let mut bits = 0;
        for &byte in group {
            bits = bits << 6 | value(byte)?;
        }
        bits <<= 6 * (4 - group.len());
        out.extend_from_slice(&bits.to_be_bytes()[1..][..group.len() * 6 / 8]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_two_ways() {
        assert_eq!(offered("Bearer hunter2").as_deref(), Some("hunter2"));
        assert_eq!(offered("basic dXNlcjpodW50ZXIy").as_deref(), Some("hunter2"));
        assert_eq!(offered("Basic OmE=").as_deref(), Some("a"));
        for bad in ["", "Basic", "Basic !!!", "Basic dXNlcg==", "Digest x"] {
            assert_eq!(offered(bad), None, "{bad}");
        }
    }
}
