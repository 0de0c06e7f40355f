//! The desk phones that may register, as the store has them: read anew every two seconds, so that a phone
//! that was removed is gone within seconds. The registrar itself never waits for the store.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::warn;

use crate::base::id::{DeviceId, UserId};
use crate::domain::operator::extension::Extension;
use crate::io::store::devices::{Device, DeviceHashes, OwnedDevice};
use crate::io::store::{Store, StoreError};

/// How often the store is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// A desk phone that may register.
#[derive(Clone, Debug)]
pub struct KnownDevice {
    pub id: DeviceId,
    pub owner: UserId,
    /// What the owner types to sign in, and is called.
    pub owner_login: String,
    pub owner_name: String,
    /// What colleagues dial.
    pub extension: Option<Extension>,
    pub hashes: DeviceHashes,
}

impl KnownDevice {
    /// What is dialled here means this phone's owner: a phone's login, an extension, or an operator's log-in.
    pub fn is_dialled_by(&self, login: &str, text: &str) -> bool {
        let extension = self.extension.as_ref().is_some_and(|own| own.as_str() == text);
        extension || login == text || self.owner_login.eq_ignore_ascii_case(text)
    }
}

/// Desk phones by what they register as.
pub type Devices = Arc<HashMap<String, KnownDevice>>;

/// Reads the phones. What a phone's secret is checked with never changes, so it is opened once.
async fn read(store: &Store, known: &Devices) -> Result<Option<Devices>, StoreError> {
    let listed: Vec<_> = store.list_owned_devices().await?.into_iter().filter(|owned| owned.device.active).collect();
    let same = |owned: &OwnedDevice| {
        let OwnedDevice { device, owner_login, owner_name } = owned;
        known.get(&device.login).is_some_and(|k| {
            k.id == device.id
                && k.owner == device.user
                && (&k.owner_login, &k.owner_name, &k.extension) == (owner_login, owner_name, &device.extension)
        })
    };
    if listed.len() == known.len() && listed.iter().all(same) {
        return Ok(None);
    }
    let mut devices = HashMap::with_capacity(listed.len());
    for OwnedDevice { device, owner_login, owner_name } in listed {
        let known = known.get(&device.login).filter(|k| k.id == device.id).map(|k| k.hashes.clone());
        let hashes = match known {
            Some(hashes) => hashes,
            None => match store.find_device_hashes(&device.id).await? {
                Some(hashes) => hashes,
                // Removed since the list was read.
                None => continue,
            },
        };
        let Device { id, user: owner, login, extension, .. } = device;
        devices.insert(login, KnownDevice { id, owner, owner_login, owner_name, extension, hashes });
    }
    Ok(Some(Arc::new(devices)))
}

/// For those who wait until a phone that was added may register.
fn show(devices: &Devices) {
    metrics::gauge!("cordboard_desk_phones").set(u32::try_from(devices.len()).unwrap_or(u32::MAX));
}

/// The phones as they are now, and a task that keeps them so until nobody looks any more.
pub async fn follow(store: Store) -> Result<(watch::Receiver<Devices>, impl Future<Output = ()>), StoreError> {
    let first = read(&store, &Devices::default()).await?.unwrap_or_default();
    show(&first);
    let (sender, devices) = watch::channel(first);
    let task = async move {
        let mut told = false;
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = sender.closed() => return,
            }
            let known = sender.borrow().clone();
            match read(&store, &known).await {
                Ok(Some(devices)) => {
                    show(&devices);
                    sender.send_replace(devices);
                    told = false;
                }
                Ok(None) => told = false,
                // Once, not every two seconds: the store tells of its own trouble.
                Err(why) if !told => {
                    warn!("desk phones cannot be read and stay as they were: {why}");
                    told = true;
                }
                Err(_) => {}
            }
        }
    };
    Ok((devices, task))
}
