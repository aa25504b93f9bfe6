//! Routes, and a list of them.

use axum::Router;
use axum::routing::MethodRouter;

/// Routes, of which it is known what each takes, so that the document of the API can be held against them.
pub(crate) struct Routes<S> {
    router: Router<S>,
    listed: Vec<(&'static str, &'static str)>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub(crate) fn new() -> Self {
        Self { router: Router::new(), listed: Vec::new() }
    }

    /// A route, and the methods that it takes: `GET, POST`.
    pub(crate) fn route(
        mut self,
        path: &'static str,
        allowed: &'static str,
        methods: MethodRouter<S>,
    ) -> Self {
        self.listed.push((path, allowed));
        self.router = self.router.route(path, methods);
        self
    }

    /// The same with and without a slash at its end.
    pub(crate) fn at(self, path: &'static str, allowed: &'static str, methods: MethodRouter<S>) -> Self {
        let mut routes = self.route(path, allowed, methods.clone());
        routes.router = routes.router.route(&format!("{path}/"), methods);
        routes
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.listed.extend(other.listed);
        self
    }

    /// Each path with its methods.
    #[cfg(test)]
    pub(crate) fn listed(&self) -> &[(&'static str, &'static str)] {
        &self.listed
    }

    pub(crate) fn into_router(self) -> Router<S> {
        self.router
    }
}
