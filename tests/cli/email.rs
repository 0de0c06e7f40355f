//! `cordboard check` on email: the record to publish for each key, and what would not work.

use std::process::Command;

use super::temp::TempDir;
use super::{cordboard, said, whole, write};

fn key(directory: &TempDir, name: &str, arguments: &[&str]) {
    let path = directory.path().join(name);
    let made =
        Command::new("openssl").arg("genpkey").args(arguments).arg("-out").arg(path).output().expect("openssl runs");
    assert!(made.status.success(), "{}", said(&made));
}

#[test]
fn the_records_that_dns_must_have_are_printed() {
    let directory = TempDir::new("cli-email");
    key(&directory, "rsa.key", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
    key(&directory, "ed.key", &["-algorithm", "ed25519"]);
    let email = r#"
[email]
host = "smtp.example.com"
from = "Night Desk <desk@mail.example.com>"
[[email.dkim]]
domain = "example.com"
selector = "one"
key_file = "rsa.key"
[[email.dkim]]
domain = "mail.example.com"
selector = "two"
key_file = "ed.key"
[mail_in]
bind = "127.0.0.1:0"
domain = "desk.example.com"
name = "mx.example.com"
"#;
    write(directory.path(), "cordboard.toml", &format!("{}{email}", whole()));
    let output = cordboard(directory.path(), &["check", "--config", "cordboard.toml"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("one._domainkey.example.com. IN TXT \"v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"),
        "{said}"
    );
    assert!(said.contains("two._domainkey.mail.example.com. IN TXT \"v=DKIM1; k=ed25519; p="), "{said}");
    assert!(said.contains("desk.example.com. IN MX 10 mx.example.com."), "{said}");
    // The public half that openssl sees is the one that is published.
    let key = directory.path().join("rsa.key");
    let public = Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(key).output().expect("openssl runs");
    let public: String =
        String::from_utf8_lossy(&public.stdout).lines().filter(|line| !line.starts_with('-')).collect();
    assert!(said.replace("\" \"", "").contains(&format!("p={public}\"")), "{said}\n{public}");
}

#[test]
fn what_would_not_work_is_told_with_its_line() {
    let directory = TempDir::new("cli-email");
    key(&directory, "short.key", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]);
    key(&directory, "ed.key", &["-algorithm", "ed25519"]);
    let check = |email: &str| {
        write(directory.path(), "cordboard.toml", &format!("{}{email}", whole()));
        let output = cordboard(directory.path(), &["check", "--config", "cordboard.toml"]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        said(&output)
    };
    let base = "[email]\nhost = \"smtp.example.com\"\nfrom = \"desk@example.com\"\n";
    let dkim = |domain: &str, file: &str| {
        format!("{base}[[email.dkim]]\ndomain = \"{domain}\"\nselector = \"s\"\nkey_file = \"{file}\"\n")
    };
    for (email, expected) in [
        (dkim("example.com", "short.key"), "short.key: its RSA key has 1024 bits, and receivers ask for 2048"),
        (dkim("example.com", "nowhere.key"), "nowhere.key: it cannot be read"),
        (dkim("example.com", "cordboard.toml"), "it holds no private key of RSA or Ed25519 in PEM"),
        (dkim("other.example", "ed.key"), "`domain` is other.example, and mail comes from example.com"),
        (dkim("ample.com", "ed.key"), "`domain` is ample.com, and mail comes from example.com"),
        (format!("{base}tls = \"off\"\n"), "`tls = \"off\"` sends messages over the network in the clear"),
        (format!("{base}[[email.dkim]]\n"), "[[email.dkim]]: `selector` is missing"),
        (
            "[mail_in]\nbind = \"127.0.0.1:0\"\ndomain = \"desk.example.com\"\n".into(),
            "[mail_in]: only what answers an email of ours comes in",
        ),
        (format!("{base}[mail_in]\nbind = \"25\"\n"), "[mail_in]: `domain` is missing"),
        (
            format!("{base}[mail_in]\nbind = \"127.0.0.1:0\"\ndomain = \"desk.example.com\"\nmax_size_mb = 500\n"),
            "`max_size_mb` is not a whole number from 1 to 50",
        ),
    ] {
        let said = check(&email);
        assert!(said.contains(expected), "missing: {expected}\nsaid:\n{said}");
    }
}
