//! `embedded://`, `gnocchi://` and `gnocchi+https://`: samples become measures of metrics of resources.
//!
//! | option | meaning |
//! |---|---|
//! | `resources_definition_file` | which meters belong to which resource types: Ceilometer's `gnocchi_resources.yaml`. Without it the types of today's OpenStack |
//! | `archive_policy` | the archive policy of all metrics, instead of those of the definitions |
//! | `filter_project`, `filter_domain` | name or id of the project whose samples are left out, and of its domain: that of the Gnocchi service itself, `service` in `Default`. Without a Keystone a project by what samples say, and none unless it is named |
//! | `enable_filter_project` | `false`: no samples are left out |
//! | `granularity`, `ttl` | how finely and how long metrics are kept whose archive policy neither the definitions nor Gnocchi have; with one of them alone for ever, or by the second. Without them such a policy is a mistake |
//! | `unowned` | what becomes of samples whose meter no resource type has: `generic` resources (the default), or `drop` |
//!
//! Every other option is of the connection to Gnocchi.

mod attributes;
mod examine;
mod expected;
mod failure;
mod filter;
mod known;
mod lifecycle;
mod merge;
mod prepare;
mod settings;

use std::collections::HashSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use nephoscope_gnocchi::{Error as GnocchiError, Gnocchi, NewResource, ResourceChange, UnknownResource};
use nephoscope_resource_types::{Definitions, ResourceTypes};
use nephoscope_telemetry::{BoxFuture, ConnectionString, Dispatcher, Event, Refused, Result, Sample};
use tokio::sync::{Mutex, OnceCell};
use xxhash_rust::xxh3::xxh3_64;

use crate::Around;
use attributes::Kinds;
use filter::LeftOut;
use known::Known;
use merge::{Merged, OfResource};
use settings::Settings;

pub use examine::{Examined, examine};

/// How many resources are made or changed at a time: enough to hide the way there and back, and little for a server.
const AT_A_TIME: usize = 8;
/// How often measures are sent again because resources were unknown: they are made in between, so that once is enough
/// unless somebody deletes them meanwhile.
const ROUNDS: usize = 3;

/// Finds the Gnocchi, once it is needed, and the samples that it is not to get.
type Connect = Box<dyn Fn() -> BoxFuture<'static, Result<(Arc<dyn Gnocchi>, LeftOut)>> + Send + Sync>;

/// Sends to one Gnocchi.
pub(crate) struct GnocchiDispatcher {
    connect: Connect,
    settings: Settings,
    types: ResourceTypes,
    definitions: Definitions,
    ready: OnceCell<Ready>,
    /// What Gnocchi knows of each resource. Held while a batch is sent, of which there is one at a time.
    known: Mutex<Known>,
}

/// A Gnocchi with everything that samples need.
struct Ready {
    gnocchi: Arc<dyn Gnocchi>,
    left_out: LeftOut,
    kinds: Kinds,
}

impl fmt::Debug for GnocchiDispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GnocchiDispatcher").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Into a Gnocchi on another machine. It is looked for when the first samples come, and until it is there.
pub(crate) fn remote(to: &ConnectionString, around: &Around) -> Result<Arc<dyn Dispatcher>> {
    let connection = examine::connection(to)?;
    let settings = Settings::read(to)?;
    let filter = settings.filter.clone();
    let connect: Connect = Box::new(move || {
        let (connection, filter) = (connection.clone(), filter.clone());
        Box::pin(async move {
            let gnocchi = nephoscope_gnocchi_client::connect(&connection).await?;
            let left_out = filter.find(gnocchi.keystone()).await?;
            Ok((Arc::new(gnocchi) as Arc<dyn Gnocchi>, left_out))
        })
    });
    Ok(Arc::new(GnocchiDispatcher::new(to, settings, connect, &around.directory)?))
}

/// Into the Gnocchi of this process.
pub(crate) fn embedded(to: &ConnectionString, around: &Around) -> Result<Arc<dyn Dispatcher>> {
    to.expect_options(&settings::OPTIONS)?;
    if !to.location().is_empty() {
        return Err(to.wrong("samples go to the store of this daemon, embedded://, and to no other"));
    }
    let no_store = || to.wrong("this process has no store of metrics");
    let gnocchi = around.embedded.clone().ok_or_else(no_store)?;
    let settings = Settings::read(to)?;
    let filter = settings.filter.clone();
    let connect: Connect = Box::new(move || {
        let (gnocchi, filter) = (gnocchi.clone(), filter.clone());
        Box::pin(async move { Ok((gnocchi, filter.find(None).await?)) })
    });
    Ok(Arc::new(GnocchiDispatcher::new(to, settings, connect, &around.directory)?))
}

