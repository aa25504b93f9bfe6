//! `nephoscope policy …`

use std::sync::Arc;

use anyhow::Context;
use nephoscope_gnocchi::{ArchivePolicy, Creator, Error, Gnocchi, MethodChoice};
use nephoscope_store::Store;
use nephoscope_telemetry::Registry;
use serde_json::{Value, json};

use crate::cli::{GnocchiArgs, PolicyCommand};
use crate::exit::Failure;
use crate::store::{self, Place};
use crate::{metrics, output, table};

/// The columns of a table, in which a policy has a row for each of its resolutions.
const COLUMNS: [&str; 6] =
    ["name", "back_window", "granularity", "points", "timespan", "aggregation_methods"];

/// Runs one of the policy commands.
pub async fn run(command: PolicyCommand, registry: &Registry) -> anyhow::Result<()> {
    let (gnocchi, store) = open(command.gnocchi(), registry).await?;
    let done = carry_out(command, &*gnocchi).await;
    drop(gnocchi);
    if let Some(store) = store {
        store::close(store).await?;
    }
    done.map_err(|error| match error.downcast() {
        Ok(Error::Invalid(reason)) => Failure::Usage(reason).into(),
        Ok(error) => error.into(),
        Err(error) => error,
    })
}

/// The Gnocchi that is named, and the store that it is if it is of this machine.
async fn open(args: &GnocchiArgs, registry: &Registry) -> anyhow::Result<(Arc<dyn Gnocchi>, Option<Store>)> {
    let to = args.connection_string.as_ref().map(|place| &place.0);
    match to.map(|to| (to.scheme(), to)) {
        None | Some(("embedded", _)) => {
            let place = Place::of(&args.daemon, to, registry)?;
            let through = format!("--connection-string gnocchi://{}", place.listen);
            let store = place.open().await.map_err(|error| metrics::through_the_daemon(error, &through))?;
            Ok((Arc::new(store.as_user(Creator::default())), Some(store)))
        }
        Some(("gnocchi" | "gnocchi+https", to)) => {
            Ok((Arc::new(nephoscope_gnocchi_client::connect(to).await?), None))
        }
        Some((scheme, _)) => Err(no_gnocchi(scheme).into()),
    }
}

fn no_gnocchi(scheme: &str) -> Failure {
    Failure::BadConfiguration(format!("`{scheme}` names no Gnocchi; known: embedded, gnocchi, gnocchi+https"))
}

async fn carry_out(command: PolicyCommand, gnocchi: &dyn Gnocchi) -> anyhow::Result<()> {
    match command {
        PolicyCommand::List(args) => {
            let policies = gnocchi.archive_policies().await?;
            if args.json {
                return print_json(&policies.iter().map(to_json).collect());
            }
            print_table(&policies)
        }
        PolicyCommand::Show(args) => {
            let policy = gnocchi.archive_policy(&args.name).await?;
            print(policy, args.place.json)
        }
        PolicyCommand::Create(args) => {
            let policy = ArchivePolicy {
                name: args.name,
                back_window: args.back_window,
                definition: args.definition,
                aggregation_methods: MethodChoice::choose(&args.aggregation_methods),
            };
            print(gnocchi.create_archive_policy(policy).await?, args.place.json)
        }
        PolicyCommand::Update(args) => {
            let changed = gnocchi.update_archive_policy(&args.name, args.definition, None).await?;
            print(changed, args.place.json)
        }
        PolicyCommand::Delete(args) => {
            gnocchi.delete_archive_policy(&args.name).await?;
            tracing::info!("the archive policy {} is deleted", args.name);
            Ok(())
        }
    }
}

fn print(policy: ArchivePolicy, as_json: bool) -> anyhow::Result<()> {
    if as_json { print_json(&to_json(&policy)) } else { print_table(&[policy]) }
}

fn print_json(value: &Value) -> anyhow::Result<()> {
    output::print(&format!("{value:#}\n"))
}

/// As Gnocchi's API has it.
fn to_json(policy: &ArchivePolicy) -> Value {
    let definition = policy.definition.iter().map(|definition| {
        json!({
            "granularity": definition.granularity.to_string(),
            "points": definition.points,
            "timespan": definition.timespan().map(|timespan| timespan.to_string()),
        })
    });
    json!({
        "name": policy.name,
        "back_window": policy.back_window,
        "definition": definition.collect::<Vec<_>>(),
        "aggregation_methods": methods(policy),
    })
}

fn print_table(policies: &[ArchivePolicy]) -> anyhow::Result<()> {
    let rows: Vec<_> = policies.iter().flat_map(rows).collect();
    let mut out = Vec::new();
    table::write(&COLUMNS, &rows, &mut out).context("cannot draw the table")?;
    output::print(&String::from_utf8(out)?)
}

fn rows(policy: &ArchivePolicy) -> Vec<Vec<String>> {
    let row = |(number, definition): (usize, &nephoscope_gnocchi::Definition)| {
        let of_policy = |text: String| if number == 0 { text } else { String::new() };
        vec![
            of_policy(policy.name.clone()),
            of_policy(policy.back_window.to_string()),
            definition.granularity.to_string(),
            definition.points.map_or("all".into(), |points| points.to_string()),
            definition.timespan().map_or("for ever".into(), |timespan| timespan.to_string()),
            of_policy(methods(policy).join(", ")),
        ]
    };
    policy.definition.iter().enumerate().map(row).collect()
}

/// In an order of their own: Gnocchi has a set of them, which comes in any.
fn methods(policy: &ArchivePolicy) -> Vec<String> {
    let mut methods = policy.aggregation_methods.clone();
    methods.sort();
    methods.iter().map(ToString::to_string).collect()
}
