"""What the real OSProfiler does in a fresh process: peer.py CASE URL ARGUMENT; its seconds on standard error."""
import json
import sys
import time

from oslo_config import cfg
from osprofiler import notifier, opts, profiler
from osprofiler.drivers import base

import data


def driver(url):
    opts.set_defaults(cfg.CONF)
    cfg.CONF([], project="bench")
    return base.get_driver(url, project="cinder", service="api", host="host-1", conf=cfg.CONF)


def show(url, base_id):
    """What `osprofiler trace show --json` does, without its limit of recursion."""
    report = driver(url).get_report(base_id)
    print(json.dumps(report, separators=(",", ": "), indent=2))


def list_traces(url, expected):
    found = len(driver(url).list_traces())
    assert found == int(expected), found


def write(url, pairs):
    """Points as a service sends them: the profiler, its driver, one round trip a notification."""
    notifier.set(driver(url).notify)
    profiler.init("SECRET_KEY")
    for _ in range(int(pairs)):
        profiler.start("db", data.db_info())
        profiler.stop()


def main():
    case, url, argument = sys.argv[1:]
    began = time.perf_counter()
    {"show": show, "list": list_traces, "write": write}[case](url, argument)
    print("seconds:", time.perf_counter() - began, file=sys.stderr)


main()
