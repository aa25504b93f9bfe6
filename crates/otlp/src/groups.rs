//! Spans put together under the resources and scopes that they share.

use std::collections::HashMap;

use prost::Message;

use crate::proto::{ResourceSpans, ScopeSpans, Span};

/// A span and where it belongs: a resource and a scope, each without spans of its own.
#[derive(Debug, Default)]
pub(crate) struct Placed {
    pub(crate) resource: ResourceSpans,
    pub(crate) scope: ScopeSpans,
    pub(crate) span: Span,
}

/// Groups in the order in which they were first met.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: Vec<ResourceSpans>,
    /// Where the group of an encoded resource is.
    resources: HashMap<Vec<u8>, usize>,
    /// Where in the group of a resource that of an encoded scope is.
    scopes: HashMap<(usize, Vec<u8>), usize>,
}

impl Groups {
    pub(crate) fn add(&mut self, Placed { resource, scope, span }: Placed) {
        let at = *self.resources.entry(resource.encode_to_vec()).or_insert_with(|| {
            self.groups.push(resource);
            self.groups.len() - 1
        });
        let scopes = &mut self.groups[at].scope_spans;
        let scope_at = *self.scopes.entry((at, scope.encode_to_vec())).or_insert_with(|| {
            scopes.push(scope);
            scopes.len() - 1
        });
        scopes[scope_at].spans.push(span);
    }

    pub(crate) fn finish(self) -> Vec<ResourceSpans> {
        self.groups
    }
}
