//! The desk phones that may register, as the store has them: read anew every two seconds, so that a phone
//! that was removed is gone within seconds. The registrar itself never waits for the store.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::warn;

use crate::base::id::{DeviceId, UserId};
use crate::io::store::devices::{Device, DeviceHashes};
use crate::io::store::{Store, StoreError};

/// How often the store is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// A desk phone that may register.
#[derive(Clone, Debug)]
pub struct KnownDevice {
    pub id: DeviceId,
    pub owner: UserId,
    pub hashes: DeviceHashes,
}

/// Desk phones by what they register as.
pub type Devices = Arc<HashMap<String, KnownDevice>>;

/// Reads the phones. What a phone's secret is checked with never changes, so it is opened once.
async fn read(store: &Store, known: &Devices) -> Result<Option<Devices>, StoreError> {
    let listed: Vec<Device> = store.list_devices().await?.into_iter().filter(|device| device.active).collect();
    let same = |device: &Device| known.get(&device.login).is_some_and(|k| k.id == device.id && k.owner == device.user);
    if listed.len() == known.len() && listed.iter().all(same) {
        return Ok(None);
    }
    let mut devices = HashMap::with_capacity(listed.len());
    for device in listed {
        let known = known.get(&device.login).filter(|k| k.id == device.id).map(|k| k.hashes.clone());
        let hashes = match known {
            Some(hashes) => hashes,
            None => match store.find_device_hashes(&device.id).await? {
                Some(hashes) => hashes,
                // Removed since the list was read.
                None => continue,
            },
        };
        devices.insert(device.login, KnownDevice { id: device.id, owner: device.user, hashes });
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