impl GnocchiDispatcher {
    /// As the connection string says. In the directory it remembers what Gnocchi knows.
    fn new(to: &ConnectionString, settings: Settings, connect: Connect, directory: &Path) -> Result<Self> {
        let definitions = settings.definitions(to)?;
        let types = definitions.clone().into_types();
        let remembers = directory.join(format!("gnocchi-{:016x}", xxh3_64(to.to_string().as_bytes())));
        Ok(Self {
            connect,
            settings,
            types,
            definitions,
            ready: OnceCell::new(),
            known: Mutex::new(Known::open(&remembers)),
        })
    }

    async fn ready(&self) -> Result<&Ready> {
        self.ready
            .get_or_try_init(|| async {
                let (gnocchi, left_out) = (self.connect)().await?;
                let expected = self.settings.expected(&self.definitions);
                expected::check(&*gnocchi, &expected, &self.definitions).await?;
                let kinds = prepare::prepare(&*gnocchi, &self.definitions, &self.types).await;
                let kinds = kinds.map_err(failure::of_gnocchi)?;
                if let LeftOut::Unknown(told) = &left_out {
                    tracing::warn!("{told}");
                }
                Ok(Ready { kinds, gnocchi, left_out })
            })
            .await
    }

    async fn send(&self, samples: &[Sample]) -> Result<Vec<Refused>> {
        let ready = self.ready().await?;
        let mut known = self.known.lock().await;
        let mut merged =
            Merged::of(samples, &self.types, self.settings.unowned(&self.definitions), &ready.left_out);
        let mut refused = std::mem::take(&mut merged.refused);
        for round in 0..=ROUNDS {
            let measures = merged.measures();
            if measures.is_empty() {
                break;
            }
            let unknown = match ready.gnocchi.add_resource_measures(measures, true).await {
                Ok(()) => break,
                Err(GnocchiError::UnknownResources(unknown)) => unknown,
                Err(error) => return Err(failure::of_gnocchi(error)),
            };
            let unknown = places(&merged, &unknown);
            if round == ROUNDS || unknown.is_empty() {
                let all = unknown
                    .iter()
                    .map(|&at| (at, "Gnocchi does not know it even after it was made".to_owned()));
                refuse(&mut merged, all.collect(), &mut refused);
                continue;
            }
            let made = self.make(ready, &merged, &unknown, &mut known).await?;
            refuse(&mut merged, made, &mut refused);
        }
        self.change(ready, &merged, &mut known).await?;
        known.keep();
        refused.sort_by_key(|refused| refused.at);
        Ok(refused)
    }

    /// Makes resources. Those that cannot be made, and why.
    async fn make(
        &self,
        ready: &Ready,
        merged: &Merged<'_>,
        which: &[usize],
        known: &mut Known,
    ) -> Result<Vec<(usize, String)>> {
        let making: Vec<_> = which.iter().map(|&at| ready.make(at, &merged.resources[at])).collect();
        let made: Vec<_> = stream::iter(making).buffer_unordered(AT_A_TIME).try_collect().await?;
        let mut failed = Vec::new();
        for (at, outcome) in made {
            let resource = &merged.resources[at];
            match outcome {
                Made::Now => known.learn(resource.key(), resource.fingerprint()),
                Made::Before => known.forget(resource.key()),
                Made::Refused(reason) => failed.push((at, format!("its resource cannot be made: {reason}"))),
            }
        }
        Ok(failed)
    }

    /// Tells Gnocchi what it does not know yet of resources.
    async fn change(&self, ready: &Ready, merged: &Merged<'_>, known: &mut Known) -> Result<()> {
        let resources = merged.resources.iter().filter(|resource| !resource.is_refused);
        let changing: Vec<_> = resources
            .filter(|resource| known.of(resource.key()) != Some(resource.fingerprint()))
            .map(|resource| ready.change(resource))
            .collect();
        let changed: Vec<_> = stream::iter(changing).buffer_unordered(AT_A_TIME).try_collect().await?;
        for change in &changed {
            known.learn(change.key, change.fingerprint);
        }
        let mut refused = changed.iter().filter_map(|change| change.refused.as_ref());
        if let Some(first) = refused.next() {
            tracing::warn!("attributes of {} resources cannot be set; {first}", refused.count() + 1);
        }
        Ok(())
    }
}

