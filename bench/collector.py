#!/usr/bin/env python3
"""The daemon as a collector of samples beside the real Ceilometer agent; `cargo xtask bench --only collector` starts it.

  collector.py [--only CASE] [--sides nephoscope,ceilometer] [--runs 3] [--scale 1.0] [--binary FILE]

Broker, collector and a Gnocchi that only counts share the processors of this machine. A queue is filled, the collector is
started, and rate and CPU are taken between a tenth of the samples and the last one, so that no start is in it. Everything
that the daemon takes off the bus is on disk in its spool before it is acknowledged; the agent keeps it in memory.
"""
import argparse
import json
import os
import pathlib
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import kombu
import msgpack

import servers
from client import request, send_all
from polling import Cloud

HERE = pathlib.Path(__file__).parent
QUEUE = "notifications.sample"
INSTANCES = 500
WAIT_SECONDS = 600


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


class Stub(servers.Server):
    """See stub.py."""

    def start(self):
        self.spawn(sys.executable, HERE / "stub.py", str(self.port))
        servers.until(lambda: servers.answers(self.port), "the stub")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def taken(self):
        return json.loads(get(f"{self.url}/counts"))["measures"]


class Nephoscope(servers.Server):
    """The daemon, with settings."""

    name = "Nephoscope"

    def __init__(self, binary, settings):
        super().__init__()
        self.binary, self.settings = binary, settings

    def start(self):
        file = self.directory / "nephoscope.toml"
        file.write_text(self.settings)
        self.spawn(self.binary, "serve", "--config", str(file), "--listen", f"127.0.0.1:{self.port}",
                   "--data-dir", str(self.directory / "data"))
        servers.until(lambda: servers.answers(self.port), "nephoscope serve")

    def counted(self, name, label):
        """One of its metrics."""
        lines = get(f"http://127.0.0.1:{self.port}/metrics").decode().splitlines()
        found = [line for line in lines if line.startswith(name + "{") and label in line]
        return sum(float(line.rsplit(" ", 1)[1]) for line in found)

    def stored(self):
        return self.counted("nephoscope_dispatched_total", 'what="samples"')


class Agent(servers.Server):
    """Ceilometer's notification agent, with as many requests at a time as it makes by default."""

    name = "Ceilometer"

    def __init__(self, broker, stub):
        super().__init__()
        self.broker, self.stub = broker, stub

    def start(self):
        home = self.directory
        for name, key in [("pipeline", "meters"), ("event_pipeline", "events")]:
            (home / f"{name}.yaml").write_text(json.dumps({
                "sources": [{"name": "all", key: ["*"], "sinks": ["gnocchi"]}],
                "sinks": [{"name": "gnocchi", "publishers": ["gnocchi://?enable_filter_project=false"]}]}))
        (home / "ceilometer.conf").write_text(f"""
[DEFAULT]
transport_url = {self.broker}
pipeline_cfg_file = {home}/pipeline.yaml
event_pipeline_cfg_file = {home}/event_pipeline.yaml
host = bench
[notification]
workers = 1
messaging_urls = {self.broker}
[publisher]
telemetry_secret = any
[oslo_messaging_notifications]
driver = messagingv2
transport_url = {self.broker}
[service_credentials]
auth_type = gnocchi-basic
user = admin
endpoint = {self.stub.url}
""")
        agent = pathlib.Path(sys.executable).parent / "ceilometer-agent-notification"
        self.spawn(agent, "--config-file", str(home / "ceilometer.conf"))

    def pids(self):
        """It is several processes."""
        found, pids = [self.process.pid], []
        while found:
            pid = found.pop()
            pids.append(pid)
            for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, children.read_text().split())
        return pids

    def cpu(self):
        return sum(cpu_of(pid) for pid in self.pids())

    def memory(self):
        return sum(int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids()) * 4096

    def stop(self, by=signal.SIGKILL):
        pids = self.pids()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bus:
    """A broker with a queue of polling agents."""

    def __init__(self, url):
        self.url = url
        self.connection = kombu.Connection(url.replace("rabbit://", "amqp://") + "/")
        channel = self.connection.channel()
        exchange = kombu.Exchange("ceilometer", "topic", durable=False)
        self.queue = kombu.Queue(QUEUE, exchange, routing_key=QUEUE, durable=False)(channel)
        self.queue.declare()
        self.producer = kombu.Producer(channel, exchange=exchange, routing_key=QUEUE)

    def fill(self, bodies):
        self.queue.purge()
        for body in bodies:
            self.producer.publish(body, content_type="application/json", content_encoding="utf-8", serializer=None,
                                  delivery_mode=2)


