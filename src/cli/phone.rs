//! `cordboard phone`: the desk phones of operators. A phone's secret is printed once, when it is added.

use std::net::SocketAddr;

use clap::{Args, Subcommand};
use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::base::id::DeviceId;
use cordboard::domain::operator::extension::Extension;
use cordboard::io::store::Store;
use cordboard::io::store::devices::{Device, DeviceHashes, REALM, fresh_login, fresh_secret};
use secrecy::ExposeSecret as _;

use super::out::print_line;
use super::{ConfigFile, Failure, block_on};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a desk phone. Prints once what to type into it.
    Add(Add),
    /// List the desk phones.
    List(ConfigFile),
    /// Remove a desk phone. It can register no more, at once; a call on it goes on.
    Remove(Remove),
}

#[derive(Debug, Args)]
pub struct Add {
    /// Whose phone it is: what they type to sign in.
    #[arg(long, value_name = "LOGIN")]
    user: String,
    /// What you call it: "Desk 3".
    #[arg(long)]
    name: String,
    /// What colleagues dial to call it: two to four digits. The next free one from 201 on unless given.
    #[arg(long, value_name = "DIGITS", value_parser = Extension::parse)]
    extension: Option<Extension>,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, Args)]
pub struct Remove {
    /// What it registers as, as `cordboard phone list` shows it.
    user: String,
    #[command(flatten)]
    file: ConfigFile,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Add(options) => add(options),
        Command::List(file) => list(file),
        Command::Remove(options) => remove(options),
    }
}

fn add(options: &Add) -> Result<(), Failure> {
    let config = options.file.load()?;
    let now = SystemClock.utc();
    let secret = fresh_secret();
    let device = block_on(async {
        let store = Store::open(&config.store, now).await?;
        let mut tx = store.write().await?;
        let Some(owner) = tx.find_user_by_login(&options.user).await? else {
            let known: Vec<String> = tx.list_users().await?.into_iter().map(|user| user.login).collect();
            let known = if known.is_empty() { "there is none yet".to_owned() } else { known.join(", ") };
            return Err(format!("there is no user \"{}\". Known: {known}", options.user).into());
        };
        // Whoever is to take one of them away has to tell them apart.
        let same = |device: &Device| device.name.trim().to_lowercase() == options.name.trim().to_lowercase();
        let known = tx.list_devices().await?;
        let extension = match &options.extension {
            Some(wanted) => {
                if let Some(taken) = known.iter().find(|device| device.extension.as_ref() == Some(wanted)) {
                    let Device { name, .. } = taken;
                    return Err(format!("extension {wanted} is \"{name}\"'s. Choose another").into());
                }
                Some(wanted.clone())
            }
            None => Extension::pick_free(|one| known.iter().any(|device| device.extension.as_ref() == Some(one))),
        };
        if let Some(taken) = known.into_iter().find(same) {
            let Device { name, login, .. } = taken;
            return Err(format!(
                "there is a phone \"{name}\" already. Choose another name, or take that one away first: \
                 cordboard phone remove {login}"
            )
            .into());
        }
        let device = Device {
            id: DeviceId::fresh(now),
            login: fresh_login(&owner.login),
            user: owner.id,
            name: options.name.clone(),
            extension,
            created_at: now,
            active: !owner.disabled,
        };
        tx.insert_device(&device, &DeviceHashes::of(&device.login, &secret)).await?;
        tx.commit("add_phone").await?;
        store.close().await;
        Ok(device)
    })?;
    print_line!("Added {}. Type this into the phone; the secret is not shown again.", device.name.trim());
    print_line!("User:    {}", device.login);
    print_line!("Secret:  {}", secret.expose_secret());
    print_line!("Realm:   {REALM}");
    if let Some(extension) = &device.extension {
        print_line!("Colleagues dial {extension}, or {}, to call it.", options.user);
    }
    print_line!("Address: {}, UDP or TCP", reached_at(config.sip.phones_bind));
    if let Some(tls) = config.sip.phones_tls_bind {
        print_line!("         {}, TLS", reached_at(tls));
    }
    Ok(())
}

/// As it is typed into a phone.
fn reached_at(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("this machine's, port {}", address.port()) } else { address.to_string() }
}

fn list(file: &ConfigFile) -> Result<(), Failure> {
    let config = file.load()?;
    let (devices, users) = block_on(async {
        let store = Store::open(&config.store, SystemClock.utc()).await?;
        let found = (store.list_devices().await?, store.list_users().await?);
        store.close().await;
        Ok(found)
    })?;
    if devices.is_empty() {
        print_line!("No desk phones. Add one: cordboard phone add --user LOGIN --name \"Desk 3\"");
    }
    for device in devices {
        let owner = users.iter().find(|user| user.id == device.user).map_or("", |user| &user.login);
        let state = if device.active { "" } else { " (its owner is disabled)" };
        let extension = device.extension.as_ref().map_or("-", Extension::as_str);
        print_line!("{}  {}  {owner}  {extension}{state}", device.login, device.name);
    }
    Ok(())
}

fn remove(options: &Remove) -> Result<(), Failure> {
    let config = options.file.load()?;
    block_on(async {
        let store = Store::open(&config.store, SystemClock.utc()).await?;
        let mut tx = store.write().await?;
        if !tx.remove_device(&options.user).await? {
            return Err(format!("there is no phone \"{}\". `cordboard phone list` shows them", options.user).into());
        }
        tx.commit("remove_phone").await?;
        store.close().await;
        Ok(())
    })?;
    print_line!("Removed {}.", options.user);
    Ok(())
}
