#!/usr/bin/env python3
"""The same spans for any server of OTLP over HTTP.

  spans.py make FILE [--spans 512000] [--batch 512]    writes the bodies of export requests, in Protocol Buffers
  spans.py send FILE URL [--connections 4] [--gzip]    posts all of them, each once, and prints the spans a second

Each body has one resource, as an SDK sends it, and traces of eight spans: a request, its queries and its calls, with the
attributes of the semantic conventions, some 270 bytes a span. No span is there twice. A body that is not answered with
200 ends the run.
"""
import argparse
import gzip
import http.client
import random
import struct
import threading
import time
import urllib.parse

SPANS_A_TRACE = 8
LENGTH = struct.Struct("<II")       # of a body, and how many spans it has


def attributes(into, **values):
    for key, value in values.items():
        attribute = into.add()
        attribute.key = key.replace("__", ".")
        if isinstance(value, int):
            attribute.value.int_value = value
        else:
            attribute.value.string_value = value


def describe(span, place, number):
    if place == 0:
        span.name, span.kind = "GET /v2.1/servers/{id}", 2
        attributes(span.attributes, http__request__method="GET", url__path=f"/v2.1/servers/{number}", url__scheme="https",
                   url__query="limit=10", server__address="nova.example.org", http__response__status_code=200,
                   user_agent__original="python-novaclient", network__protocol__version="1.1")
    elif place % 2:
        span.name, span.kind = "SELECT instances", 3
        attributes(span.attributes, db__system__name="mysql", db__namespace="nova", server__address="db.example.org",
                   db__query__text=f"SELECT id, uuid, host FROM instances WHERE deleted = 0 AND id = {number} LIMIT 1")
    else:
        span.name, span.kind = "compute.manager.get_info", 1
        attributes(span.attributes, code__function__name="nova.compute.manager.ComputeManager.get_info",
                   thread__name="worker", request_id=f"req-{number:032x}")


def bodies(spans, batch):
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    chance = random.Random(1)
    made = 0
    while made < spans:
        request = ExportTraceServiceRequest()
        of_resource = request.resource_spans.add()
        attributes(of_resource.resource.attributes, service__name="api", service__namespace="nova",
                   service__instance__id=f"{chance.getrandbits(128):032x}", host__name=f"compute-{made // batch % 20}",
                   telemetry__sdk__language="python", telemetry__sdk__name="opentelemetry", telemetry__sdk__version="1.45.2")
        of_scope = of_resource.scope_spans.add()
        of_scope.scope.name, of_scope.scope.version = "opentelemetry.instrumentation.wsgi", "0.66b2"
        for number in range(made, made + batch):
            span = of_scope.spans.add()
            place = number % SPANS_A_TRACE
            if place == 0:
                trace_id, root = chance.randbytes(16), chance.randbytes(8)
                start = 1_795_000_000_000_000_000 + number * 1_000_003
            span.trace_id, span.flags = trace_id, 256
            span.span_id = root if place == 0 else chance.randbytes(8)
            span.parent_span_id = b"" if place == 0 else root
            span.start_time_unix_nano = start + place * 1_000_037
            span.end_time_unix_nano = start + (9_000_011 if place == 0 else place * 1_000_037 + 800_009)
            span.status.SetInParent()
            describe(span, place, number)
        yield request.SerializeToString(), batch
        made += batch


def make(options):
    with open(options.file, "wb") as file:
        for body, spans in bodies(options.spans, options.batch):
            file.write(LENGTH.pack(len(body), spans))
            file.write(body)


def read(path):
    with open(path, "rb") as file:
        while head := file.read(LENGTH.size):
            length, spans = LENGTH.unpack(head)
            yield file.read(length), spans


class Sender(threading.Thread):
    def __init__(self, url, requests, headers):
        super().__init__()
        self.url, self.requests, self.headers, self.failure = urllib.parse.urlsplit(url), requests, headers, None

    def run(self):
        try:
            connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=60)
            for body in self.requests:
                connection.request("POST", self.url.path or "/v1/traces", body, self.headers)
                answer = connection.getresponse()
                told = answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"{answer.status}: {told[:300]}")
        except Exception as failure:
            self.failure = failure


def send(options):
    requests = list(read(options.file))
    headers = {"Content-Type": "application/x-protobuf"}
    texts = [body for body, _ in requests]
    if options.gzip:
        headers["Content-Encoding"] = "gzip"
        texts = [gzip.compress(body, 1) for body in texts]
    senders = [Sender(options.url, texts[first::options.connections], headers) for first in range(options.connections)]
    began = time.perf_counter()
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    seconds = time.perf_counter() - began
    for sender in senders:
        if sender.failure:
            raise sender.failure
    spans = sum(spans for _, spans in requests)
    print(f"{spans} spans of {sum(map(len, texts)) / spans:.0f} bytes in {seconds:.2f} s: {spans / seconds:,.0f} a second")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    maker = commands.add_parser("make")
    maker.add_argument("file")
    maker.add_argument("--spans", type=int, default=512_000)
    maker.add_argument("--batch", type=int, default=512)
    maker.set_defaults(run=make)
    sender = commands.add_parser("send")
    sender.add_argument("file")
    sender.add_argument("url")
    sender.add_argument("--connections", type=int, default=4)
    sender.add_argument("--gzip", action="store_true")
    sender.set_defaults(run=send)
    options = parser.parse_args()
    options.run(options)


main()
