#!/usr/bin/env python3
"""The daemon as a Gnocchi beside the real one, and as a taker of measures beside VictoriaMetrics; `cargo xtask bench
--only gnocchi` starts it.

  gnocchi.py [--only CASE] [--sides nephoscope,gnocchi,victoriametrics] [--runs 3] [--scale 1.0] [--binary FILE]

Each case is done by all sides in turn, as often as there are runs; what is printed are medians. What is timed ends when
everything is visible in aggregates: with us when the last request is answered, with Gnocchi when its status counts no
waiting measures any more. VictoriaMetrics is timed until it has answered; it syncs nothing by then.
"""
import argparse
import json
import os
import pathlib
import platform
import random
import signal
import statistics
import subprocess
import time

import metering
import servers
from client import Client, latencies, request, send_all

ROOT = pathlib.Path(__file__).parent.parent
BATCH = "/v1/batch/resources/metrics/measures?create_metrics=true"
BY_METRIC = "/v1/batch/metrics/measures"
IMPORT = "/api/v1/import"
RESOURCES_A_REQUEST = 50                               # of ten metrics each
WAIT_SECONDS = 900


class Side:
    name = "Nephoscope"

    def __init__(self, options):
        self.options = options

    def server(self):
        return servers.Nephoscope(self.options.binary)

    def wait(self, url):
        """Until all measures are visible: here they are."""


class Gnocchi(Side):
    name = "Gnocchi"

    def server(self):
        return servers.OfTests("gnocchi")

    def wait(self, url):
        client, end = Client(url), time.monotonic() + WAIT_SECONDS
        while client("GET", "/v1/status?details=false")["storage"]["summary"]["measures"]:
            if time.monotonic() > end:
                raise RuntimeError("Gnocchi does not come to an end with its measures")
            time.sleep(0.05)


class VictoriaMetrics(Side):
    name = "VictoriaMetrics"

    def server(self):
        return servers.VictoriaMetrics()


SIDES = {"nephoscope": Side, "gnocchi": Gnocchi, "victoriametrics": VictoriaMetrics}


def chunks(items, size):
    return [items[first:first + size] for first in range(0, len(items), size)]


def populate(url, cloud):
    """Makes the policy, the resources and the metrics of a cloud; the ids of the metrics by resource and name."""
    client = Client(url)
    if not any(policy["name"] == metering.POLICY for policy in client("GET", "/v1/archive_policy")):
        client("POST", "/v1/archive_policy", metering.DEFINITION)
    kept = {name: {"archive_policy_name": metering.POLICY} for name in metering.METERS}
    resources = [json.dumps({"id": id, "project_id": f"project-{number % 100}", "metrics": kept}).encode()
                 for number, id in enumerate(cloud.ids)]
    send_all(url, [[request("POST", "/v1/resource/generic", body) for body in resources]])


def ids_of(url):
    client, ids, marker = Client(url), {}, ""
    while page := client("GET", f"/v1/resource/generic?limit=1000&sort=id:asc{marker}"):
        ids.update({(resource["id"], name): id for resource in page for name, id in resource["metrics"].items()})
        marker = f"&marker={page[-1]['id']}"
    return ids


def visible(url, cloud, first, step, expected):
    """How many points of the first metric there are has to be what was sent."""
    points = Client(url)("GET", f"/v1/resource/generic/{cloud.ids[0]}/metric/cpu/measures?aggregation=mean")
    assert len(points) == expected, f"{len(points)} of {expected} points"


