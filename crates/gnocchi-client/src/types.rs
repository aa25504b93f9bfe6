//! Resource types that were seen lately: they tell of what kinds the attributes of resources are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use nephoscope_gnocchi::ResourceType;

/// How long a type is believed to be as it was. One whose resources do not fit it is asked for again at once.
const BELIEVED_FOR: Duration = Duration::from_secs(60);
/// How many are kept: several times those of OpenStack.
const MAX_KEPT: usize = 1000;

/// Types by name, each with when it was seen. A lock that is never held while anybody waits for an answer.
#[derive(Debug, Default)]
pub(crate) struct Types(Mutex<HashMap<String, (Arc<ResourceType>, Instant)>>);

impl Types {
    /// The type with that name, if it was seen lately.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<ResourceType>> {
        let types = self.lock();
        let (resource_type, seen) = types.get(name)?;
        (seen.elapsed() < BELIEVED_FOR).then(|| resource_type.clone())
    }

    pub(crate) fn keep(&self, resource_type: &ResourceType) -> Arc<ResourceType> {
        let kept = Arc::new(resource_type.clone());
        let mut types = self.lock();
        if types.len() >= MAX_KEPT {
            types.clear();
        }
        types.insert(kept.name.clone(), (kept.clone(), Instant::now()));
        kept
    }

    pub(crate) fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Arc<ResourceType>, Instant)>> {
        self.0.lock().expect("nobody panics with the lock")
    }
}