class Drained:
    """What it took a collector to get so many samples through."""

    def __init__(self, collector, taken, samples):
        deadline, start, peak = time.monotonic() + WAIT_SECONDS, None, 0
        while (now := taken()) < samples:
            if time.monotonic() > deadline or collector.process.poll() is not None:
                log = (collector.directory / "log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{collector.name}: only {now:,} of {samples:,} samples arrived:\n{log}")
            if start is None and now >= samples / 10:
                start = now, time.perf_counter(), collector.cpu()
            peak = max(peak, collector.memory())
            time.sleep(0.05)
        count, began, cpu = start or (0, 0, 0)
        self.rate = (samples - count) / (time.perf_counter() - began)
        self.cpu = 1e6 * (collector.cpu() - cpu) / (samples - count)
        self.memory = max(peak, collector.memory()) / 2**20


class Bench:
    def __init__(self, options):
        self.options = options
        self.sides = options.sides.split(",")

    def count(self, full):
        return max(1_000, int(full * self.options.scale))

    def tell(self, case, side, runs, ratio=""):
        values = [statistics.median(getattr(run, name) for run in runs) for name in ("rate", "cpu", "memory")]
        print(f"{case:28} {side:12} {values[0]:10,.0f} samples/s {values[1]:8.2f} us of CPU/sample {values[2]:6.0f} MiB"
              f" {ratio:10} load {os.getloadavg()[0]:.1f}", flush=True)
        return values[0]

    def nephoscope(self, dispatcher, source=""):
        settings = f'[samples]\ndispatchers = ["{dispatcher}"]\n'
        if source:
            settings += f'[[source]]\nurl = "{source}"\n'
        return Nephoscope(self.options.binary, settings)


def off_the_bus(bench, case, each, ours, theirs):
    """From RabbitMQ to Gnocchi, so many samples in a message."""
    with servers.OfTests("messaging") as broker:
        bus, cloud, runs = Bus(broker.url), Cloud(INSTANCES), {}
        for _ in range(bench.options.runs):
            for side in bench.sides:
                samples = bench.count(ours if side == "nephoscope" else theirs)
                bus.fill(cloud.notifications(samples, each))
                with Stub() as stub:
                    collector = Agent(broker.url, stub) if side == "ceilometer" else bench.nephoscope(
                        f"gnocchi://admin@127.0.0.1:{stub.port}", f"{broker.url}?topics=notifications")
                    with collector:
                        runs.setdefault(collector.name, []).append(Drained(collector, stub.taken, samples))
        theirs = bench.tell(case, "Ceilometer", runs["Ceilometer"]) if "Ceilometer" in runs else None
        if "Nephoscope" in runs:
            ours = statistics.median(run.rate for run in runs["Nephoscope"])
            bench.tell(case, "Nephoscope", runs["Nephoscope"], f"{ours / theirs:,.1f} x" if theirs else "")


def into_the_store(bench, case, dispatcher):
    """From RabbitMQ into a place of the daemon's own machine."""
    with servers.OfTests("messaging") as broker:
        bus, samples, runs = Bus(broker.url), bench.count(400_000), []
        for _ in range(bench.options.runs):
            bus.fill(Cloud(INSTANCES).notifications(samples, 50))
            with tempfile.TemporaryDirectory() as directory:
                to = dispatcher or f"sqlite:///{directory}/samples.db"
                with bench.nephoscope(to, f"{broker.url}?topics=notifications") as collector:
                    runs.append(Drained(collector, collector.stored, samples))
        bench.tell(case, "Nephoscope", runs)


