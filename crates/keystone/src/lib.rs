//! Tokens and endpoints from OpenStack's Keystone, version 3 of its API.
//!
//! What a connection string leaves to `clouds.yaml` or the environment, [`with_cloud`] adds to it.
//!
//! A [`Keystone`] logs in by password, application credential or token, as the options of a connection string say, and
//! gives a [`Session`]: a token, and the catalog of services. It logs in again before a token ends, and once when a
//! service refuses one.
//!
//! It also tells the [address of a service](Keystone::address) and the [id of a project](Keystone::project_id) that somebody
//! named.
//!
//! A service that is shown tokens asks [`Bearers`] whose they are.
//!
//! Source: the API reference of Keystone ("Authentication and token management"), and Keystone 30 as the tests run it.

mod bearer;
mod bearers;
mod catalog;
mod cloud;
mod environment;
mod keystone;
mod login;
mod place;
mod project;
mod session;

pub use bearer::Bearer;
pub use bearers::{Bearers, DEFAULT_CACHE_TIME};
pub use catalog::Service;
pub use environment::with_cloud;
pub use keystone::Keystone;
pub use login::OPTIONS;
pub use place::{ENDPOINT_OPTIONS, refuse_options};
pub use session::Session;

#[cfg(test)]
mod tests;
