#!/usr/bin/env python3
"""Records the samples of `nephoscope demo`: an hour of a virtual machine, metered by the real Ceilometer.

  record_samples.py > samples.jsonl        (needs ceilometer 27)

The hypervisor is a stand-in; pollsters, metadata, samples and the way they are written are Ceilometer's own.
"""
import datetime
import random
import sys
import tempfile
import types
import urllib.parse

from ceilometer import service
from ceilometer.compute import pollsters
from ceilometer.compute.pollsters import instance_stats, net
from ceilometer.compute.virt import inspector
from ceilometer.publisher import file

STEP = 300
BEGIN = datetime.datetime(2026, 1, 31, 11, 0, 2, tzinfo=datetime.timezone.utc)
LOAD = [0.06, 0.05, 0.07, 0.12, 0.31, 0.62, 0.88, 0.93, 0.74, 0.35, 0.14, 0.08]

web = types.SimpleNamespace(
    id="f3ac9d1e-5b0c-4c83-9f2a-1d0e7b6a5c42",
    name="web-1",
    user_id="8c1f4be0a7d94d6c9f0f6a3b2e5d7c11",
    tenant_id="b7d2a6f05e3c4a1d8b9e0c7f6a5d4e32",
    hostId="6e1b2a90c4d85f7730aa91b5e2c64f0d8b7a3c19e5f20d46",
    status="ACTIVE",
    flavor={"id": "3", "name": "m1.medium", "vcpus": 2, "ram": 4096, "disk": 40, "ephemeral": 0, "swap": 0},
    image={"id": "9a1c4b7e-2f60-4d3b-8e15-c0d9a8b7f6e5"},
    metadata={"metering.server_group": "web"},
    **{
        "OS-EXT-SRV-ATTR:instance_name": "instance-0000002a",
        "OS-EXT-SRV-ATTR:host": "compute-17",
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-AZ:availability_zone": "nova",
    },
)


class StandIn(inspector.Inspector):
    """Counts as a hypervisor does."""

    cpu, received, sent, load = 4_812_000_000_000, 91_338_112, 1_740_291_847, 0.0

    def work(self, load):
        self.load = load
        self.cpu += int(load * 2 * STEP * 1e9 * random.uniform(0.98, 1.02))
        self.received += int(load * 120e6 * random.uniform(0.9, 1.1))
        self.sent += int(load * 2.4e9 * random.uniform(0.9, 1.1))

    def inspect_instance(self, instance, duration):
        usage = round(1100 + 1900 * self.load + random.uniform(-40, 40), 1)
        return inspector.InstanceStats(cpu_number=2, cpu_time=self.cpu, memory_usage=usage)

    def inspect_vnics(self, instance, duration):
        yield inspector.InterfaceStats(
            name="tap7b1c2d3e-4f", mac="fa:16:3e:aa:01:02", fref=None, parameters={},
            rx_bytes=self.received, tx_bytes=self.sent, rx_packets=0, tx_packets=0, rx_drop=0, tx_drop=0,
            rx_errors=0, tx_errors=0, rx_bytes_delta=0, tx_bytes_delta=0)


random.seed(17)
conf = service.prepare_service([], [])
hypervisor = pollsters.GenericComputePollster._inspector = StandIn(conf)
polled = [kind(conf) for kind in (
    instance_stats.CPUPollster, instance_stats.MemoryUsagePollster, instance_stats.VCPUsPollster,
    net.IncomingBytesPollster, net.OutgoingBytesPollster)]
for pollster in polled:
    pollster.setup_environment()
with tempfile.NamedTemporaryFile() as out:
    publisher = file.FilePublisher(conf, urllib.parse.urlparse(f"file://{out.name}?json"))
    for step, load in enumerate(LOAD):
        hypervisor.work(load)
        polled_at = (BEGIN + datetime.timedelta(seconds=step * STEP)).isoformat()
        cache = {}
        for pollster in polled:
            samples = list(pollster.get_samples(None, cache, [web]))
            for sample in samples:
                # As the polling agent does.
                sample.set_timestamp(polled_at)
            publisher.publish_samples(samples)
    sys.stdout.write(open(out.name).read())
