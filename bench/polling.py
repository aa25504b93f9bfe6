"""Samples as Ceilometer's polling agents send them: some 1,150 bytes of JSON each."""
import datetime
import json
import uuid

METERS = [("cpu", "cumulative", "ns"), ("memory.usage", "gauge", "MB"), ("disk.root.size", "gauge", "GB"),
          ("vcpus", "gauge", "vcpu"), ("memory", "gauge", "MB"), ("power.state", "gauge", "state"),
          ("memory.resident", "gauge", "MB"), ("disk.ephemeral.size", "gauge", "GB"),
          ("memory.available", "gauge", "MB"), ("memory.swap.in", "cumulative", "MB")]
IMAGE = "3c9dd8c8-51b0-4d55-a3a3-0a4b2c5a6f10"
FIRST = datetime.datetime(2026, 1, 31)


class Cloud:
    """So many instances, and what a round over all their meters gives."""

    def __init__(self, instances):
        self.instances = [str(uuid.UUID(int=0x5AFE << 64 | number)) for number in range(instances)]
        self.before = [self.sample(number, id) for number, id in enumerate(self.instances)]

    def sample(self, number, id):
        """The text of a sample up to what differs from round to round."""
        project = f"{number % 20:032x}"
        flavor = {"id": "42", "name": "m1.small", "vcpus": 1, "ram": 2048, "disk": 20, "ephemeral": 0, "swap": 0}
        metadata = {"display_name": f"web-{number}", "name": f"instance-{number:08x}", "instance_id": id,
                    "instance_host": f"compute-{number % 16}.example.org", "instance_type": "m1.small", "flavor": flavor,
                    "host": f"{number % 16:056x}", "status": "active", "state": "running", "task_state": "",
                    "image": {"id": IMAGE}, "image_ref": IMAGE, "image_ref_url": None, "architecture": "x86_64",
                    "OS-EXT-AZ:availability_zone": "nova", "vcpus": 1, "memory_mb": 2048, "disk_gb": 20,
                    "ephemeral_gb": 0, "root_gb": 20, "launched_at": "2026-01-01T10:00:00",
                    "created_at": "2026-01-01T09:59:00"}
        return json.dumps({"source": "openstack", "user_id": f"{number % 7:032x}", "user_name": None,
                           "project_id": project, "project_name": None, "resource_id": id, "message_signature": "",
                           "resource_metadata": metadata})[:-1]

    def samples(self, count):
        """So many, a meter of all instances after the other, each round ten seconds later."""
        sent = 0
        while True:
            for name, kind, unit in METERS:
                at = FIRST + datetime.timedelta(seconds=10 * (sent // len(METERS) // len(self.instances)))
                meter = f', "counter_name": "{name}", "counter_type": "{kind}", "counter_unit": "{unit}", "timestamp": "{at.isoformat()}+00:00"'
                for before in self.before:
                    if sent == count:
                        return
                    yield (f'{before}{meter}, "counter_volume": {sent}, "monotonic_time": {1000.5 + sent}, '
                           f'"message_id": "{uuid.UUID(int=sent)}"}}')
                    sent += 1

    def notifications(self, count, each):
        """The same as messages of the bus."""
        some = []
        for sample in self.samples(count):
            some.append(sample)
            if len(some) == each:
                yield notification(some)
                some = []
        if some:
            yield notification(some)


def notification(samples):
    id = uuid.uuid4()
    message = (f'{{"message_id": "{id}", "publisher_id": "ceilometer.polling", "priority": "SAMPLE", '
               f'"event_type": "telemetry.polling", "payload": {{"samples": [{", ".join(samples)}]}}, '
               f'"timestamp": "2026-01-31 12:00:00.000000", "_unique_id": "{id.hex}"}}')
    return json.dumps({"oslo.version": "2.0", "oslo.message": message})
