//! Samples of many messages, by resource and metric.

use std::borrow::Cow;
use std::collections::HashMap;

use indexmap::IndexMap;
use nephoscope_gnocchi::{Creator, Measure, NamedMetric, ResourceMeasures, Timestamp, resource_uuid};
use nephoscope_resource_types::{Attributes, ResourceTypes};
use nephoscope_telemetry::{Refused, Sample};
use xxhash_rust::xxh3::xxh3_128;

use super::filter::LeftOut;

/// The type of resources that have no other.
const GENERIC: &str = "generic";
/// About how much is known of an instance, which has more attributes than most.
const FINGERPRINTED_BYTES: usize = 1024;

/// A batch of samples by their resources, in the order in which those are met.
#[derive(Debug, Default)]
pub(super) struct Merged<'a> {
    pub(super) resources: Vec<OfResource<'a>>,
    /// Samples that no Gnocchi would take.
    pub(super) refused: Vec<Refused>,
}

/// The samples of one resource, and what they say of it.
#[derive(Debug)]
pub(super) struct OfResource<'a> {
    pub(super) resource_type: &'a str,
    pub(super) id: Cow<'a, str>,
    pub(super) user_id: Option<&'a str>,
    pub(super) project_id: Option<&'a str>,
    /// As the samples say together; what comes later counts.
    pub(super) attributes: Attributes<'a>,
    /// Which samples: their places.
    pub(super) samples: Vec<usize>,
    /// It cannot be made.
    pub(super) is_refused: bool,
    /// What the attributes were read from last: mostly the next sample says the same.
    read_from: &'a str,
    /// Policy, unit and measures of each metric.
    metrics: IndexMap<&'a str, OfMetric<'a>>,
}

#[derive(Debug)]
struct OfMetric<'a> {
    archive_policy: Option<&'a str>,
    unit: Option<&'a str>,
    measures: Vec<Measure>,
}

impl<'a> Merged<'a> {
    /// Metrics of meters that nobody has get the policy `unowned`; without one they are left out.
    pub(super) fn of(
        samples: &'a [Sample],
        types: &'a ResourceTypes,
        unowned: Option<&'a str>,
        left_out: &LeftOut,
    ) -> Self {
        let mut merged = Self::default();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (at, sample) in samples.iter().enumerate() {
            let owner = types.owner(&sample.name);
            if owner.is_none() && unowned.is_none() {
                continue;
            }
            let resource_type = owner.map_or(GENERIC, |owner| owner.resource_type.name());
            // Nothing was measured.
            if sample.volume.as_str() == "null" || left_out.has(sample, resource_type) {
                continue;
            }
            let measure = match measure(sample) {
                Ok(measure) => measure,
                Err(reason) => {
                    merged.refused.push(Refused { at, reason });
                    continue;
                }
            };
            let place = match places.get(&*sample.resource_id) {
                Some(&place) => place,
                None => match OfResource::new(resource_type, sample) {
                    Ok(resource) => {
                        merged.resources.push(resource);
                        places.insert(&sample.resource_id, merged.resources.len() - 1);
                        merged.resources.len() - 1
                    }
                    Err(reason) => {
                        merged.refused.push(Refused { at, reason });
                        continue;
                    }
                },
            };
            let resource = &mut merged.resources[place];
            resource.samples.push(at);
            resource.project_id = sample.project_id.as_deref().or(resource.project_id);
            if let Some(owner) = owner
                && resource.read_from != sample.metadata.as_str()
            {
                resource.read_from = sample.metadata.as_str();
                owner.resource_type.attributes(sample, &mut resource.attributes);
            }
            let metric = resource.metrics.entry(&sample.name).or_insert_with(|| OfMetric {
                archive_policy: match owner {
                    Some(owner) => owner.meter.archive_policy.as_deref(),
                    None => unowned,
                },
                unit: Some(sample.unit.as_str())
                    .filter(|unit| !unit.is_empty())
                    .or_else(|| owner.and_then(|owner| owner.meter.unit.as_deref())),
                measures: Vec::new(),
            });
            metric.measures.push(measure);
        }
        merged
    }

    /// What is to be sent: all but the resources that were refused.
    pub(super) fn measures(&self) -> Vec<ResourceMeasures> {
        let resources = self.resources.iter().filter(|resource| !resource.is_refused);
        resources.map(OfResource::measures).collect()
    }
}

impl<'a> OfResource<'a> {
    /// Or why Gnocchi can have no such resource.
    fn new(resource_type: &'a str, sample: &'a Sample) -> Result<Self, String> {
        let id = sample.resource_id.as_str();
        // No resource of Gnocchi has a slash in its id; Ceilometer writes this instead.
        let id = if id.contains('/') { Cow::Owned(id.replace('/', "_")) } else { Cow::Borrowed(id) };
        resource_uuid(&id, &Creator::default())
            .map_err(|error| format!("its resource has no id: {error}"))?;
        Ok(Self {
            resource_type,
            id,
            user_id: sample.user_id.as_deref(),
            project_id: None,
            attributes: Attributes::new(),
            samples: Vec::new(),
            is_refused: false,
            read_from: "",
            metrics: IndexMap::new(),
        })
    }

    fn measures(&self) -> ResourceMeasures {
        let metrics = self.metrics.iter().map(|(name, metric)| {
            let new = NamedMetric::New {
                archive_policy_name: metric.archive_policy.map(str::to_owned),
                unit: metric.unit.map(str::to_owned),
            };
            ((*name).to_owned(), (new, metric.measures.clone()))
        });
        ResourceMeasures { resource_id: self.id.to_string(), metrics: metrics.collect() }
    }

    /// Tells the resource from all others.
    pub(super) fn key(&self) -> u128 {
        xxh3_128(self.id.as_bytes())
    }

    /// Tells what is known of the resource from everything else that could be.
    pub(super) fn fingerprint(&self) -> u128 {
        let mut attributes: Vec<_> = self.attributes.iter().collect();
        attributes.sort_unstable();
        let mut all = Vec::with_capacity(FINGERPRINTED_BYTES);
        let mut part = |text: &str| {
            all.extend((text.len() as u64).to_le_bytes());
            all.extend(text.as_bytes());
        };
        part(self.resource_type);
        part(self.project_id.unwrap_or_default());
        for (name, value) in attributes {
            part(name);
            part(value);
        }
        xxh3_128(&all)
    }
}

/// The value and the moment.
fn measure(sample: &Sample) -> Result<Measure, String> {
    let value = sample.value().ok_or_else(|| format!("its volume {} is no number", sample.volume))?;
    let timestamp = Timestamp::parse(&sample.timestamp, Timestamp::EPOCH)
        .map_err(|error| format!("its timestamp `{}` cannot be read: {error}", sample.timestamp))?;
    Ok(Measure { timestamp, value })
}
