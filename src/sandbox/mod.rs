//! The demo's carrier and phones. Reaches the rest only from outside: SIP, RTP, SMTP, HTTP.
