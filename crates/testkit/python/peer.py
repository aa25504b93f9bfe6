"""The real OSProfiler, for tests that compare with it.

  peer.py trace URL [--errors]      makes a trace with the profiler and its driver, prints the base id
  peer.py report URL ID             prints get_report()
  peer.py list URL                  prints list_traces()
  peer.py errors URL                prints list_error_traces()
  peer.py old URL POINT             stores a notification (JSON) in Redis as OSProfiler did before 2.8

Prints one JSON value. With --errors the driver keeps error records (filter_error_trace).
"""
import argparse
import json
import socket
import sys

from osprofiler import notifier, opts, profiler
from osprofiler.drivers import base
from oslo_config import cfg


@profiler.trace("driver", info={"static": "é 日本 😀 </script>"}, hide_args=False)
def traced(depth, text):
    if depth:
        traced(depth - 1, text)
    return text


def make_trace():
    """Nested, beside each other, failing, without an end, and with all sorts of text."""
    profiler.init("SECRET_KEY")
    base_id = profiler.get().get_base_id()
    request = {"path": "/v3/%E6%97%A5", "query": "a=1&b='", "method": "GET", "scheme": "http"}
    with profiler.Trace("wsgi", info={"request": request}):
        with profiler.Trace("db", info={"db": {"statement": "SELECT '%s', \"x\" \\", "params": {"a": [1, 2.5, None, True]}}}):
            pass
        traced(3, "quote ' and \u0001")
        for number in range(5):
            with profiler.Trace("neutron-api", info={"number": 2 ** 70 + number, "empty": {}, "list": []}):
                pass
        for failure in (ValueError("wrong: 日本"), RuntimeError({"any": ["type"]}), KeyError()):
            try:
                with profiler.Trace("rpc"):
                    raise failure
            except type(failure):
                pass
        profiler.start("unfinished", info={"half a pair": "\ud800"})
    return base_id


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=["trace", "report", "list", "errors", "old"])
    parser.add_argument("url")
    parser.add_argument("what", nargs="?")
    parser.add_argument("--errors", action="store_true")
    options = parser.parse_args()

    opts.set_defaults(cfg.CONF, enabled=True, connection_string=options.url)
    cfg.CONF.set_override("filter_error_trace", options.errors, group="profiler")
    # The SQL driver stores this host in a column of its own, where others have the host in each notification.
    driver = base.get_driver(options.url, project="cinder", service="volume", host=socket.gethostname(), conf=cfg.CONF)
    if options.action == "trace":
        notifier.set(driver.notify)
        result = make_trace()
    elif options.action == "report":
        result = driver.get_report(options.what)
    elif options.action == "list":
        result = driver.list_traces()
    elif options.action == "errors":
        result = driver.list_error_traces()
    else:
        key = "osprofiler:{base_id}_{trace_id}_{timestamp}".format(**json.loads(options.what))
        result = driver.db.set(key, options.what)
    json.dump(result, sys.stdout)


main()
