//! What an answering service does. Pure: no tokio, sqlx, axum, sockets or `now()`; never names `proto`.
//!
//! Outside failure is data (an outcome, a cause), not an error. In the order a call meets them:

pub mod account;
pub mod alarm;
pub mod call;
pub mod checkin;
pub mod dictation;
pub mod dispatch;
pub mod figures;
pub mod ivr;
pub mod message;
pub mod oncall;
pub mod operator;
pub mod portal;
pub mod queue;
pub mod recap;
pub mod trunk;
