"""What a cloud measures, as the bodies of requests: to Gnocchi, or to us, and to VictoriaMetrics in its own format.

Everything is made before any clock starts, and the same for each side.
"""
import datetime
import itertools
import json
import random
import uuid

FIRST = 1_793_491_200                                 # 2026-11-01
POLICY = "ceilometer-low"                             # as Ceilometer makes it
DEFINITION = {"name": POLICY, "back_window": 0, "aggregation_methods": ["mean"],
              "definition": [{"granularity": "5 minutes", "timespan": "30 days"}]}


def counter(chance, step):
    return itertools.accumulate(iter(lambda: chance.randrange(step), None), initial=chance.randrange(step * 1000))


def level(chance, places):
    def values():
        value = chance.uniform(10, 1000)
        while True:
            value = abs(value + chance.gauss(0, 5))
            yield round(value, places)
    return values()


# Ten of an instance, as Ceilometer names them.
METERS = {
    "cpu": lambda chance: counter(chance, 300_000_000_000),
    "memory.usage": lambda chance: level(chance, 2),
    "disk.device.read.bytes": lambda chance: counter(chance, 4_000_000),
    "disk.device.write.bytes": lambda chance: counter(chance, 4_000_000),
    "disk.device.read.requests": lambda chance: counter(chance, 1_000),
    "network.incoming.bytes": lambda chance: counter(chance, 1_000_000),
    "network.outgoing.packets": lambda chance: counter(chance, 10_000),
    "memory.bandwidth.total": lambda chance: level(chance, 12),
    "vcpus": lambda chance: itertools.repeat(2),
    "memory": lambda chance: itertools.repeat(4096),
}


def some(values, count):
    return list(itertools.islice(values, count))


class Cloud:
    """Resources with the ten meters each."""

    def __init__(self, metrics):
        self.chance = random.Random(1)
        self.ids = [str(uuid.UUID(int=self.chance.getrandbits(128), version=4)) for _ in range(metrics // len(METERS))]
        self.series = [(id, name, make(self.chance)) for id in self.ids for name, make in METERS.items()]

    @property
    def metrics(self):
        return len(self.series)

    def rounds(self, count, measures, step, metrics_a_request):
        """So many rounds, each with that many measures of every metric: `(time of the first, [[(id, name, values)]])`."""
        for number in range(count):
            parts = []
            for first in range(0, len(self.series), metrics_a_request):
                parts.append([(id, name, some(values, measures))
                              for id, name, values in self.series[first:first + metrics_a_request]])
            yield FIRST + number * measures * step, parts


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()


def named(part, first, step):
    """By resource and name, with blanks and all, as Ceilometer sends it."""
    stamps = None
    resources = []
    for id, metrics in itertools.groupby(part, lambda metric: metric[0]):
        texts = []
        for _, name, values in metrics:
            stamps = stamps or [stamp(first + number * step) for number in range(len(values))]
            measures = ", ".join(f'{{"timestamp": "{time}", "value": {value}}}' for time, value in zip(stamps, values))
            texts.append(f'"{name}": {{"archive_policy_name": "{POLICY}", "unit": "B", "measures": [{measures}]}}')
        resources.append(f'"{id}": {{{", ".join(texts)}}}')
    return f"{{{', '.join(resources)}}}".encode()


def by_metric(part, first, step, ids):
    """By the ids of metrics."""
    stamps = [stamp(first + number * step) for number in range(len(part[0][2]))]
    texts = []
    for id, name, values in part:
        measures = ", ".join(f'{{"timestamp": "{time}", "value": {value}}}' for time, value in zip(stamps, values))
        texts.append(f'"{ids[id, name]}": [{measures}]')
    return f"{{{', '.join(texts)}}}".encode()


def lines(part, first, step):
    """As VictoriaMetrics has it: a series a line, the names of its own."""
    stamps = [1000 * (first + number * step) for number in range(len(part[0][2]))]
    times = json.dumps(stamps, separators=(",", ":"))
    return "\n".join(f'{{"metric":{{"__name__":"{name}","resource_id":"{id}"}},"values":'
                     f'{json.dumps(values, separators=(",", ":"))},"timestamps":{times}}}'
                     for id, name, values in part).encode()
