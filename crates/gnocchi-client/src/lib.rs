//! A Gnocchi on another machine, over its REST API: the trait [`Gnocchi`](nephoscope_gnocchi::Gnocchi) for
//! `gnocchi://[user[:password]@]host[:8041][/prefix]` and `gnocchi+https://…`.
//!
//! | option | meaning |
//! |---|---|
//! | `auth` | `keystone`, `basic` or `none`; without it `keystone` where a Keystone is named, else `basic` |
//! | `auth_url`, `project`, `user_domain`, `token`, … | Keystone, and who we are there: see [`nephoscope_keystone`] |
//! | `cloud` | a cloud of `clouds.yaml`, which says all of that: see [`with_cloud`](nephoscope_keystone::with_cloud) |
//! | `region`, `interface` | which endpoint of the catalog, where no host is named; `interface` is `public` otherwise |
//! | `project_id` | of `auth=none`: the project that what is made belongs to |
//! | `refresh` | whether reading a metric makes Gnocchi process first what waits for it (`false`) |
//! | `timeout`, `connect_timeout` | seconds that a server may be silent (20), and to reach it (5) |
//! | `cacert`, `cert`, `key`, `insecure` | TLS, as OpenStack's clients call it |
//!
//! With `auth=basic` Gnocchi believes whoever says that they are a user, `admin` if none is named; with `auth=none` the
//! headers that its middleware for Keystone makes are sent as they are, for a Gnocchi without that middleware.
//!
//! What is [`Unavailable`](nephoscope_gnocchi::Error::Unavailable) is tried again where doing it twice is doing it once.
//! The API does not tell everything that the trait does: the number of an old revision is 0 here, and times of aggregates
//! are cut off to whole seconds.
//!
//! Source: Gnocchi 4.7.1, as the tests run it.

mod api;
mod choice;
mod connect;
mod json;
mod pages;
mod path;
mod read;
mod refusal;
mod remote;
mod types;
mod write;

pub use connect::connect;
pub use remote::Remote;

#[cfg(test)]
mod tests;
