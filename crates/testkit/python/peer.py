"""The real OSProfiler, for tests that compare with it.

  peer.py trace URL [--errors] [--also FILE]
                                    makes a trace with the profiler and its driver, prints the base id
  peer.py report URL ID             prints get_report()
  peer.py list URL                  prints list_traces()
  peer.py errors URL                prints list_error_traces()
  peer.py old URL POINT             stores a notification (JSON) in Redis as OSProfiler did before 2.8

URL may end in ?index=NAME for the Elasticsearch driver, which takes the name of its index from its caller only. The
MongoDB driver takes the name of its database from its caller, too; here it is the option `database` of the URL.

Prints one JSON value. With --errors the driver keeps error records (filter_error_trace). With --also what the driver is
given is appended to a file as well, a notification a line.
"""
import argparse
import json
import socket
import sys
from urllib.parse import parse_qs, urlsplit

from osprofiler import notifier, opts, profiler
from osprofiler.drivers import base, loginsight
from oslo_config import cfg


@profiler.trace("driver", info={"static": "é 日本 😀 </script>"}, hide_args=False)
def traced(depth, text):
    if depth:
        traced(depth - 1, text)
    return text


def make_trace(url):
    """Nested, beside each other, failing, without an end, and with all sorts of text."""
    # Where Elasticsearch makes the mapping, it refuses these, and the driver raises that into the service.
    elasticsearch = url.startswith("elasticsearch")
    # PyMongo refuses an integer beyond 64 bits and half a surrogate pair in the same way.
    narrow = elasticsearch or url.startswith("mongodb")
    large = 2 ** 40 if narrow else 2 ** 70
    odd_message = "text" if elasticsearch else {"any": ["type"]}
    params = [True, None] if elasticsearch else [1, 2.5, None, True]
    half_a_pair = "\ue000" if narrow else "\ud800"
    profiler.init("SECRET_KEY")
    base_id = profiler.get().get_base_id()
    request = {"path": "/v3/%E6%97%A5", "query": "a=1&b='", "method": "GET", "scheme": "http"}
    with profiler.Trace("wsgi", info={"request": request}):
        with profiler.Trace("db", info={"db": {"statement": "SELECT '%s', \"x\" \\", "params": {"a": params}}}):
            pass
        traced(3, "quote ' and \u0001")
        for number in range(5):
            with profiler.Trace("neutron-api", info={"number": large + number, "empty": {}, "list": []}):
                pass
        for failure in (ValueError("wrong: 日本"), RuntimeError(odd_message), KeyError()):
            try:
                with profiler.Trace("rpc"):
                    raise failure
            except type(failure):
                pass
        profiler.start("unfinished", info={"half a pair": half_a_pair})
    return base_id


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=["trace", "report", "list", "errors", "old"])
    parser.add_argument("url")
    parser.add_argument("what", nargs="?")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--also", type=argparse.FileType("a"))
    options = parser.parse_args()

    url, _, index = options.url.partition("?index=")
    index = {"index_name": index} if index else {}
    if url.startswith("rabbit:"):
        url, index = "messaging://", {"transport_url": options.url, "idle_timeout": 3}
    opts.set_defaults(cfg.CONF, enabled=True, connection_string=url)
    cfg.CONF.set_override("filter_error_trace", options.errors, group="profiler")
    # The SQL driver stores this host in a column of its own, where others have the host in each notification.
    if url.startswith("mongodb"):
        index = {"db_name": parse_qs(urlsplit(url).query)["database"][0]}
    if url.startswith("loginsight"):
        # It knows one port for each scheme; the double has its own, and no TLS.
        loginsight.LogInsightClient._build_base_url = lambda client, scheme: f"http://{client._host}"
    driver = base.get_driver(url, project="cinder", service="volume", host=socket.gethostname(), conf=cfg.CONF, **index)
    if options.action == "trace":
        def notify(info, **kwargs):
            if options.also:
                print(json.dumps({**info, "project": "cinder", "service": "volume"}), file=options.also)
            driver.notify(info, **kwargs)

        notifier.set(notify)
        result = make_trace(url)
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
