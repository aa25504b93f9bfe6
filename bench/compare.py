#!/usr/bin/env python3
"""Nephoscope beside the real OSProfiler, on the same data and servers in one run; `cargo xtask bench` starts it.

  compare.py [--only CASE] [--runs 5] [--scale 1.0] [--binary target/release/nephoscope]

Prints a table: the median of each side over the runs, taken in turn (for a read five of ours after each of theirs), and
their ratio. Seconds are those of the whole process, of a writing service those of the writing.
"""
import argparse
import atexit
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

import redis

import data
import servers

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
SQLALCHEMY14 = ROOT / "target/peers/sqlalchemy14"     # OSProfiler's SQL driver stores nothing with a later one

# A read of ours takes so little time that a single one after a long run of theirs mostly measures cold memory.
OUR_READS_PER_RUN = 5


def measured(*command, environment=None):
    done = subprocess.run([sys.executable, HERE / "measure.py", *map(str, command)], env=environment, check=True,
                          stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def with_client(client):
    """The environment of a process that finds its client library there."""
    return {**os.environ, **({"PYTHONPATH": str(client)} if client else {})}


def their_command(*arguments, client=None):
    program = pathlib.Path(sys.executable).with_name("osprofiler")
    return measured(program, *arguments, environment=with_client(client))


def their_service(url, pairs, client):
    result = measured(sys.executable, HERE / "service.py", url, pairs, environment=with_client(client))
    return {**result, "seconds": float(result["told"].rsplit("seconds:", 1)[1])}


class Ours:
    def __init__(self, binary):
        self.binary = binary

    def __call__(self, *arguments):
        """The seconds and the peak memory of one run."""
        return measured(self.binary, *arguments)


class Bench:
    def __init__(self, options):
        self.runs, self.scale, self.only = options.runs, options.scale, options.only
        self.ours = Ours(options.binary)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="nephoscope-bench-"))
        atexit.register(shutil.rmtree, self.directory)

    def count(self, full):
        return max(10, int(full * self.scale))

    def wants(self, case):
        return self.only in case

    def wants_any_of(self, backend):
        return self.only in backend or self.only.startswith(backend)

    def lines(self, name, lines):
        """A file of trace points."""
        path = self.directory / name
        with open(path, "w") as file:
            file.writelines(line + "\n" for line in lines)
        return path

    def compare(self, case, their_run, our_run, unit=None, their_work=1, our_work=1):
        """Runs both sides in turn; with a unit, prints work a second instead of seconds."""
        if not self.wants(case):
            return
        sides = ([], [])
        for _ in range(self.runs):
            sides[0].append(their_run())
            sides[1].extend(our_run() for _ in range(1 if unit else OUR_READS_PER_RUN))
        theirs, ours = (statistics.median(result["seconds"] for result in side) for side in sides)
        peaks = [statistics.median(result["peak_mib"] for result in side) for side in sides]
        if unit:
            theirs, ours = their_work / theirs, our_work / ours
            figures = f"{theirs:12,.0f} {ours:12,.0f} {unit:10} {ours / theirs:8.1f} x"
        else:
            figures = f"{theirs:12.3f} {ours:12.3f} {'s':10} {theirs / ours:8.1f} x"
        print(f"{case:34} {figures}   {peaks[0]:7,.0f} {peaks[1]:7,.0f} MiB", flush=True)

    def measure(self, case, run, unit="s"):
        """Only our side: OSProfiler has nothing to compare with."""
        if self.wants(case):
            value = statistics.median(run() for _ in range(self.runs))
            print(f"{case:34} {'-':>12} {value:12.3f} {unit:10}", flush=True)


def show(bench, url):
    count = bench.count(100_000)
    lines = list(data.trace(count))
    base_id = data.base_id(lines[0])
    client = redis.Redis.from_url(url)
    client.flushdb()
    for first in range(0, len(lines), 5_000):
        client.lpush("osprofiler_opt:" + base_id, *lines[first:first + 5_000])
    bench.compare(f"redis: show {count:,} points as JSON",
                  lambda: their_command("trace", "show", base_id, "--json", "--connection-string", url),
                  lambda: bench.ours("trace", "show", base_id, "--json", "--connection-string", url))


