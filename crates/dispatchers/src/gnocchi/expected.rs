//! Archive policies that have to be there already, as nobody says how to make them. One that is not is most likely misspelt, and
//! a metric that got another could never change it.

use std::collections::BTreeSet;

use nephoscope_gnocchi::{ArchivePolicy, Error as GnocchiError, Gnocchi};
use nephoscope_resource_types::{Definitions, openstack};
use nephoscope_telemetry::{Error, ErrorKind, Result};

use super::failure::{is_senseless, of_gnocchi};

/// An archive policy that Gnocchi has to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) name: String,
    /// An option, or a line of a file.
    pub(super) named_at: String,
}

/// Fails where Gnocchi does not have all of them.
pub(super) async fn check(
    gnocchi: &dyn Gnocchi,
    expected: &[Expected],
    definitions: &Definitions,
) -> Result<()> {
    let mut missing = Vec::new();
    for policy in expected {
        match gnocchi.archive_policy(&policy.name).await {
            Err(GnocchiError::NoSuchArchivePolicy(_)) => missing.push(policy),
            Err(error) if !is_senseless(&error) => return Err(of_gnocchi(error)),
            _ => {}
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let there = gnocchi.archive_policies().await.unwrap_or_default();
    Err(told(&missing, definitions, &there))
}

/// As [`check`], of a Gnocchi that has these.
pub(super) fn check_among(
    there: &[ArchivePolicy],
    expected: &[Expected],
    definitions: &Definitions,
) -> Result<()> {
    let is_there = |name: &str| there.iter().any(|policy| policy.name == name);
    let missing: Vec<_> = expected.iter().filter(|policy| !is_there(&policy.name)).collect();
    if missing.is_empty() { Ok(()) } else { Err(told(&missing, definitions, there)) }
}

fn told(missing: &[&Expected], definitions: &Definitions, there: &[ArchivePolicy]) -> Error {
    let built_in = openstack::definitions().archive_policies;
    let known = definitions.archive_policies.iter().chain(&built_in).chain(there);
    let known: BTreeSet<_> = known.map(|policy| policy.name.as_str()).collect();
    let shown = missing.iter().map(|Expected { name, named_at }| match nearest(name, &known) {
        Some(nearest) => format!("`{name}` of {named_at} (perhaps `{nearest}`)"),
        None => format!("`{name}` of {named_at}"),
    });
    let told = format!(
        "neither the definitions nor Gnocchi have these archive policies: {}; mend the names, make the policies, or say with \
         options `granularity` and `ttl` how they are to be made",
        shown.collect::<Vec<_>>().join(", ")
    );
    Error::new(ErrorKind::Config, "find the archive policies", told)
}

/// The name that was meant, where one differs in no more than a third of the letters.
fn nearest<'n>(name: &str, known: &BTreeSet<&'n str>) -> Option<&'n str> {
    let distances = known.iter().map(|known| (strsim::osa_distance(name, known), *known));
    let (distance, nearest) = distances.min()?;
    (3 * distance <= name.chars().count()).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_told_where_it_is_near() {
        let known = BTreeSet::from(["high", "low", "ceilometer-low", "ceilometer-low-rate"]);
        for (name, meant) in [
            ("hihg", Some("high")),
            ("lwo", Some("low")),
            ("ceilometer-low-rat", Some("ceilometer-low-rate")),
            ("ceilometer_low", Some("ceilometer-low")),
            ("gold", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &known), meant, "{name}");
        }
        assert_eq!(nearest("low", &BTreeSet::new()), None);
    }
}
