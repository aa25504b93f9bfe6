"""A real OpenTelemetry SDK, for tests of what it exports.

  spans.py http ENDPOINT      over OTLP/HTTP, in Protocol Buffers packed with gzip
  spans.py grpc ENDPOINT      over OTLP/gRPC, packed with gzip

Exports a trace of some spans of a shop, and prints its trace id as 32 hexadecimal digits. Fails when an export fails.
"""
import argparse

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult


def exporter(options):
    if options.protocol == "http":
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        return OTLPSpanExporter(endpoint=options.endpoint, compression=Compression.Gzip)
    import grpc
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    return OTLPSpanExporter(endpoint=options.endpoint, insecure=True, compression=grpc.Compression.Gzip)


class Kept:
    """Keeps spans until they are exported in one batch whose result is looked at."""

    def __init__(self):
        self.spans = []

    def on_start(self, span, parent_context=None):
        pass

    def _on_ending(self, span):
        pass

    def on_end(self, span):
        self.spans.append(span)

    def shutdown(self):
        pass

    def force_flush(self, timeout_millis=0):
        return True


def make_trace(tracer):
    request = {"http.request.method": "POST", "url.path": "/cart-items/é", "url.query": "a=1", "url.scheme": "https"}
    with tracer.start_as_current_span("POST /cart-items/{id}", kind=trace.SpanKind.SERVER, attributes=request) as root:
        with tracer.start_as_current_span("SELECT cart", kind=trace.SpanKind.CLIENT, attributes={
                "db.query.text": "SELECT * FROM cart", "numbers": [1, 2], "share": 0.1, "cached": False}) as query:
            query.add_event("row", {"n": 1})
        try:
            with tracer.start_as_current_span("charge-card-stop", links=[trace.Link(root.get_span_context(), {"why": "x"})]):
                raise ValueError("card 日本 declined")
        except ValueError:
            pass
        root.set_attribute("http.response.status_code", 500)
    return root.get_span_context().trace_id


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("protocol", choices=["http", "grpc"])
    parser.add_argument("endpoint")
    options = parser.parse_args()
    kept = Kept()
    provider = TracerProvider(resource=Resource.create(
        {"service.name": "cart", "service.namespace": "shop", "host.name": "web-1"}))
    provider.add_span_processor(kept)
    trace_id = make_trace(provider.get_tracer("spans.py", "1.0"))
    result = exporter(options).export(kept.spans)
    assert result is SpanExportResult.SUCCESS, result
    print(f"{trace_id:032x}")


main()
