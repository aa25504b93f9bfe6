"""A real Gnocchi for tests and benchmarks: its API and metricd.

  gnocchi_server.py DIRECTORY PORT POSTGRESQL_URL REDIS_URL [PROCESSES [OPTION=VALUE ...]]

Keeps everything in the directory, the empty database and the empty Redis. Says `listening`, and serves on 127.0.0.1 with
waitress in so many processes of two threads, as `gnocchi-api` would start them under uWSGI (which needs a compiler to
install). An option is `section.name=value` of gnocchi.conf; `archive_policies=true` makes the usual policies.

metricd is the program that comes with Gnocchi, and looks for measures every second.
"""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import waitress

from gnocchi.cli import api

THREADS = 2                      # of a process: uWSGI gets as many as there are processors, and ours have two
STARTS_WITHIN_SECONDS = 60
BINARIES = pathlib.Path(sys.executable).parent

directory, port, database, redis = sys.argv[1:5]
processes = int(sys.argv[5]) if len(sys.argv) > 5 else 1
chosen = dict(option.split("=", 1) for option in sys.argv[6:])
policies = chosen.pop("archive_policies", "false") == "true"
directory = pathlib.Path(directory)
configuration = directory / "gnocchi.conf"


def options():
    yield from {
        "DEFAULT.coordination_url": redis,
        "indexer.url": database.replace("postgresql:", "postgresql+psycopg2:"),
        "storage.driver": "file",
        "storage.file_basepath": directory / "data",
        "incoming.driver": "file",
        "incoming.file_basepath": directory / "incoming",
        "metricd.workers": processes,
        "metricd.metric_processing_delay": 1,
        "metricd.metric_cleanup_delay": 1,
        "metricd.metric_reporting_delay": -1,
        "api.auth_mode": "basic",
        **chosen,
    }.items()


def configure():
    sections = {}
    for key, value in options():
        section, name = key.split(".", 1)
        sections.setdefault(section, []).append(f"{name} = {value}")
    text = "\n".join(f"[{section}]\n" + "\n".join(lines) for section, lines in sections.items())
    configuration.write_text(text + "\n")


def run(program, *arguments):
    """A program of Gnocchi that is killed when we are."""
    command = ["setpriv", "--pdeathsig", "KILL", "--", BINARIES / program, "--config-file", configuration, *arguments]
    return subprocess.Popen(command)


def run_metricd():
    """It has workers of its own: all of its group is killed when the pipe from us breaks, however we end."""
    metricd = subprocess.Popen([BINARIES / "gnocchi-metricd", "--config-file", configuration], start_new_session=True)
    watcher = ["sh", "-c", "read -r _; kill -s KILL -- -$0", str(metricd.pid)]
    return subprocess.Popen(watcher, stdin=subprocess.PIPE, start_new_session=True)


def upgrade():
    arguments = [] if policies else ["--skip-archive-policies-creation"]
    if run("gnocchi-upgrade", *arguments).wait() != 0:
        sys.exit("gnocchi-upgrade failed")


def serve(listener):
    sys.argv = ["gnocchi-api", "--config-file", str(configuration)]
    waitress.serve(api.wsgi(), sockets=[listener], threads=THREADS, clear_untrusted_proxy_headers=False, _quiet=True)


def processed():
    """Gnocchi answers this with an error until metricd takes part."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/status", headers={"Authorization": "basic YWRtaW46"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["metricd"]["processors"]
    except (OSError, urllib.error.HTTPError):
        return False


def announce():
    end = time.monotonic() + STARTS_WITHIN_SECONDS
    while not processed():
        if time.monotonic() > end:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.05)
    print("listening", flush=True)


def main():
    for name in ("data", "incoming"):
        (directory / name).mkdir(exist_ok=True)
    configure()
    upgrade()
    watcher = run_metricd()
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=128)
    for _ in range(processes - 1):
        parent = os.getpid()
        if os.fork() == 0:
            threading.Thread(target=follow, args=(parent,), daemon=True).start()
            serve(listener)
            os._exit(1)
    threading.Thread(target=announce, daemon=True).start()
    serve(listener)
    watcher.stdin.close()


def follow(parent):
    """Ends this process when that one has ended."""
    while os.getppid() == parent:
        time.sleep(0.1)
    os._exit(0)


main()