class Bench:
    def __init__(self, options):
        self.options = options
        # What the processors do for an answer of ours, in milliseconds: which other load does not change.
        self.cpu = []
        chosen = options.sides.split(",")
        self.sides = {name: SIDES[name](options) for name in SIDES if name in chosen}

    def count(self, full, least=10):
        return max(least, int(full * self.options.scale))

    def compare(self, case, unit, run, sides, better=max):
        """Runs a case on each of its sides in turn and prints medians, and how ours compares."""
        if self.options.only not in case:
            return
        sides = [self.sides[name] for name in sides if name in self.sides]
        results, self.cpu = {side.name: [] for side in sides}, []
        for _ in range(self.options.runs):
            for side in sides:
                results[side.name].append(run(side))
        medians = {name: statistics.median(values) for name, values in results.items()}
        ours = medians.get("Nephoscope")
        for name, median in medians.items():
            ratio = f"{ours / median if better is max else median / ours:10,.1f} x" if ours and name != "Nephoscope" else ""
            spread = f"{min(results[name]):,.4g} to {max(results[name]):,.4g}"
            self.tell(case, name, median, unit, f"{ratio:14} ({spread})")
        if self.cpu:
            self.tell(f"{case}, CPU", "Nephoscope", statistics.median(self.cpu), unit)

    def tell(self, case, name, value, unit, more=""):
        load = f"load {os.getloadavg()[0]:.1f}"
        print(f"{case:44} {name:16} {value:14,.4g} {unit:12} {more:30} {load}", flush=True)


