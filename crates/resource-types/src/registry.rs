//! Resource types by their meters.

use std::collections::HashMap;
use std::sync::Arc;

use nephoscope_telemetry::{BadRecord, Event, Sample};
use smol_str::SmolStr;

use crate::{Attributes, Lifecycle, Meter, ResourceType};

/// All resource types, found by the name of a meter.
///
/// A meter belongs to one type. Of types that have the same the one that was added last gets it. What nobody has is
/// nobody's: whether its samples go to a `generic` resource or nowhere is for the caller to say.
#[derive(Clone, Debug, Default)]
pub struct ResourceTypes {
    types: Vec<Arc<dyn ResourceType>>,
    /// Which type, and which of its meters.
    meters: HashMap<SmolStr, (usize, usize)>,
}

/// A meter and the type that it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// The type.
    pub resource_type: &'a dyn ResourceType,
    /// The meter, as the type has it.
    pub meter: &'a Meter,
}

impl<'a> Owner<'a> {
    /// What a sample of this meter says of its resource.
    pub fn attributes(&self, sample: &'a Sample) -> Attributes<'a> {
        let mut attributes = Attributes::new();
        self.resource_type.attributes(sample, &mut attributes);
        attributes
    }
}

impl ResourceTypes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, which takes its meters from those that have them so far.
    pub fn add(&mut self, resource_type: impl ResourceType + 'static) {
        self.add_shared(Arc::new(resource_type));
    }

    /// As [`add`](Self::add), of one that others have, too.
    pub fn add_shared(&mut self, resource_type: Arc<dyn ResourceType>) {
        let which = self.types.len();
        for (nth, meter) in resource_type.meters().iter().enumerate() {
            self.meters.insert(meter.name.clone(), (which, nth));
        }
        self.types.push(resource_type);
    }

    /// Whose a meter is.
    pub fn owner(&self, meter: &str) -> Option<Owner<'_>> {
        let &(which, nth) = self.meters.get(meter)?;
        let resource_type = &*self.types[which];
        Some(Owner { resource_type, meter: resource_type.meters().get(nth)? })
    }

    /// What an event means: what the first type says to whom it means something.
    pub fn lifecycle<'a>(&'a self, event: &'a Event) -> Result<Option<Lifecycle<'a>>, BadRecord> {
        for resource_type in &self.types {
            if let Some(lifecycle) = resource_type.lifecycle(event)? {
                return Ok(Some(lifecycle));
            }
        }
        Ok(None)
    }

    /// All types, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &dyn ResourceType> {
        self.types.iter().map(|resource_type| &**resource_type)
    }

    /// All meters with their owners, in no order.
    pub fn owners(&self) -> impl Iterator<Item = Owner<'_>> {
        self.meters.keys().filter_map(|meter| self.owner(meter))
    }
}

impl<T: ResourceType + 'static> Extend<T> for ResourceTypes {
    fn extend<I: IntoIterator<Item = T>>(&mut self, types: I) {
        for resource_type in types {
            self.add(resource_type);
        }
    }
}
