//! `cordboard user`: adds somebody who signs in, and says what they can do for callers.

use std::io::Read as _;

use clap::{Args, Subcommand, ValueEnum};
use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::base::id::UserId;
use cordboard::domain::operator::skill::{Skill, Skills};
use cordboard::io::store::Store;
use cordboard::io::store::audit::{Act, Entry, Who};
use cordboard::io::store::users::{HashedPassword, Role, User};
use secrecy::{ExposeSecret as _, SecretString};

use super::out::print_line;
use super::{ConfigFile, Failure, block_on};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a user. Prints a password unless one comes on standard input.
    Add(Add),
    /// Say what a user can do for callers: all of it, in place of what was said before. Counts at once.
    Skills(SetSkills),
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
    /// What they can do for a caller: "spanish", "medical". Can be given several times.
    #[arg(long = "skill", value_name = "SKILL", value_parser = Skill::parse)]
    skills: Vec<Skill>,
    /// Read the password from standard input, one line.
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, Args)]
pub struct SetSkills {
    /// What they type to sign in.
    login: String,
    /// Their skills; none, and they have none.
    #[arg(value_name = "SKILL", value_parser = Skill::parse)]
    skills: Vec<Skill>,
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
    match command {
        Command::Add(new) => add(new),
        Command::Skills(skills) => set_skills(skills),
    }
}

fn set_skills(set: &SetSkills) -> Result<(), Failure> {
    let config = set.file.load()?;
    let skills: Skills = set.skills.iter().cloned().collect();
    block_on(async {
        let store = Store::open(&config.store, SystemClock.utc()).await?;
        let mut tx = store.write().await?;
        let Some(user) = tx.find_user_by_login(&set.login).await? else {
            let known: Vec<String> = tx.list_users().await?.into_iter().map(|user| user.login).collect();
            let known = if known.is_empty() { "there is none yet".to_owned() } else { known.join(", ") };
            return Err(format!("there is no user \"{}\". Known: {known}", set.login).into());
        };
        tx.set_skills(&user.id, &skills).await?;
        let (now, id) = (SystemClock.utc(), user.id.to_string());
        tx.audit(Entry::new(now, Who::CommandLine, Act::UserChanged, id));
        tx.commit("set_user_skills").await?;
        store.close().await;
        Ok(())
    })?;
    print_line!("{}: {}.", set.login, words(&skills));
    Ok(())
}

fn words(skills: &Skills) -> String {
    let words: Vec<&str> = skills.iter().map(Skill::as_str).collect();
    if words.is_empty() { "no skills".to_owned() } else { words.join(", ") }
}

fn add(add: &Add) -> Result<(), Failure> {
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
        skills: add.skills.iter().cloned().collect(),
    };
    block_on(async {
        let store = Store::open(&config.store, now).await?;
        let hashed = HashedPassword::of(password.clone()).await?;
        let mut tx = store.write().await?;
        if tx.find_user_by_login(&user.login).await?.is_some() {
            return Err(format!("there is a user \"{}\" already", user.login).into());
        }
        tx.insert_user(&user, &hashed, now).await?;
        tx.audit(Entry::new(now, Who::CommandLine, Act::UserAdded, user.id.to_string()));
        tx.commit("add_user").await?;
        store.close().await;
        Ok(())
    })?;
    print_line!("Added {}.", user.login);
    if made {
        print_line!("Password: {}", password.expose_secret());
    }
    Ok(())
}

/// 100 random bits from the system's own source, in letters and digits that cannot be mistaken.
fn made_up() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let random: [u8; 20] = cordboard::base::rng::secure_bytes();
    random.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}
