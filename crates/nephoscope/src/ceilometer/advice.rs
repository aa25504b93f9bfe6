//! What to do about options that have no equivalent.

const LOGGING: &str =
    "the log is standard error, which systemd keeps in its journal; NEPHOSCOPE_LOG says how much";
const POLLING: &str = "it is for polling agents, which go on as they are: leave it in their ceilometer.conf";
const PROCESSES: &str = "nothing to do: one process uses all cores, and makes its batches itself";
pub(super) const CONNECTION: &str =
    "nothing to do: one connection to the bus is kept, watched, and opened again when it breaks";
const NOTIFICATIONS: &str = "it is about what is made of the notifications of services, which the agent did: docs/deploying.md \
                             tells how that goes on";
const SENDERS: &str = "it is for those who send; take care that they go on having it";
const FORMER: &str = "it is of services that Ceilometer no longer has";

/// What to do about an option of a section.
pub(super) fn about(section: &str, name: &str) -> &'static str {
    match (section, name) {
        (_, "debug" | "verbose") => "NEPHOSCOPE_LOG says how much is logged, as in NEPHOSCOPE_LOG=debug",
        ("oslo_messaging_rabbit", "ssl_enforce_hostname_verification") => {
            "the name in the certificate of a broker is always looked at: it has to be that of the transport URL"
        }
        ("oslo_messaging_rabbit", "kombu_compression") => SENDERS,
        ("oslo_messaging_rabbit", _) => CONNECTION,
        ("oslo_messaging_kafka" | "oslo_messaging_amqp" | "oslo_messaging_zmq", _) => {
            "only RabbitMQ is spoken: let an agent stay at that bus, and publish to this daemon"
        }
        ("oslo_messaging_notifications" | "publisher_notifier", _) | ("DEFAULT", "control_exchange") => {
            SENDERS
        }
        ("notification", "workers" | "batch_size" | "batch_timeout")
        | (
            "DEFAULT",
            "notification_workers"
            | "max_parallel_requests"
            | "executor_thread_pool_size"
            | "rpc_thread_pool_size",
        ) => PROCESSES,
        ("notification", "ack_on_event_error") => {
            "nothing to do: what fails is tried again, and what is refused for good is kept in dead-letters.jsonl"
        }
        ("notification" | "event" | "meter", _)
        | ("DEFAULT", "sample_source" | "pipeline_cfg_file" | "event_pipeline_cfg_file")
        | (
            "DEFAULT",
            "reserved_metadata_namespace" | "reserved_metadata_length" | "reserved_metadata_keys",
        ) => NOTIFICATIONS,
        ("coordination", _) => {
            "collectors share the queues of a bus without a coordinator; polling agents go on needing theirs"
        }
        ("cache", _) => "nothing to do: what Gnocchi knows of its resources is remembered in data_dir",
        ("database", "metering_time_to_live" | "time_to_live" | "event_time_to_live") => {
            "the archive policies of the definitions say how long: change them there, or in Gnocchi"
        }
        (
            "database" | "api" | "collector" | "alarm" | "keystone_authtoken" | "oslo_policy"
            | "oslo_middleware",
            _,
        ) => FORMER,
        ("DEFAULT", "host") => "nothing to do: it is a part of names on the bus",
        ("DEFAULT", name) if is_about_logging(name) => LOGGING,
        (
            "DEFAULT",
            "graceful_shutdown_timeout" | "rpc_response_timeout" | "rpc_ping_enabled" | "log_options",
        )
        | ("DEFAULT", "backdoor_port" | "backdoor_socket" | "rootwrap_config")
        | ("oslo_reports" | "oslo_concurrency", _) => "nothing to do: it is about Ceilometer's own processes",
        (
            "DEFAULT" | "polling" | "compute" | "hardware" | "ipmi" | "rgw_admin_credentials" | "rgw_client",
            _,
        )
        | ("service_types" | "vmware" | "xenapi" | "monasca" | "zaqar", _) => POLLING,
        (_, "system_scope" | "domain_id" | "domain_name" | "trust_id") => {
            "the user logs in to a project: docs/gnocchi.md has all that may stand in gnocchi://"
        }
        (_, "timeout") => {
            "the option `timeout` of the dispatcher is how many seconds Gnocchi may be silent; 20 otherwise"
        }
        (_, "collect_timing" | "split_loggers" | "tls_ciphers" | "tls_min_version") => {
            "nothing to do: TLS is 1.2 or later with ciphers of today"
        }
        _ => "it is not known here; docs/daemon.md has all settings",
    }
}

fn is_about_logging(name: &str) -> bool {
    [
        "log",
        "use_",
        "syslog",
        "max_logfile",
        "default_log",
        "instance_",
        "rate_limit",
        "publish_errors",
        "fatal_",
    ]
    .iter()
    .any(|beginning| name.starts_with(beginning))
}
