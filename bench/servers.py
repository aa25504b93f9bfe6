"""Private servers for a benchmark: in a directory of their own, on free ports of the loopback interface."""
import glob
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

READY_SECONDS = 30
EXAMPLE = pathlib.Path(__file__).parent.parent / "target/debug/examples/server"
ONE_CORE = ["taskset", "--cpu-list", "0"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(ready, what):
    deadline = time.monotonic() + READY_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not start within {READY_SECONDS} s")
        time.sleep(0.05)


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A process that ends, with its directory, when the block is left."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="nephoscope-bench-"))
        self.port = free_port()
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop(self.stop_signal)
        shutil.rmtree(self.directory)

    def stop(self, by=signal.SIGTERM):
        self.process.send_signal(by)
        self.process.wait()

    def cpu(self):
        """The seconds of processors that it took since it started."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """What it has of memory now, in bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(status.split("VmRSS:")[1].split()[0])

    stop_signal = signal.SIGTERM

    def spawn(self, *command):
        log = open(self.directory / "log", "wb")
        self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")


class Redis(Server):
    """Redis without persistence, as OSProfiler's documents set it up."""

    def start(self):
        self.spawn("redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                   "--dir", str(self.directory))
        until(lambda: answers(self.port), "Redis")

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"


class PostgreSQL(Server):
    """PostgreSQL as Debian sets it up: every commit is on disk before it is acknowledged."""

    stop_signal = signal.SIGINT                       # its fast shutdown

    def start(self):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        account = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []
        if account:
            owner = pwd.getpwnam("postgres")
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
        data = str(self.directory / "data")
        subprocess.run([*account, f"{programs}/initdb", "-D", data, "-A", "trust", "-U", "osp", "-E", "UTF8"],
                       check=True, stdout=subprocess.DEVNULL, cwd="/")
        self.spawn(*account, f"{programs}/postgres", "-D", data, "-p", str(self.port),
                   "-c", "listen_addresses=127.0.0.1", "-k", str(self.directory))
        ready = [f"{programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        until(lambda: subprocess.run(ready).returncode == 0, "PostgreSQL")

    @property
    def url(self):
        return f"postgresql+psycopg2://osp@127.0.0.1:{self.port}/postgres"


class OfTests:
    """A server as the tests start it; `urls` are its places."""

    def __init__(self, kind, one_core=False):
        self.command = [*(ONE_CORE if one_core else []), EXAMPLE, kind]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.urls = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    @property
    def url(self):
        return self.urls["url"]


class Nephoscope(Server):
    """The daemon with a store of its own."""

    def __init__(self, binary, one_core=False):
        super().__init__()
        self.command = [*(ONE_CORE if one_core else []), binary]

    def start(self):
        self.spawn(*self.command, "serve", "--listen", f"127.0.0.1:{self.port}", "--data-dir", str(self.directory))
        until(lambda: answers(self.port), "nephoscope serve")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def urls(self):
        return {"otlp": f"{self.url}/v1/traces"}


class VictoriaMetrics(Server):
    """A single node that keeps data as long as ours."""

    def start(self):
        cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
        self.spawn(cache / "nephoscope-test/bin/victoriametrics", f"-storageDataPath={self.directory}/data",
                   f"-httpListenAddr=127.0.0.1:{self.port}", "-retentionPeriod=100y", "-loggerLevel=ERROR")
        until(lambda: answers(self.port), "VictoriaMetrics")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"
