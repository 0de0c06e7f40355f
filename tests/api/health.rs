//! Life signs.

use std::sync::atomic::Ordering;

use axum::http::StatusCode;

use crate::support::House;

#[tokio::test]
async fn it_is_ready_until_it_drains_or_loses_its_store() {
    let house = House::new().await;
    assert_eq!(house.fetch("/livez", "").await.status, StatusCode::OK);
    assert_eq!(house.fetch("/readyz", "").await.status, StatusCode::OK);
    assert_eq!(house.fetch("/metrics", "").await.status, StatusCode::OK);
    house.front.draining.store(true, Ordering::Relaxed);
    assert_eq!(house.fetch("/readyz", "").await.problem(), "health.draining");
    house.front.draining.store(false, Ordering::Relaxed);
    house.store.close().await;
    assert_eq!(house.fetch("/readyz", "").await.problem(), "health.store");
    assert_eq!(house.fetch("/livez", "").await.status, StatusCode::OK);
}
