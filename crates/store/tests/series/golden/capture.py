"""Captures what Gnocchi's own classes make of random programs of batches: run with Gnocchi 4.7.1 installed.

    python capture.py > series.json

Each program is a policy, batches, changes of the policy, and reads in between with the points that Gnocchi gives.
"""

import collections
import json
import math
import random

import numpy

from gnocchi import archive_policy, carbonara, storage


class Policy(archive_policy.ArchivePolicy):
    """A policy whose methods have an order. The last one decides what is let go of, and it has a point everywhere."""

    @property
    def aggregation_methods(self):
        return sorted(self._aggregation_methods, key=lambda method: (method == "mean", method))

    @aggregation_methods.setter
    def aggregation_methods(self, value):
        self._aggregation_methods = value


class Storage(storage.StorageDriver):
    WRITE_FULL = True
    MAP_METHOD = staticmethod(lambda method, arguments: [method(*each) for each in arguments])

    def __init__(self):
        self.statistics = storage.Statistics()
        self.raw = {}
        self.splits = collections.defaultdict(dict)

    def _get_splits_unbatched(self, metric, key, aggregation, version=3):
        return self.splits[aggregation[:2]].get(key)

    def _get_or_create_unaggregated_timeseries_unbatched(self, metric, version=3):
        return self.raw.get(metric)

    def _store_unaggregated_timeseries_unbatched(self, metric, data, version=3):
        self.raw[metric] = data

    def _store_metric_splits_unbatched(self, metric, key, aggregation, data, offset, version=3):
        self.splits[aggregation[:2]][key] = data

    def _list_split_keys_unbatched(self, metric, aggregations, version=3):
        return {aggregation: set(self.splits[aggregation[:2]]) for aggregation in aggregations}

    def _delete_metric_splits_unbatched(self, metric, key, aggregation, version=3):
        del self.splits[aggregation[:2]][key]


class Metric:
    needs_raw_data_truncation = False
    resource_id = None
    id = "metric"


class Indexer:
    def update_last_measure_timestamp(self, metric):
        pass


def seconds(number):
    return numpy.timedelta64(round(number * 1_000_000_000), "ns")


SIMPLE = ["mean", "sum", "last", "max", "min", "std", "median", "first", "count"]
GRANULARITIES = [[300], [60], [60, 3600], [1, 60, 3600], [300, 3600, 86400], [1, 10], [60, 90], [7, 11], [0.5, 2]]


def some_policy(chance):
    granularities = chance.choice(GRANULARITIES)
    methods = set(chance.sample(SIMPLE, chance.randint(1, 9)))
    if chance.random() < 0.5:
        methods |= {"rate:" + method for method in chance.sample(SIMPLE, chance.randint(1, 4))}
    if chance.random() < 0.3:
        methods |= {f"{chance.randint(1, 99)}pct" for _ in range(3)} | {f"rate:{chance.randint(1, 99)}pct"}
    return {
        "back_window": chance.choice([0, 0, 0, 1, 2, 5]),
        "definition": [[g, chance.choice([None, 3, 10, 50, 3600, 5000])] for g in granularities],
        "aggregation_methods": sorted(methods | {"mean"}),
    }


def real(policy):
    items = [
        archive_policy.ArchivePolicyItem(
            granularity=seconds(granularity), points=points)
        if points else {"granularity": seconds(granularity), "points": None, "timespan": None}
        for granularity, points in policy["definition"]
    ]
    items = [item if isinstance(item, archive_policy.ArchivePolicyItem)
             else archive_policy.ArchivePolicyItem(granularity=item["granularity"]) for item in items]
    return Policy("policy", policy["back_window"], items, policy["aggregation_methods"])


def value(chance):
    kind = chance.random()
    if kind < 0.4:
        return float(chance.randint(0, 100))
    if kind < 0.42:
        return math.nan
    return chance.uniform(-1000, 1000)


def out(number):
    return None if math.isnan(number) else number


def moment(time):
    return numpy.datetime64(int(time), "ns")


def program(seed):
    chance = random.Random(seed)
    policy = some_policy(chance)
    metric, store = Metric(), Storage()
    metric.archive_policy = real(policy)
    lengths = [granularity for granularity, _ in policy["definition"]]
    step = chance.choice([min(lengths) / 5, min(lengths), max(lengths) / 4, max(lengths)])
    now = 1_600_000_000 * 10**9 + chance.randint(0, 10**15)
    steps = []
    for _ in range(chance.randint(3, 14)):
        if chance.random() < 0.08:
            policy = dict(policy)
            policy["back_window"] = chance.choice([0, 1, 3])
            policy["definition"] = [[g, chance.choice([None, 3, 20, 4000])] for g in lengths]
            metric.archive_policy = real(policy)
            methods = metric.archive_policy.aggregation_methods
            window = policy["back_window"] + any(method.startswith("rate:") for method in methods)
            if metric in store.raw:
                raw = carbonara.BoundTimeSerie.unserialize(
                    store.raw[metric], metric.archive_policy.max_block_size, window)
                raw._truncate()
                store.raw[metric] = raw.serialize()
            steps.append({"policy": policy})
        now += int(chance.expovariate(1) * step * 10**9)
        if chance.random() < 0.05:
            now += int(chance.uniform(0, 9000) * min(lengths) * 10**9)
        reach = chance.choice([1, 1, 5, 30]) * step
        # Whole microseconds, as clients send them.
        times = [now - int(chance.uniform(0, reach) * 10**6) * 1000 * (chance.random() < 0.7)
                 for _ in range(chance.choice([1, 1, 1, 2, 6, 25]))]
        if chance.random() < 0.3:
            times = [time // 10**9 * 10**9 for time in times]
        batch = [(time - time % 1000, value(chance)) for time in times]
        measures = numpy.array([(moment(t), v) for t, v in batch], dtype=carbonara.TIMESERIES_ARRAY_DTYPE)
        store.add_measures_to_metrics({metric: measures}, Indexer())
        steps.append({"batch": [[t, out(v)] for t, v in batch]})
        reads = chance.choice([0, 1, 3])
        wanted = [(chance.choice(lengths), chance.choice(policy["aggregation_methods"])) for _ in range(reads)]
        steps.extend(read(chance, store, metric, now, *each) for each in wanted)
    for granularity in lengths:
        for method in policy["aggregation_methods"]:
            steps.append(read(chance, store, metric, None, granularity, method))
    return steps


def read(chance, store, metric, now, granularity, method):
    aggregation = metric.archive_policy.get_aggregation(method, seconds(granularity))
    start = stop = None
    if now is not None:
        around = lambda: now - int(chance.expovariate(1) * granularity * chance.choice([3, 4000]) * 10**6) * 1000
        start, stop = chance.choice([None, around()]), chance.choice([None, around(), now])
    series = store.get_aggregated_measures(
        {metric: [aggregation]},
        None if start is None else moment(start), None if stop is None else moment(stop))[metric][aggregation]
    points = [[int(time.astype("datetime64[ns]").astype(int)), out(float(number))] for time, number in series]
    return {"method": method, "granularity": granularity, "start": start, "stop": stop, "points": points}


def compact(steps, policy):
    return {"policy": policy, "steps": steps}


programs = []
for seed in range(100):
    first = some_policy(random.Random(seed))
    programs.append(compact(program(seed), first))
print("[" + ",\n".join(json.dumps(each, separators=(",", ":"), allow_nan=False) for each in programs) + "]")