def list_traces(bench, url):
    count = bench.count(10_000)
    client = redis.Redis.from_url(url)
    client.flushdb()
    pipe = client.pipeline(transaction=False)
    for line in data.traces(count, 2):
        pipe.lpush("osprofiler_opt:" + data.base_id(line), line)
    pipe.execute()
    bench.compare(f"redis: list {count:,} traces",
                  lambda: their_command("trace", "list", "--connection-string", url),
                  lambda: bench.ours("trace", "list", "--connection-string", url))


def write(bench, name, url, their_pairs, our_traces, client=None):
    """They write start and stop of a point, one round trip each; we import the same points in batches."""
    their_pairs, our_traces = bench.count(their_pairs), bench.count(our_traces)
    points = 20
    file = bench.lines(f"{name}.jsonl", data.traces(our_traces, points))
    bench.compare(f"{name}: write", lambda: their_service(url, their_pairs, client),
                  lambda: bench.ours("trace", "import", file, "--connection-string", url),
                  "pairs/s", their_pairs, our_traces * points)


def imported(bench, url):
    """The id of a trace that we stored there."""
    file = bench.lines("trace.jsonl", data.trace(bench.count(10_000)))
    bench.ours("trace", "import", file, "--connection-string", url)
    with open(file) as lines:
        return data.base_id(next(lines))


def both(bench, name, url, their_pairs, our_traces=2_000, client=None):
    """Writing and a report, where OSProfiler can do both."""
    their_service(url, 1, client)                      # in Elasticsearch it reads only an index that it made
    base_id = imported(bench, url)
    shown = ["trace", "show", base_id, "--json", "--connection-string", url]
    bench.compare(f"{name}: show {bench.count(10_000):,} points", lambda: their_command(*shown, client=client),
                  lambda: bench.ours(*shown))
    write(bench, name, url, their_pairs, our_traces, client)


def bus(bench, name, url):
    """Their report takes the trace off the queue, so it is put back for the next one."""
    base_id = imported(bench, url)
    shown = ["trace", "show", base_id, "--json", "--idle-timeout", 1, "--transport-url", url, "--connection-string",
             "messaging://"]

    def theirs():
        took = their_command(*shown)
        imported(bench, url)
        return took

    bench.compare(f"{name}: show {bench.count(10_000):,} points", theirs, lambda: bench.ours(*shown))
    write(bench, name, url, 1_000, 1_000)


def read_only(bench, name, url, base_id):
    """A report of a trace that is there."""
    bench.measure(f"{name}: show {bench.count(10_000):,} points",
                  lambda: bench.ours("trace", "show", base_id, "--json", "--connection-string", url)["seconds"])


def ours_only(bench, name, url):
    """Writing and a report, where OSProfiler can do neither."""
    read_only(bench, name, url, imported(bench, url))
    traces = bench.count(2_000)
    file = bench.lines(f"{name}.jsonl", data.traces(traces, 20))
    bench.measure(f"{name}: write", lambda: traces * 20 / bench.ours(
        "trace", "import", file, "--connection-string", url)["seconds"], "pairs/s")


def spans_in(bench):
    """The same spans into whatever takes OTLP: the server has one core, the sender the other."""
    file = bench.directory / "spans"
    spans = bench.count(512_000)
    subprocess.run([sys.executable, HERE / "spans.py", "make", file, "--spans", str(spans)], check=True)
    sides = {
        "Nephoscope, on disk": lambda: servers.Nephoscope(bench.ours.binary, one_core=True),
        "Jaeger, in memory": lambda: servers.OfTests("jaeger", one_core=True),
        "OpenTelemetry Collector, dropped": lambda: servers.OfTests("otelcol", one_core=True),
    }
    rates = {name: [] for name in sides}
    for _ in range(bench.runs):
        for name, start in sides.items():
            with start() as server:
                sent = subprocess.run(["taskset", "--cpu-list", "1", sys.executable, HERE / "spans.py", "send", file,
                                       server.urls["otlp"]], check=True, stdout=subprocess.PIPE, text=True)
                rates[name].append(float(sent.stdout.split()[-3].replace(",", "")))
    for name, values in rates.items():
        print(f"OTLP in: {name:36} {statistics.median(values):12,.0f} spans/s", flush=True)


