//! `cordboard audit verify`: what is said of a log that is whole, and of one that is not.

use cordboard::base::clock::UtcMs;
use cordboard::io::store::{Store, StoreConfig};

use super::temp::TempDir;
use super::{cordboard, said, whole, write};

/// What somebody does who can write the database, and no more.
async fn run_sql(directory: &TempDir, sql: &'static str) {
    let config = StoreConfig::in_directory(&directory.path().join("data"));
    let store = Store::open(&config, UtcMs(0)).await.expect("opens");
    let mut tx = store.write().await.expect("begins");
    tx.execute(sql, Vec::new()).await.expect("is run");
    tx.commit("test").await.expect("commits");
    store.close().await;
}

#[tokio::test]
async fn a_log_that_is_whole_is_told_from_one_that_is_not() {
    let directory = TempDir::new("cli-audit");
    let here = directory.path();
    write(here, "cordboard.toml", &whole());
    let verify = |more: &[&str]| {
        let output = cordboard(here, &[&["audit", "verify"], more].concat());
        (output.status.code(), said(&output))
    };
    assert_eq!(verify(&[]), (Some(0), "The audit log is empty: nothing was read or changed yet.\n".to_owned()));
    for login in ["ada", "kim", "lee"] {
        let added = cordboard(here, &["user", "add", login]);
        assert!(added.status.success(), "{}", said(&added));
    }
    let skilled = cordboard(here, &["user", "skills", "kim", "spanish"]);
    assert!(skilled.status.success(), "{}", said(&skilled));
    let (code, told) = verify(&[]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.starts_with("The audit log is whole: rows 1 to 4.\n"), "{told}");
    let anchor = told.trim_end().rsplit(' ').next().expect("words").to_owned();
    assert!(anchor.starts_with("4:"), "{told}");
    assert_eq!(verify(&["--anchor", &anchor]).0, Some(0));
    assert_eq!(verify(&["--anchor", "4"]).0, Some(2), "asked for wrongly");

    let later = anchor.replacen('4', "9", 1);
    let (code, told) = verify(&["--anchor", &later]);
    assert!(code == Some(1) && told.contains("rows up to 9 were there once"), "{code:?}: {told}");
    // The one that the service keeps is looked at unasked.
    std::fs::write(here.join("data/cordboard.key.audit"), format!("{later}\n")).expect("written");
    let (code, told) = verify(&[]);
    assert!(code == Some(1) && told.contains("delete data/cordboard.key.audit"), "{code:?}: {told}");
    std::fs::remove_file(here.join("data/cordboard.key.audit")).expect("removed");

    run_sql(&directory, "UPDATE audit SET act = 'user.changed' WHERE number = 2").await;
    let (code, told) = verify(&[]);
    assert!(code == Some(1) && told.contains("row 2 is not what was written"), "{code:?}: {told}");
    run_sql(&directory, "DELETE FROM audit WHERE number = 2").await;
    let (code, told) = verify(&[]);
    assert!(code == Some(1) && told.contains("row 2 is missing"), "{code:?}: {told}");
}
