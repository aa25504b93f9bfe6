//! What has to be there before samples can be sent: archive policies and resource types.

use std::collections::{BTreeMap, HashSet};

use nephoscope_gnocchi::{Error, Gnocchi, Result};
use nephoscope_resource_types::{Definitions, ResourceTypes, TypeDefinition, openstack};

use super::attributes::Kinds;
use super::failure::is_senseless;

/// Makes what is missing: the archive policies of the definitions, and the types with their attributes. What is there is
/// left as it is, but for attributes that a type lacks.
///
/// Measures count for more than all of this: an answer that makes no sense holds nothing up.
pub(super) async fn prepare(
    gnocchi: &dyn Gnocchi,
    definitions: &Definitions,
    types: &ResourceTypes,
) -> Result<Kinds> {
    let mut made_now = Vec::new();
    let there = unless_senseless("archive policies", gnocchi.archive_policies().await)?;
    let there: HashSet<_> = there.into_iter().map(|policy| policy.name).collect();
    for policy in &definitions.archive_policies {
        if !there.contains(&policy.name) {
            match gnocchi.create_archive_policy(policy.clone()).await {
                Ok(_) => made_now.push(policy.name.clone()),
                Err(Error::ArchivePolicyAlreadyExists(_)) => {}
                // An administrator makes them; then this user need not be allowed to.
                Err(error @ (Error::Forbidden(_) | Error::Internal { .. })) => {
                    tracing::warn!("the archive policy {} cannot be made: {error}", policy.name);
                }
                Err(error) => return Err(error),
            }
        }
    }
    let there = unless_senseless("resource types", gnocchi.resource_types().await)?;
    let mut there: BTreeMap<_, _> = there.into_iter().map(|known| (known.name.clone(), known)).collect();
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
                made_now.push(wanted.name);
                there.insert(made.name.clone(), made);
            }
            // By another collector that starts now.
            Err(Error::ResourceTypeAlreadyExists(_)) => {
                let made = gnocchi.resource_type(&wanted.name).await?;
                there.insert(made.name.clone(), made);
            }
            Err(error @ (Error::Forbidden(_) | Error::Internal { .. })) => {
                tracing::warn!("the resource type {} cannot be made: {error}", wanted.name);
                there.entry(wanted.name.clone()).or_insert_with(|| wanted.to_resource_type());
            }
            Err(error) => return Err(error),
        }
    }
    if !made_now.is_empty() {
        let all = made_now.join(", ");
        tracing::info!("archive policies and resource types that were made or brought up to date: {all}");
    }
    Ok(Kinds::of(there.into_values().collect()))
}

/// A list; none, where what answers gives something else.
fn unless_senseless<T>(what: &str, list: Result<Vec<T>>) -> Result<Vec<T>> {
    match list {
        Err(error) if is_senseless(&error) => {
            tracing::warn!("which {what} there are is not known: {error}");
            Ok(Vec::new())
        }
        list => list,
    }
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
