//! What has to be there before samples can be sent: archive policies and resource types.

use std::collections::{BTreeMap, HashSet};

use nephoscope_gnocchi::{Error, Gnocchi, Result};
use nephoscope_resource_types::{Definitions, ResourceTypes, TypeDefinition, openstack};

use super::attributes::Kinds;

/// Makes what is missing: the archive policies of the definitions, and the types with their attributes. What is there is
/// left as it is, but for attributes that a type lacks.
pub(super) async fn prepare(
    gnocchi: &dyn Gnocchi,
    definitions: &Definitions,
    types: &ResourceTypes,
) -> Result<Kinds> {
    let there: HashSet<_> = gnocchi.archive_policies().await?.into_iter().map(|policy| policy.name).collect();
    for policy in &definitions.archive_policies {
        if !there.contains(&policy.name) {
            match gnocchi.create_archive_policy(policy.clone()).await {
                Ok(_) => tracing::info!("the archive policy {} was made", policy.name),
                Err(Error::ArchivePolicyAlreadyExists(_)) => {}
                // An administrator makes them; then this user need not be allowed to.
                Err(Error::Forbidden(why)) => {
                    tracing::warn!("the archive policy {} cannot be made: {why}", policy.name);
                }
                Err(error) => return Err(error),
            }
        }
    }
    let mut there: BTreeMap<_, _> =
        gnocchi.resource_types().await?.into_iter().map(|known| (known.name.clone(), known)).collect();
    for wanted in wanted(types) {
        let made = match there.get(&wanted.name) {
            None => gnocchi.create_resource_type(wanted.to_resource_type()).await,
            Some(known) => match wanted.change_of(known) {
                None => continue,
                Some(change) => gnocchi.update_resource_type(&wanted.name, change).await,
            },
        };
        match made {
            Ok(made) => {
                tracing::info!("the resource type {} was made or brought up to date", wanted.name);
                there.insert(made.name.clone(), made);
            }
            // By another collector that starts now.
            Err(Error::ResourceTypeAlreadyExists(_)) => {
                let made = gnocchi.resource_type(&wanted.name).await?;
                there.insert(made.name.clone(), made);
            }
            Err(Error::Forbidden(why)) => {
                tracing::warn!("the resource type {} cannot be made: {why}", wanted.name);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Kinds::of(there.into_values().collect()))
}

/// The types that samples may need: as the types themselves say, or as Ceilometer's upgrade makes them.
fn wanted(types: &ResourceTypes) -> Vec<TypeDefinition> {
    let of_openstack = openstack::type_definitions();
    let mut names = HashSet::new();
    let wanted = types.iter().filter(|known| names.insert(known.name().to_owned())).filter_map(|known| {
        let of_openstack = || of_openstack.iter().find(|one| one.name == known.name());
        known.definition().or_else(of_openstack).cloned()
    });
    wanted.collect()
}
