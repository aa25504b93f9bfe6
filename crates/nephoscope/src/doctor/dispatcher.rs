//! Where samples and events go.

use std::collections::BTreeSet;
use std::path::Path;

use nephoscope_dispatchers::Examined;
use nephoscope_gnocchi::{Comparison, Error, Filter, Gnocchi, Page, ResourceSelection, Value};
use nephoscope_gnocchi_client::Remote;
use nephoscope_http::Http;
use nephoscope_telemetry::ConnectionString;

use super::finding::Finding;
use super::own::OwnStore;
use super::places::{causes, failed};
use super::{clock, machine, places};

/// How many resources of no type are looked at: the meters of a cloud are soon met.
const LOOKED_AT: usize = 200;
/// How many of something are named.
const NAMED: usize = 5;
/// The port of Gnocchi.
const PORT: u16 = 8041;

/// Whether a dispatcher can send; `given_out` is where the daemon gives out what `embedded://` keeps, if it does, and
/// `own` that store otherwise.
pub(super) async fn look(
    to: &ConnectionString,
    given_out: Option<&ConnectionString>,
    own: &OwnStore,
) -> Vec<Finding> {
    let subject = format!("dispatcher {to}");
    if to.scheme() == "file" {
        let location = to.location();
        let directory = Path::new(&*location).parent().unwrap_or(Path::new("/"));
        return vec![if directory.is_dir() {
            machine::writable(&subject, directory)
        } else {
            let missing = format!("{} is not there", directory.display());
            Finding::problem(subject, missing, "make it, and give it to the user of the daemon")
        }];
    }
    if !is_gnocchi(to) {
        return places::reachable(&subject, to).await;
    }
    let examined = match nephoscope_dispatchers::examine(to) {
        Ok(examined) => examined,
        Err(error) => return vec![failed(&subject, &error)],
    };
    // The daemon's own store is asked through the running daemon.
    match examined.gnocchi.as_ref().or(given_out) {
        Some(place) => remote(&subject, place, &examined).await,
        None => own.look(&subject, &examined).await,
    }
}

/// Whether a dispatcher makes resources of samples.
fn is_gnocchi(to: &ConnectionString) -> bool {
    matches!(to.scheme(), "embedded" | "gnocchi" | "gnocchi+https")
}

/// What is wrong in the definitions of a dispatcher.
pub(super) fn definitions(to: &ConnectionString) -> Vec<Finding> {
    if !is_gnocchi(to) {
        return Vec::new();
    }
    // What cannot be read at all is told by whoever looks at the dispatcher.
    let examined = nephoscope_dispatchers::examine(to);
    let mistakes = examined.map(|examined| examined.mistakes).unwrap_or_default();
    let told = |mistake| {
        let cure = "mend it, and start the daemon again";
        Finding::problem(format!("definitions of {to}"), format!("{mistake}"), cure)
    };
    mistakes.iter().map(told).collect()
}

/// How far the clocks of a dispatcher's servers are from ours.
pub(super) async fn clocks(to: &ConnectionString) -> Vec<Finding> {
    let subject = format!("dispatcher {to}");
    let mut findings: Vec<_> = clock::of_keystone(&subject, to).await.into_iter().collect();
    if to.scheme().starts_with("gnocchi")
        && !to.hosts().is_empty()
        && let Ok(http) = Http::new("Gnocchi", to, to.scheme().ends_with("+https"), PORT, "")
    {
        findings.extend(clock::of(&subject, &http).await);
    }
    findings
}

/// Logs in, and looks at what is there.
async fn remote(subject: &str, place: &ConnectionString, examined: &Examined) -> Vec<Finding> {
    let gnocchi = match nephoscope_gnocchi_client::connect(place).await {
        Ok(gnocchi) => gnocchi,
        Err(error) => return vec![failed(subject, &error)],
    };
    match stands(&gnocchi, examined).await {
        Ok(told) => {
            let mut findings = vec![Finding::ok(subject, told)];
            findings
                .extend(examined.check_policies(&gnocchi).await.err().map(|error| failed(subject, &error)));
            findings.extend(unowned(subject, &gnocchi, examined).await);
            findings.extend(unfiltered(subject, &gnocchi, examined).await);
            findings
        }
        Err(error) => vec![refused(subject, &error)],
    }
}

/// Whether samples of Gnocchi's own project can be left out.
async fn unfiltered(subject: &str, gnocchi: &Remote, examined: &Examined) -> Option<Finding> {
    const CURE: &str =
        "name another with `filter_project` and `filter_domain`, or say `enable_filter_project=false`";
    match examined.unfiltered(gnocchi).await {
        Ok(told) => told.map(|told| Finding::warning(subject, told, CURE)),
        Err(error) => Some(failed(subject, &error)),
    }
}

fn refused(subject: &str, error: &Error) -> Finding {
    let (told, cure) = match error {
        Error::Unavailable { .. } => (error.to_string(), "start it, or see to the way there"),
        Error::Forbidden(_) => (error.to_string(), "grant it to the user, or log in as another"),
        _ => (error.to_string(), "mend the login in the connection string, or see to that server"),
    };
    places::told(subject, told + &causes(error), cure)
}

/// What is there of what samples need.
async fn stands(gnocchi: &dyn Gnocchi, examined: &Examined) -> Result<String, Error> {
    let policies: BTreeSet<_> =
        gnocchi.archive_policies().await?.into_iter().map(|policy| policy.name).collect();
    let types: BTreeSet<_> = gnocchi.resource_types().await?.into_iter().map(|known| known.name).collect();
    let definitions = &examined.definitions;
    let lacks_policies =
        definitions.archive_policies.iter().filter(|policy| !policies.contains(&policy.name)).count();
    let declared = definitions.clone().into_types();
    let lacks_types = declared.iter().filter(|known| !types.contains(known.name())).count();
    Ok(match (lacks_policies, lacks_types) {
        (0, 0) => "lets us in, and has every archive policy and resource type".into(),
        (policies, types) => format!(
            "lets us in; {policies} archive policies and {types} resource types are made when the first samples come"
        ),
    })
}

/// Meters that no resource type has, among what is kept as generic resources.
async fn unowned(subject: &str, gnocchi: &dyn Gnocchi, examined: &Examined) -> Option<Finding> {
    let is_generic = Filter::Compare(Comparison::Equal, "type".into(), Value::String("generic".into()));
    let selection = ResourceSelection {
        filter: Some(is_generic),
        page: Page { limit: Some(LOOKED_AT), ..Page::default() },
        ..ResourceSelection::default()
    };
    let resources = gnocchi.resources("generic", &selection).await.ok()?;
    let types = examined.definitions.clone().into_types();
    let names: BTreeSet<_> =
        resources.into_iter().flat_map(|resource| resource.metrics.into_keys()).collect();
    let unowned: Vec<_> = names.into_iter().filter(|name| types.owner(name).is_none()).collect();
    if unowned.is_empty() {
        return None;
    }
    let mut named = unowned.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if unowned.len() > NAMED {
        named.push_str(&format!(" and {} more", unowned.len() - NAMED));
    }
    Some(Finding::warning(
        subject,
        format!("generic resources have metrics that no resource type has: {named}"),
        "give them one in a file for `resources_definition_file`, or leave them out with `unowned=drop`",
    ))
}
