//! `cordboard user add`: adds somebody who signs in.

use std::io::Read as _;

use clap::{Args, Subcommand, ValueEnum};
use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::base::id::UserId;
use cordboard::io::store::Store;
use cordboard::io::store::users::{HashedPassword, Role, User};
use secrecy::{ExposeSecret as _, SecretString};

use super::{ConfigFile, Failure, block_on};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a user. Prints a password unless one comes on standard input.
    Add(Add),
}

#[derive(Debug, Args)]
pub struct Add {
    /// What they type to sign in: letters, digits, dots, hyphens, underscores.
    login: String,
    /// What others see; the login unless given.
    #[arg(long)]
    name: Option<String>,
    /// What they may do.
    #[arg(long, value_enum, default_value = "operator")]
    role: RoleName,
    /// Read the password from standard input, one line.
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleName {
    Admin,
    Supervisor,
    Operator,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Admin => Self::Admin,
            RoleName::Supervisor => Self::Supervisor,
            RoleName::Operator => Self::Operator,
        }
    }
}

pub fn run(command: &Command) -> Result<(), Failure> {
    let Command::Add(add) = command;
    let config = add.file.load()?;
    let (password, made) = if add.password_stdin {
        let mut text = String::new();
        std::io::stdin().take(1_024).read_to_string(&mut text)?;
        (SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()), false)
    } else {
        (SecretString::from(made_up()), true)
    };
    let now = SystemClock.utc();
    let user = User {
        id: UserId::fresh(now),
        login: add.login.clone(),
        name: add.name.clone().unwrap_or_else(|| add.login.clone()),
        role: add.role.into(),
        disabled: false,
    };
    block_on(async {
        let store = Store::open(&config.store, now).await?;
        let hashed = HashedPassword::of(password.clone()).await?;
        let mut tx = store.write().await?;
        if tx.find_user_by_login(&user.login).await?.is_some() {
            return Err(format!("there is a user \"{}\" already", user.login).into());
        }
        tx.insert_user(&user, &hashed, now).await?;
        tx.commit("add_user").await?;
        store.close().await;
        Ok(())
    })?;
    println!("Added {}.", user.login);
    if made {
        println!("Password: {}", password.expose_secret());
    }
    Ok(())
}

/// 100 random bits from the system's own source, in letters and digits that cannot be mistaken.
fn made_up() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let random: [u8; 20] = cordboard::base::rng::secure_bytes();
    random.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}
