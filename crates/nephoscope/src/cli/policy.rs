//! `nephoscope policy …`, in the words of `openstack metric archive-policy`.

use clap::{Args, Subcommand};
use nephoscope_gnocchi::{Definition, MethodChoice, Timespan};

use super::{DaemonArgs, Place};

/// `nephoscope policy …`
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// List the archive policies
    List(PoliciesArgs),
    /// Show an archive policy
    Show(PolicyArgs),
    /// Make an archive policy
    Create(NewPolicyArgs),
    /// Change how long an archive policy keeps aggregates
    Update(PolicyChangeArgs),
    /// Delete an archive policy that no metric and no rule uses
    Delete(PolicyDeletionArgs),
}

impl PolicyCommand {
    /// The Gnocchi that it is about.
    pub fn gnocchi(&self) -> &GnocchiArgs {
        match self {
            Self::List(args) => &args.gnocchi,
            Self::Show(args) => &args.place.gnocchi,
            Self::Create(args) => &args.place.gnocchi,
            Self::Update(args) => &args.place.gnocchi,
            Self::Delete(args) => &args.gnocchi,
        }
    }
}

/// The Gnocchi of a command.
#[derive(Args, Clone, Debug)]
pub struct GnocchiArgs {
    /// The Gnocchi, such as gnocchi://127.0.0.1:8041 for a daemon; without it the store of this machine
    #[arg(long, value_name = "CS")]
    pub connection_string: Option<Place>,
    /// Where the store of this machine is.
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// A Gnocchi, and how what it says is printed.
#[derive(Args, Clone, Debug)]
pub struct PoliciesArgs {
    /// Print JSON instead of a table, as Gnocchi's API has it
    #[arg(long)]
    pub json: bool,
    /// The Gnocchi.
    #[command(flatten)]
    pub gnocchi: GnocchiArgs,
}

/// `nephoscope policy show`
#[derive(Args, Debug)]
pub struct PolicyArgs {
    /// Name of the archive policy
    pub name: String,
    /// Where it is, and how it is printed.
    #[command(flatten)]
    pub place: PoliciesArgs,
}

/// `nephoscope policy create`
#[derive(Args, Debug)]
pub struct NewPolicyArgs {
    /// Name of the archive policy
    pub name: String,
    /// A resolution: two of granularity, points and timespan, such as granularity:1m,points:60; may be given several times
    #[arg(short, long, value_name = "DEFINITION", required = true, value_parser = definition)]
    pub definition: Vec<Definition>,
    /// How many periods behind the newest one still take measures
    #[arg(short, long, value_name = "PERIODS", default_value_t = 0)]
    pub back_window: u32,
    /// What is kept of each period, such as mean, 95pct or rate:mean; +95pct or -std beside the default ones; may be given
    /// several times
    #[arg(short = 'm', long = "aggregation-method", value_name = "METHOD", allow_hyphen_values = true)]
    pub aggregation_methods: Vec<MethodChoice>,
    /// Where it is made, and how it is printed.
    #[command(flatten)]
    pub place: PoliciesArgs,
}

/// `nephoscope policy update`
#[derive(Args, Debug)]
pub struct PolicyChangeArgs {
    /// Name of the archive policy
    pub name: String,
    /// A resolution with its granularity as it is, such as granularity:1m,points:120; each of them has to be given
    #[arg(short, long, value_name = "DEFINITION", required = true, value_parser = definition)]
    pub definition: Vec<Definition>,
    /// Where it is, and how it is printed.
    #[command(flatten)]
    pub place: PoliciesArgs,
}

/// `nephoscope policy delete`
#[derive(Args, Debug)]
pub struct PolicyDeletionArgs {
    /// Name of the archive policy
    pub name: String,
    /// Where it is.
    #[command(flatten)]
    pub gnocchi: GnocchiArgs,
}

fn definition(text: &str) -> Result<Definition, String> {
    let (mut granularity, mut points, mut timespan) = (None, None, None);
    for part in text.split(',') {
        let (name, value) = part.split_once(':').unwrap_or((part, ""));
        let span = || Timespan::parse(value).map_err(|error| format!("{name}: {error}"));
        match name {
            "granularity" => granularity = Some(span()?),
            "timespan" => timespan = Some(span()?),
            "points" => {
                let number = value.parse().ok().filter(|points| *points > 0);
                points = Some(number.ok_or("points: expected a number from 1")?);
            }
            _ => {
                return Err(
                    "expected two of granularity, points and timespan, as in granularity:1m,points:60".into(),
                );
            }
        }
    }
    Definition::of(granularity, points, timespan).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn two_of_three_say_it_in_any_order(seconds in 1_i64..100_000, points in 1_u64..10_000, turn: bool) {
            let granularity = Timespan::from_seconds(seconds).unwrap();
            let wanted = Definition { granularity, points: Some(points) };
            // With days a timespan has a comma, which parts what is said.
            let timespan = wanted.timespan().unwrap().as_seconds();
            let (granularity, points) = (format!("granularity:{seconds}s"), format!("points:{points}"));
            let timespan = format!("timespan:{timespan}");
            for (one, other) in [(&granularity, &points), (&granularity, &timespan), (&points, &timespan)] {
                let (one, other) = if turn { (one, other) } else { (other, one) };
                prop_assert_eq!(definition(&format!("{one},{other}")), Ok(wanted));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "[a-z0-9:, .-]*", value in ".*") {
            let _outcome = (definition(&text), definition(&format!("granularity:{value},points:{text}")));
        }
    }
}
