//! Which resource a sample belongs to, and what that resource is like.
//!
//! A sample measures a resource: an instance, a disk, a load balancer. Gnocchi keeps resources in types, each with
//! attributes of its own, so whoever sends samples there has to know the type and the attributes. Here a
//! [`ResourceType`] knows them for one type, and [`ResourceTypes`] finds it by the name of the meter:
//!
//! ```
//! use nephoscope_resource_types::openstack;
//! use nephoscope_telemetry::Sample;
//!
//! let sample = Sample::from_json(
//!     r#"{"name": "cpu", "type": "cumulative", "unit": "ns", "volume": 5, "resource_id": "2f1e0d3c",
//!         "timestamp": "2026-01-02T03:04:05", "resource_metadata": {"display_name": "web-1", "host": "h1"}}"#,
//! )?;
//! let types = openstack::resource_types();
//! let owner = types.owner(&sample.name).expect("cpu is a meter of OpenStack");
//! assert_eq!(owner.resource_type.name(), "instance");
//! assert_eq!(owner.meter.archive_policy.as_deref(), Some("ceilometer-low-rate"));
//! assert_eq!(owner.attributes(&sample).get("display_name"), Some(r#""web-1""#));
//! # Ok::<(), nephoscope_telemetry::BadRecord>(())
//! ```
//!
//! There are three places to get types from: [`openstack`] has those of today's OpenStack, [`Definitions`] reads
//! Ceilometer's `gnocchi_resources.yaml`, and any crate can write its own.
//!
#![doc = include_str!("../docs/adding-a-type.md")]
#![doc = ""]
//! Nothing here does I/O, reads a clock or keeps global state.

mod attributes;
mod declared;
mod definitions;
mod field;
pub mod jsonpath;
mod keys;
mod lifecycle;
mod mistake;
pub mod openstack;
mod plugin;
mod registry;
mod resource_type;
mod type_definition;
pub mod yaml;

pub use attributes::Attributes;
pub use declared::DeclaredType;
pub use definitions::Definitions;
pub use field::Field;
pub use lifecycle::{Associated, Change, Lifecycle, trait_value};
pub use mistake::Mistake;
pub use registry::{Owner, ResourceTypes};
pub use resource_type::{Meter, ResourceType};
pub use type_definition::{AttributeDefinition, TypeDefinition};
