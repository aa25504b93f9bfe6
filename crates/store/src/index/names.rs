//! Texts that many metrics share, each kept once.

use std::collections::HashMap;
use std::sync::Arc;

/// The number of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name(u32);

/// Names, units, creators of metrics. A text stays until the store is opened again: a cloud knows few of them.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<Arc<str>, Name>,
    texts: Vec<Arc<str>>,
}

impl Names {
    /// The number of a text, which gets one when it has none.
    pub(super) fn intern(&mut self, text: &Arc<str>) -> Name {
        if let Some(name) = self.numbers.get(text) {
            return *name;
        }
        let name = Name(u32::try_from(self.texts.len()).expect("memory ends before four billion texts"));
        self.texts.push(text.clone());
        self.numbers.insert(text.clone(), name);
        name
    }

    /// The number of a text that has one.
    pub(super) fn find(&self, text: &str) -> Option<Name> {
        self.numbers.get(text).copied()
    }

    pub(super) fn text(&self, name: Name) -> &Arc<str> {
        &self.texts[name.0 as usize]
    }
}
