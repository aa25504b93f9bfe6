//! How a metric's measures are kept.

use crate::{AggregationMethod, Timespan};

/// How the measures of a metric are aggregated, and for how long the aggregates are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivePolicy {
    /// Its name.
    pub name: String,
    /// How many periods of the coarsest granularity behind the newest one take late measures.
    pub back_window: u32,
    /// The resolutions, from fine to coarse; at least one, each granularity once.
    pub definition: Vec<Definition>,
    /// What is kept of each period; each once.
    pub aggregation_methods: Vec<AggregationMethod>,
}

/// One resolution of an [`ArchivePolicy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Length of a period.
    pub granularity: Timespan,
    /// How many periods are kept, counted back from the newest point; all, where there is none.
    pub points: Option<u64>,
}

/// Why what is said of a resolution makes none, in Gnocchi's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// There is no granularity, and it cannot be calculated.
    #[error("At least two of granularity/points/timespan must be provided")]
    TooLittle,
    /// All three are there, and do not agree.
    #[error("timespan ≠ granularity × points")]
    Contradiction,
    /// The timespan is shorter than the granularity.
    #[error("Calculated number of points is < 0")]
    NoPoints,
    /// There are more points than the timespan has nanoseconds.
    #[error("Granularity should be > 0")]
    NoGranularity,
}

impl Definition {
    /// Of two of the three, of all three where they agree, or of a granularity alone.
    pub fn of(
        granularity: Option<Timespan>,
        points: Option<u64>,
        timespan: Option<Timespan>,
    ) -> Result<Self, DefinitionError> {
        match (granularity, points, timespan) {
            (Some(granularity), Some(points), Some(timespan)) => {
                let definition = Self { granularity, points: Some(points) };
                let agree = definition.timespan() == Some(timespan);
                if agree { Ok(definition) } else { Err(DefinitionError::Contradiction) }
            }
            (Some(granularity), points, None) => Ok(Self { granularity, points }),
            (Some(granularity), None, Some(timespan)) => {
                let points = u64::try_from(timespan.as_nanos() / granularity.as_nanos()).unwrap_or_default();
                let definition = Self { granularity, points: Some(points) };
                if points == 0 { Err(DefinitionError::NoPoints) } else { Ok(definition) }
            }
            (None, Some(points), Some(timespan)) => {
                let nanos =
                    i64::try_from(points).ok().and_then(|points| timespan.as_nanos().checked_div(points));
                let granularity =
                    nanos.and_then(Timespan::from_nanos).ok_or(DefinitionError::NoGranularity)?;
                Ok(Self { granularity, points: Some(points) })
            }
            (None, _, _) => Err(DefinitionError::TooLittle),
        }
    }

    /// How long the aggregates reach back; for ever, where there is none.
    pub fn timespan(&self) -> Option<Timespan> {
        let points = i64::try_from(self.points?).unwrap_or(i64::MAX);
        Timespan::from_nanos(self.granularity.as_nanos().saturating_mul(points))
    }
}

impl ArchivePolicy {
    /// The coarsest granularity, whose periods the back window counts.
    pub fn coarsest(&self) -> Option<Timespan> {
        self.definition.iter().map(|definition| definition.granularity).max()
    }
}

/// Which policy a metric gets that names none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivePolicyRule {
    /// Its name.
    pub name: String,
    /// A shell pattern on the metric's name.
    pub metric_pattern: String,
    /// The policy.
    pub archive_policy_name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_three_make_a_resolution() {
        let seconds = |seconds: f64| Timespan::from_seconds_f64(seconds).ok();
        let minute = Definition { granularity: seconds(60.0).unwrap(), points: Some(60) };
        for (granularity, points, timespan, made) in [
            (seconds(60.0), Some(60), None, Ok(minute)),
            (seconds(60.0), None, seconds(3659.0), Ok(minute)),
            (None, Some(60), seconds(3600.0), Ok(minute)),
            (seconds(60.0), Some(60), seconds(3600.0), Ok(minute)),
            (seconds(60.0), None, None, Ok(Definition { points: None, ..minute })),
            (seconds(60.0), Some(60), seconds(3601.0), Err(DefinitionError::Contradiction)),
            (seconds(60.0), None, seconds(59.0), Err(DefinitionError::NoPoints)),
            (None, Some(u64::MAX), seconds(1.0), Err(DefinitionError::NoGranularity)),
            (None, Some(0), seconds(1.0), Err(DefinitionError::NoGranularity)),
            (None, Some(60), None, Err(DefinitionError::TooLittle)),
            (None, None, None, Err(DefinitionError::TooLittle)),
        ] {
            assert_eq!(Definition::of(granularity, points, timespan), made);
        }
    }
}