/// What became of a resource that was to be made.
enum Made {
    /// It is there, with what is known of it.
    Now,
    /// Somebody else had made it, with whatever attributes.
    Before,
    /// It cannot be, and why.
    Refused(String),
}

/// What is known of a resource from now on.
struct Changed {
    key: u128,
    fingerprint: u128,
    /// Why it was not changed: to ask again would not help.
    refused: Option<String>,
}

impl Ready {
    fn make<'f>(&'f self, at: usize, resource: &'f OfResource<'_>) -> BoxFuture<'f, Result<(usize, Made)>> {
        let new = NewResource {
            id: resource.id.to_string(),
            user_id: resource.user_id.map(str::to_owned),
            project_id: resource.project_id.map(str::to_owned),
            attributes: self.kinds.values(resource.resource_type, &resource.attributes),
            ..NewResource::default()
        };
        Box::pin(async move {
            match self.gnocchi.create_resource(resource.resource_type, new).await {
                Ok(_) => Ok((at, Made::Now)),
                Err(GnocchiError::ResourceAlreadyExists(_)) => Ok((at, Made::Before)),
                // It may be there by now, and like whatever.
                Err(error) if failure::is_senseless(&error) => Ok((at, Made::Before)),
                Err(error) if failure::is_about_the_resource(&error) => {
                    Ok((at, Made::Refused(error.to_string())))
                }
                Err(error) => Err(failure::of_gnocchi(error)),
            }
        })
    }

    /// Sets its attributes.
    fn change<'f>(&'f self, resource: &'f OfResource<'_>) -> BoxFuture<'f, Result<Changed>> {
        let change = ResourceChange {
            project_id: resource.project_id.map(|project| Some(project.to_owned())),
            attributes: self.kinds.values(resource.resource_type, &resource.attributes),
            ..ResourceChange::default()
        };
        Box::pin(async move {
            let (resource_type, id) = (resource.resource_type, &*resource.id);
            let changed = if change == ResourceChange::default() {
                Ok(())
            } else {
                self.gnocchi.update_resource(resource_type, id, change).await.map(drop)
            };
            let refused = match changed {
                Ok(()) => None,
                // It is of another type, for one. Its measures are stored.
                Err(error) if failure::is_about_the_resource(&error) || failure::is_senseless(&error) => {
                    Some(format!("{resource_type} {id}: {error}"))
                }
                Err(error) => return Err(failure::of_gnocchi(error)),
            };
            Ok(Changed { key: resource.key(), fingerprint: resource.fingerprint(), refused })
        })
    }
}

/// Which of the resources are meant: by the id that they were sent with or, where that is a UUID, however it is spelled.
fn places(merged: &Merged<'_>, unknown: &[UnknownResource]) -> Vec<usize> {
    let spelled: HashSet<_> = unknown.iter().map(|unknown| unknown.original_resource_id.as_str()).collect();
    let uuids: HashSet<_> = unknown.iter().map(|unknown| unknown.resource_id).collect();
    let is_meant = |resource: &OfResource<'_>| {
        spelled.contains(&*resource.id)
            || nephoscope_gnocchi::parse_uuid(&resource.id).is_some_and(|id| uuids.contains(&id))
    };
    let resources = merged.resources.iter().enumerate();
    resources.filter_map(|(at, resource)| is_meant(resource).then_some(at)).collect()
}

/// Leaves resources out, and with them their samples.
fn refuse(merged: &mut Merged<'_>, which: Vec<(usize, String)>, refused: &mut Vec<Refused>) {
    for (at, reason) in which {
        let resource = &mut merged.resources[at];
        resource.is_refused = true;
        refused.extend(resource.samples.iter().map(|&at| Refused { at, reason: reason.clone() }));
    }
}

impl Dispatcher for GnocchiDispatcher {
    fn samples<'a>(&'a self, samples: &'a [Sample]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        Box::pin(self.send(samples))
    }

    fn events<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        Box::pin(async move {
            let ready = self.ready().await?;
            let mut refused = Vec::new();
            for (at, event) in events.iter().enumerate() {
                if let Some(reason) =
                    lifecycle::apply(&*ready.gnocchi, &ready.kinds, &self.types, event).await?
                {
                    refused.push(Refused { at, reason });
                }
            }
            Ok(refused)
        })
    }
}

#[cfg(test)]
mod tests;