def datagrams(bench, case):
    """Sent at a steady rate by a process of its own, one sample a datagram."""
    seconds, rate = 5, int(100_000 * bench.options.scale)
    for _ in range(bench.options.runs):
        port = servers.free_port()
        with bench.nephoscope("embedded://", f"udp://127.0.0.1:{port}") as collector:
            before = collector.cpu()
            sent = subprocess.run([sys.executable, __file__, "send-datagrams", str(port), str(rate), str(seconds)],
                                  check=True, stdout=subprocess.PIPE, text=True)
            sent, took = json.loads(sent.stdout)
            deadline, taken = time.monotonic() + 10, -1
            while time.monotonic() < deadline and taken < sent:
                taken = collector.counted("nephoscope_taken_in_total", 'what="samples"')
                time.sleep(0.1)
            print(f"{case:28} {'Nephoscope':12} {sent / took:10,.0f} datagrams/s sent, {sent - taken:,.0f} of {sent:,} lost, "
                  f"{1e6 * (collector.cpu() - before) / sent:.2f} us of CPU each, load {os.getloadavg()[0]:.1f}", flush=True)


def send_datagrams(port, rate, seconds):
    names = ["source", "counter_name", "counter_type", "counter_unit", "counter_volume", "user_id", "project_id",
             "resource_id", "timestamp", "resource_metadata", "message_id", "monotonic_time", "message_signature"]
    samples = [json.loads(text) for text in Cloud(INSTANCES).samples(5_000)]
    bodies = [msgpack.packb({name: sample[name] for name in names}) for sample in samples]
    to = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    to.connect(("127.0.0.1", port))
    began, sent = time.perf_counter(), 0
    while sent < rate * seconds:
        due = min(rate * seconds, int((time.perf_counter() - began) * rate))
        while sent < due:
            to.send(bodies[sent % len(bodies)])
            sent += 1
        time.sleep(0.001)
    print(json.dumps([sent, time.perf_counter() - began]))


def backlog(bench, case):
    """What waited while Gnocchi was away, beside samples that did not have to wait."""
    samples, each = bench.count(5_000_000), 500
    bodies = (request("POST", "/samples", f"[{','.join(some)}]".encode()) for some in chunks(
        Cloud(INSTANCES * 20).samples(2 * samples // 5 + samples), each))
    with Stub() as stub, bench.nephoscope(f"gnocchi://admin@127.0.0.1:{stub.port}") as collector:
        url = f"http://127.0.0.1:{collector.port}"
        steady = samples // 5
        began = time.perf_counter()
        send_all(url, [take(bodies, steady // each)])
        while stub.taken() < steady:
            time.sleep(0.05)
        steady_rate = steady / (time.perf_counter() - began)
        get(f"{stub.url}/away?seconds=100000")
        for _ in range(20):
            send_all(url, [take(bodies, samples // 20 // each)])
        waiting, memory = stub.taken(), collector.memory() / 2**20
        get(f"{stub.url}/away?seconds=0")
        while stub.taken() < waiting + samples / 50:
            time.sleep(0.05)
        drained = Drained(collector, lambda: stub.taken() - waiting, samples // each * each)
        print(f"{case:28} {'Nephoscope':12} {steady_rate:10,.0f} samples/s steady, {drained.rate:10,.0f} out of a backlog of "
              f"{samples:,}; {memory:.0f} MiB before, at most {drained.memory:.0f} MiB while it drained", flush=True)


def chunks(items, size):
    some = []
    for item in items:
        some.append(item)
        if len(some) == size:
            yield some
            some = []


def take(items, count):
    return [next(items) for _ in range(count)]


def main():
    if sys.argv[1:2] == ["send-datagrams"]:
        return send_datagrams(*map(int, sys.argv[2:]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--sides", default="ceilometer,nephoscope")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--binary", default=HERE.parent / "target/release/nephoscope")
    bench = Bench(parser.parse_args())
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {bench.options.runs}")
    cases = {
        "50 samples a message": lambda case: off_the_bus(bench, case, 50, 400_000, 20_000),
        "1 sample a message": lambda case: off_the_bus(bench, case, 1, 100_000, 3_000),
        "into the embedded store": lambda case: into_the_store(bench, case, "embedded://"),
        "into SQLite": lambda case: into_the_store(bench, case, None),
        "UDP": lambda case: datagrams(bench, case),
        "backlog": lambda case: backlog(bench, case),
    }
    for case, run in cases.items():
        if bench.options.only in case:
            run(case)


if __name__ == "__main__":
    main()