def ingest(bench, case, sides, measures, step, metrics, rounds, form=BATCH):
    """Measures a second, end to end, and what the server's processors have to do for each."""
    made, cpu = {}, {}

    def requests(kind, metrics, rounds):
        if (kind, metrics) not in made:
            cloud = metering.Cloud(metrics)
            a_request = len(metering.METERS) * max(1, RESOURCES_A_REQUEST // max(1, measures // 6))
            made[kind, metrics] = cloud, list(cloud.rounds(rounds, measures, step, a_request))
        return made[kind, metrics]

    def run(side):
        of_gnocchi = isinstance(side, Gnocchi)
        # A thousandth of the work takes it as long.
        size, times = (bench.count(min(metrics, 1_000)), 2) if of_gnocchi else (bench.count(metrics), rounds)
        cloud, parts = requests("parts", size, times)
        with side.server() as server:
            url = server.url
            if isinstance(side, VictoriaMetrics):
                bodies = [[request("POST", IMPORT, metering.lines(part, first, step)) for part in some]
                          for first, some in parts]
            else:
                populate(url, cloud)
                ids = ids_of(url) if form == BY_METRIC else None
                bodies = [[request("POST", form, metering.by_metric(part, first, step, ids) if ids else
                                   metering.named(part, first, step)) for part in some] for first, some in parts]
            # The first round makes what is not there yet.
            send_all(url, bodies[:1])
            side.wait(url)
            began, before = time.perf_counter(), None if of_gnocchi else server.cpu()
            send_all(url, bodies[1:])
            side.wait(url)
            seconds = time.perf_counter() - began
            sent = cloud.metrics * measures * (times - 1)
            if not of_gnocchi:
                cpu.setdefault(side.name, []).append(1e6 * (server.cpu() - before) / sent)
            if not isinstance(side, VictoriaMetrics):
                visible(url, cloud, parts[0][0], step, len({(first + number * step) // 300 for first, _ in parts
                                                            for number in range(measures)}))
        return sent / seconds

    bench.compare(case, "measures/s", run, sides)
    for name, values in cpu.items():
        bench.tell(f"{case}, CPU", name, statistics.median(values), "us/measure")


def median(bench, side, server, whole, count=100):
    """The median of so many answers, the first few left out, in milliseconds."""
    latencies(server.url, whole, 5)
    before = None if isinstance(side, Gnocchi) else server.cpu()
    took = statistics.median(latencies(server.url, whole, count))
    if before is not None:
        bench.cpu.append(1000 * (server.cpu() - before) / count)
    return took


def read(bench):
    """All points of a series."""
    points = 8_640
    policy = {"name": "ten-seconds", "back_window": 0, "aggregation_methods": ["mean"],
              "definition": [{"granularity": "10 seconds", "points": points}]}
    values = [f"{value:.3f}" for value in metering.some(metering.level(random.Random(3), 3), points)]
    measures = [f'{{"timestamp": "{metering.stamp(metering.FIRST + 10 * number)}", "value": {value}}}'
                for number, value in enumerate(values)]

    def run(side):
        with side.server() as server:
            client = Client(server.url)
            client("POST", "/v1/archive_policy", policy)
            id = client("POST", "/v1/metric", {"archive_policy_name": policy["name"]})["id"]
            path = f"/v1/metric/{id}/measures"
            send_all(server.url, [[request("POST", path, f"[{', '.join(measures)}]".encode())]])
            side.wait(server.url)
            got = client("GET", f"{path}?aggregation=mean&granularity=10")
            assert len(got) == points, f"{len(got)} points"
            return median(bench, side, server, request("GET", f"{path}?aggregation=mean&granularity=10"))
    return run


def aggregate(bench, days):
    """The mean of a day, across many metrics that have so many days: the one in the middle."""
    query = {"operations": "(aggregate mean (metric cpu mean))", "resource_type": "generic", "search": {}}
    asked = metering.FIRST + days // 2 * 86_400
    limits = f"?granularity=300&start={asked}&stop={asked + 86_400}"
    day = 86_400 // 300

    def run(side):
        metrics = bench.count(1_000)
        series = [(f"{number:032x}", "cpu", metering.level(random.Random(number), 3)) for number in range(metrics)]
        with side.server() as server:
            client = Client(server.url)
            client("POST", "/v1/archive_policy", metering.DEFINITION)
            kept = {"cpu": {"archive_policy_name": metering.POLICY}}
            resources = [json.dumps({"id": id, "metrics": kept}).encode() for id, _, _ in series]
            send_all(server.url, [[request("POST", "/v1/resource/generic", body) for body in resources]])
            for number in range(days):
                parts = [[(id, name, metering.some(values, day)) for id, name, values in part]
                         for part in chunks(series, 50)]
                first = metering.FIRST + number * 86_400
                send_all(server.url, [[request("POST", BATCH, metering.named(part, first, 300)) for part in parts]])
            side.wait(server.url)
            whole = request("POST", "/v1/aggregates" + limits, json.dumps(query).encode())
            got = Client(server.url)("POST", "/v1/aggregates" + limits, query)["measures"]["aggregated"]
            assert len(got) == day, f"{len(got)} points"
            return median(bench, side, server, whole, 5 if isinstance(side, Gnocchi) else 50)
    return run


def search(bench):
    """A hundred of many resources, by an attribute of their type."""
    kind = {"name": "machine", "attributes": {"host": {"type": "string", "required": True, "max_length": 255}}}

    def run(side):
        count = bench.count(1_000 if isinstance(side, Gnocchi) else 10_000, 100)
        with side.server() as server:
            client = Client(server.url)
            client("POST", "/v1/resource_type", kind)
            if not isinstance(side, Gnocchi):
                client("POST", "/v1/archive_policy", metering.DEFINITION)
            kept = {} if isinstance(side, Gnocchi) else {
                name: {"archive_policy_name": metering.POLICY} for name in metering.METERS}
            resources = [json.dumps({"id": f"{number:032x}", "host": f"compute-{number % (count // 100)}",
                                     "metrics": kept}).encode() for number in range(count)]
            send_all(server.url, [[request("POST", "/v1/resource/machine", body) for body in resources]])
            query = {"=": {"host": "compute-0"}}
            got = Client(server.url)("POST", "/v1/search/resource/machine", query)
            assert len(got) == 100, f"{len(got)} resources"
            return median(bench, side, server, request("POST", "/v1/search/resource/machine", json.dumps(query).encode()), 50)
    return run


def disk(bench):
    """Bytes a point of thirty days of five minutes, of each kind of series, once the store is compacted."""
    metrics, points = bench.count(50), 8_640
    for name, make in metering.METERS.items():
        server = servers.Nephoscope(bench.options.binary)
        with server:
            client = Client(server.url)
            client("POST", "/v1/archive_policy", {**metering.DEFINITION, "definition": [{"granularity": "5 minutes"}]})
            bodies = []
            for number in range(metrics):
                id = f"{number:032x}"
                client("POST", "/v1/resource/generic", {"id": id})
                series = (id, name, metering.some(make(random.Random(number)), points))
                bodies.append(request("POST", BATCH, metering.named([series], metering.FIRST, 300)))
            send_all(server.url, [bodies])
            server.stop()
            compact = [bench.options.binary, "store", "compact", "--data-dir", server.directory]
            subprocess.run(compact, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            size = sum(file.stat().st_size for file in (server.directory / "metrics/series").glob("*.segment"))
            server.start()
        bench.tell(f"disk, {name}", "Nephoscope", size / metrics / points, "bytes/point")


def many(bench):
    """What 550,000 metrics of 10,000 instances take, with a measure of each a minute, and how long a start with them."""
    instances, each = bench.count(10_000, 100), 55
    names = [f"meter.{number}" for number in range(each)]
    chance = random.Random(1)
    ids = [f"{number:032x}" for number in range(instances)]
    server = servers.Nephoscope(bench.options.binary)
    with server:
        Client(server.url)("POST", "/v1/archive_policy", metering.DEFINITION)
        send_all(server.url, [[request("POST", "/v1/resource/generic", json.dumps({"id": id}).encode()) for id in ids]])
        for minute in range(11):
            parts = [[(id, name, [round(chance.uniform(0, 1000), 2)]) for id in some for name in names]
                     for some in chunks(ids, 20)]
            bodies = [request("POST", BATCH, metering.named(part, metering.FIRST + 60 * minute, 60)) for part in parts]
            send_all(server.url, [bodies])
        bench.tell(f"memory, {instances * each:,} metrics", "Nephoscope", server.memory() / 2**20, "MiB")
        bench.tell(f"memory, of each of {instances * each:,}", "Nephoscope", server.memory() / instances / each, "bytes")
        for what in ["after a stop", "after a kill"]:
            took, cpu = [], []
            for _ in range(bench.options.runs):
                server.stop(signal.SIGKILL if what == "after a kill" else signal.SIGTERM)
                began = time.perf_counter()
                server.start()
                assert len(Client(server.url)("GET", f"/v1/resource/generic/{ids[0]}/metric")) == each
                took.append(time.perf_counter() - began)
                cpu.append(server.cpu())
            bench.tell(f"start {what}, {instances * each:,} metrics", "Nephoscope", statistics.median(took), "s",
                       f"{statistics.median(cpu):.1f} s of CPU")
        bench.tell(f"memory, {instances * each:,} metrics, started", "Nephoscope", server.memory() / 2**20, "MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--sides", default=",".join(SIDES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--binary", default=ROOT / "target/release/nephoscope")
    bench = Bench(parser.parse_args())
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {bench.options.runs}")
    everyone = ["nephoscope", "gnocchi", "victoriametrics"]
    ingest(bench, "ingest, 1 a metric", everyone, 1, 300, 100_000, 21)
    ingest(bench, "ingest, 1 a metric, by metric id", everyone[:2], 1, 300, 100_000, 21, BY_METRIC)
    ingest(bench, "ingest, 60 a metric", everyone, 60, 10, 10_000, 11)
    bench.compare("read, 8,640 points", "ms", read(bench), everyone[:2], min)
    bench.compare("aggregate, a day of 1,000 metrics", "ms", aggregate(bench, 1), everyone[:2], min)
    bench.compare("aggregate, a day of 1,000 metrics with 40", "ms", aggregate(bench, 40), everyone[:1], min)
    bench.compare("search, 100 of 10,000 resources", "ms", search(bench), everyone[:2], min)
    if "nephoscope" in bench.sides:
        for case in [disk, many]:
            if bench.options.only in case.__name__:
                case(bench)


if __name__ == "__main__":
    main()
