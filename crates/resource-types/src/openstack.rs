//! The resource types of today's OpenStack: every meter of Ceilometer 27.

use nephoscope_gnocchi::AttributeKind::{Datetime, Uuid};
use nephoscope_gnocchi::AttributeValue;

use crate::{Definitions, ResourceTypes, TypeDefinition};

/// What the built-in definitions are called in mistakes, of which they have none.
const FILE: &str = "openstack.yaml";

/// The definitions that are in force where an operator has none: types, archive policies, which meter has which.
///
/// Their text, to begin one's own with, is [`DEFINITIONS`].
pub fn definitions() -> Definitions {
    Definitions::read(DEFINITIONS, FILE, None).0
}

/// The types of [`definitions`], by their meters.
pub fn resource_types() -> ResourceTypes {
    definitions().into_types()
}

/// The text of [`definitions`].
pub const DEFINITIONS: &str = include_str!("../definitions/openstack.yaml");

/// What Gnocchi has to know of these types, as `ceilometer-upgrade` leaves them: three more than there are meters for, which
/// Ceilometer had in earlier days and resources of which may still be there.
pub fn type_definitions() -> Vec<TypeDefinition> {
    let named = TypeDefinition::new;
    let empty = || AttributeValue::String(String::new());
    // What was required from the beginning needs nothing to fill it with.
    let none = || AttributeValue::Null;
    let part_of_instance = |name| {
        let part = named(name).with_text("name").required(none());
        part.with("instance_id", Uuid).required(none())
    };
    let part_of_host = |name| named(name).with_text("host_name").required(none()).with_text("device_name");
    vec![
        // Compute.
        named("instance")
            .with_text("display_name")
            .required(none())
            .with_text("flavor_id")
            .required(none())
            .with_text("flavor_name")
            .required(empty())
            .with_text("image_ref")
            .with_text("host")
            .with_text("availability_zone")
            .with_text("server_group")
            .with("created_at", Datetime)
            .with("launched_at", Datetime)
            .with("deleted_at", Datetime),
        part_of_instance("instance_disk"),
        part_of_instance("instance_network_interface"),
        named("nova_compute").with_text("host_name").required(none()),
        // Hosts, by SNMP, in earlier days of Ceilometer.
        named("host").with_text("host_name").required(none()),
        part_of_host("host_disk"),
        part_of_host("host_network_interface"),
        // Block storage.
        named("volume")
            .with_text("display_name")
            .with_text("volume_type")
            .with_text("volume_type_id")
            .with("image_id", Uuid)
            .with("instance_id", Uuid),
        named("volume_provider"),
        named("volume_provider_pool").with_text("provider").required(none()),
        named("volume_service").with_text("host").with_text("binary").with_text("zone").with_text("status"),
        // Shares.
        named("manila_share")
            .with_text("name")
            .with_text("host")
            .required(none())
            .with_text("protocol")
            .with_text("availability_zone")
            .with_text("status")
            .required(none()),
        // Objects.
        named("swift_account").with_text("storage_policy"),
        named("ceph_account"),
        // Images.
        named("image")
            .with_text("name")
            .required(none())
            .with_text("container_format")
            .with_text("disk_format"),
        // Network.
        named("network"),
        named("loadbalancer")
            .with_text("name")
            .with_text("availability_zone")
            .with_text("vip_address")
            .with_text("provider"),
        named("dns_zone")
            .with_text("zone_name")
            .with_text("email")
            .with_text("zone_type")
            .with_text("pool_id"),
        // The rest.
        named("identity"),
        named("stack"),
        named("ipmi"),
        named("ipmi_sensor").with_text("node").required(none()),
    ]
}
