"""The publishers of Ceilometer 27, sending samples to connection strings.

  ceilometer_publishers.py SECRET URL…    sends two samples with the publisher of each URL, of an instance for each

`polling://HOST…` is what a polling agent sends: `telemetry.polling` notifications on the bus at `rabbit://HOST…`.
"""
import datetime
import sys

import oslo_messaging
from ceilometer import messaging, publisher, sample, service
from ceilometer.publisher import utils

INSTANCE = "2f1e0d3c-4b5a-4697-8877-a1b2c3d4e5f%d"
METADATA = {"display_name": "web-1", "host": "compute-1", "flavor": {"id": "1", "name": "m1.small"}, "rate": 0.1}


def samples(number):
    at = datetime.datetime(2026, 1, 31, 1, 0, 0, 123456).isoformat()
    common = dict(user_id="u", project_id="p", resource_id=INSTANCE % number, timestamp=at,
                  resource_metadata=METADATA)
    return [
        sample.Sample(name="cpu", type="cumulative", unit="ns", volume=1000 * number, **common),
        sample.Sample(name="memory.usage", type="gauge", unit="MB", volume=number + 0.5, **common),
    ]


def poll(conf, url, sent):
    transport = messaging.get_transport(conf, url)
    notifier = oslo_messaging.Notifier(transport, driver="messagingv2", publisher_id="ceilometer.polling",
                                       topics=["notifications"])
    messages = [utils.meter_message_from_counter(one, conf.publisher.telemetry_secret) for one in sent]
    notifier.sample({}, "telemetry.polling", {"samples": messages})


def main():
    secret, *urls = sys.argv[1:]
    conf = service.prepare_service([], [])
    conf.set_override("telemetry_secret", secret, group="publisher")
    for number, url in enumerate(urls, start=1):
        if url.startswith("polling://"):
            poll(conf, url.replace("polling://", "rabbit://", 1), samples(number))
        else:
            if url.startswith("notifier://"):
                conf.set_override("transport_url", url.replace("notifier://", "rabbit://", 1))
                url = "notifier://"
            publisher.get_publisher(conf, url, "ceilometer.sample.publisher").publish_samples(samples(number))


main()