def metrics(bench):
    """Beside Gnocchi, and what takes measures like us."""
    options = ["--runs", min(bench.runs, 3), "--scale", bench.scale, "--binary", bench.ours.binary]
    subprocess.run([sys.executable, HERE / "gnocchi.py", *map(str, options)], check=True)


def collector(bench):
    """Samples off the bus beside Ceilometer's agent, in whose environment it has to run."""
    python = ROOT / "target/peers/gnocchiclient/bin/python"
    options = ["--runs", min(bench.runs, 3), "--scale", bench.scale, "--binary", bench.ours.binary]
    subprocess.run([python, HERE / "collector.py", *map(str, options)], check=True)


def embedded(bench):
    count, points = bench.count(100_000), 5
    store = bench.directory / "store"
    url = f"embedded://{store}"
    file = bench.lines("embedded.jsonl", data.traces(count, points))
    took = bench.ours("trace", "import", file, "--connection-string", url)["seconds"]
    size = sum(path.stat().st_blocks * 512 for path in store.rglob("*"))
    bench.measure("embedded: write", lambda: count * points / took, "pairs/s")
    bench.measure("embedded: disk a notification", lambda: size / (count * points * 2), "bytes")
    bench.measure(f"embedded: newest 100 of {count:,}",
                  lambda: bench.ours("trace", "list", "--limit", 100, "--connection-string", url)["seconds"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--binary", default=ROOT / "target/release/nephoscope")
    bench = Bench(parser.parse_args())
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; medians of {bench.runs}")
    print(f"{'':34} {'OSProfiler':>12} {'Nephoscope':>12} {'':10} {'ratio':>8}     peak memory of both")
    if bench.wants_any_of("redis"):
        with servers.Redis() as server:
            show(bench, server.url)
            list_traces(bench, server.url)
            write(bench, "redis", server.url, 5_000, 10_000)
    if bench.wants_any_of("postgresql"):
        with servers.PostgreSQL() as server:
            both(bench, "postgresql", server.url, 500, 10_000, SQLALCHEMY14)
    if bench.wants_any_of("mysql"):
        with servers.OfTests("mysql") as server:
            both(bench, "mysql", server.url, 500, 5_000, SQLALCHEMY14)
    for name, their_pairs in [("mongodb", 2_000), ("elasticsearch7", 500)]:
        if bench.wants_any_of(name):
            with servers.OfTests(name) as server:
                both(bench, name, server.url, their_pairs)
    for name in ["elasticsearch9", "opensearch2", "opensearch3", "influxdb", "clickhouse", "jaeger", "redis-cluster"]:
        if bench.wants_any_of(name):
            with servers.OfTests(name) as server:
                ours_only(bench, name, server.url)
    if bench.wants_any_of("http") or bench.wants_any_of("ceilometer"):
        with servers.Nephoscope(bench.ours.binary) as server:
            ours_only(bench, "http", server.url)
            read_only(bench, "ceilometer", server.url.replace("http", "ceilometer", 1), imported(bench, server.url))
    if bench.wants_any_of("sqlite"):
        ours_only(bench, "sqlite", f"sqlite:///{bench.directory}/traces.db")
    if bench.wants_any_of("messaging"):
        with servers.OfTests("messaging") as server:
            bus(bench, "messaging", server.url)
    if bench.wants_any_of("embedded"):
        embedded(bench)
    if bench.wants_any_of("otlp"):
        spans_in(bench)
    if bench.wants_any_of("gnocchi"):
        metrics(bench)
    if bench.wants_any_of("collector"):
        collector(bench)


main()
