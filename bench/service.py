"""A service that the real OSProfiler traces: service.py URL PAIRS; the seconds of the pairs on standard error."""
import logging
import sys
import time

from oslo_config import cfg
from osprofiler import notifier, opts, profiler
from osprofiler.drivers import base

import data



class Fatal(logging.Handler):
    """oslo.messaging notes what it could not send and goes on, which is fast."""

    def emit(self, record):
        sys.exit(record.getMessage())


logging.getLogger().addHandler(Fatal(logging.ERROR))
url, pairs = sys.argv[1:]
opts.set_defaults(cfg.CONF)
cfg.CONF([], project="bench")
bus = {"transport_url": url} if url.startswith("rabbit:") else {}
driver = base.get_driver("messaging://" if bus else url, project="cinder", service="api", host="host-1", conf=cfg.CONF, **bus)
notifier.set(driver.notify)
profiler.init("SECRET_KEY")
began = time.perf_counter()
for _ in range(int(pairs)):
    profiler.start("db", data.db_info())
    profiler.stop()
print("seconds:", time.perf_counter() - began, file=sys.stderr)
