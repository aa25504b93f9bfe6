"""What people and Ceilometer do with a Gnocchi, by the programs that they do it with.

  gnocchi_clients.py openstack URL     a morning's work with `openstack metric`, and some of it with `gnocchi`
  gnocchi_clients.py library URL       the same kind of work with python-gnocchiclient
  gnocchi_clients.py ceilometer URL    `ceilometer-upgrade`, twice

Prints a JSON list of steps, each what was asked and what came of it, to compare two servers by. Ids that the server makes
and the time of day are named in the order in which they appear, for they differ from run to run.
"""
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")
os.environ["PYTHONWARNINGS"] = "ignore"

USER = "admin"
# The last digits of the real one's percentiles depend on how many periods it happened to work off at once.
PERCENTILE_DIGITS = 9
# Ids of ours stay as they are: they are of this form.
OURS = "00000000-0000-0000-0000-{:012d}"
ID = re.compile(r"\b(?!0{8}-)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
# Dates of ours are in 2015; what is later is now.
NOW = re.compile(r"20[2-9]\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?")


class Steps:
    def __init__(self, url):
        self.url, self.steps, self.ids = url, [], {}

    def note(self, asked, came):
        self.steps.append([asked, self.plain(came)])

    def plain(self, value):
        """Without what differs from run to run; in an order of its own where there is none."""
        if isinstance(value, dict):
            return {self.plain(key): self.plain(item) for key, item in sorted(value.items())}
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            return sorted(map(self.plain, value))
        if isinstance(value, (list, tuple)):
            return [self.plain(item) for item in value]
        if isinstance(value, float) and value != value:
            return "NaN"
        if not isinstance(value, str):
            return str(value) if hasattr(value, "isoformat") else value
        value = value.replace(self.url, "URL")
        value = ID.sub(lambda found: self.ids.setdefault(found[0], f"id {len(self.ids)}"), value)
        # Behind these stand the words of a library of Python.
        value = re.sub("Invalid filter: .*", "Invalid filter", value, flags=re.DOTALL)
        value = re.sub("'Fail to parse the operations string.*", "'Fail to parse", value, flags=re.DOTALL)
        return NOW.sub("now", value)


def ours(number):
    return OURS.format(number)


def openstack(steps):
    from gnocchiclient import shell as gnocchi_shell
    from openstackclient import shell as openstack_shell
    reach = ["--os-auth-type", "gnocchi-basic"]

    def run(program, main, arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(arguments)
            except SystemExit as end:
                code = end.code
        try:
            came = json.loads(out.getvalue())
        except ValueError:
            came = out.getvalue().strip()
        complaint = [line for line in err.getvalue().splitlines() if "Warning" not in line and not line.startswith(" ")]
        return {"code": code, "out": came, "err": "\n".join(complaint)}

    def metric(command, *arguments, form="json"):
        asked = ["metric", *command.split(), *(["-f", form] if form else []), *arguments]
        came = run("openstack", openstack_shell.main,
                   [*reach, "--os-endpoint", steps.url, "--os-user", USER, *asked])
        steps.note(" ".join(asked), came)
        return came["out"]

    def gnocchi(command, *arguments, form="json"):
        asked = [*command.split(), *(["-f", form] if form else []), *arguments]
        came = run("gnocchi", gnocchi_shell.main, [*reach, "--endpoint", steps.url, "--user", USER, *asked])
        steps.note("gnocchi " + " ".join(asked), came)
        return came["out"]

    methods = [part for name in ("mean", "max", "std", "count", "last", "95pct", "rate:mean") for part in ("-m", name)]
    metric("archive-policy create", "-d", "granularity:1m,points:60", "-d", "granularity:1h,timespan:30d", "-b", "2",
           *methods, "weather")
    metric("archive-policy create", "-d", "granularity:5m,points:50", "-m", "mean", "low")
    metric("archive-policy create", "-d", "granularity:5m,points:50", "low")
    metric("archive-policy create", "-d", "granularity:soon,points:5", "wrong")
    # The real one asks its database for no order.
    metric("archive-policy list", "--sort-column", "name")
    metric("archive-policy show", "weather")
    metric("archive-policy update", "-d", "granularity:1m,points:120", "-d", "granularity:1h,timespan:60d", "weather")
    metric("archive-policy show", "fog")
    metric("archive-policy-rule create", "-a", "weather", "-m", "cloud.*", "clouds")
    metric("archive-policy-rule create", "-a", "low", "-m", "*", "all")
    metric("archive-policy-rule create", "-a", "fog", "-m", "*", "none")
    metric("archive-policy-rule list")
    gnocchi("archive-policy-rule update", "-n", "rest", "all", form=None)
    metric("archive-policy-rule show", "rest")
    metric("archive-policy delete", "low", form=None)
    metric("resource-type create", "-a", "height:number:false:min=0:max=20000", "-a", "name:string:true:max_length=64",
           "-a", "seen:bool:false", "-a", "at:datetime:false", "-a", "host:uuid:false", "cloud")
    metric("resource-type create", "cloud")
    metric("resource-type list")
    metric("resource-type update", "-r", "seen", "-a", "colour:string:false", "cloud")
    metric("resource-type show", "cloud")
    metric("resource create", "-t", "cloud", "-a", "name:cirrus", "-a", "height:8000", "-a", f"project_id:{ours(7)}",
           "-n", "cloud.cover:weather", ours(1))
    metric("resource create", "-t", "cloud", "-a", "name:stratus", "-a", "height:600", "-n", "cloud.cover:weather", ours(2))
    metric("resource create", "-t", "cloud", "-a", "name:nimbus", "-a", "height:3000", "by/name")
    metric("resource create", "-t", "cloud", "-a", "name:nimbus", "-a", "height:3000", "by-name")
    metric("resource create", "-t", "cloud", "-a", "height:3000", ours(3))
    metric("resource create", "-t", "cloud", "-a", "name:cirrus", ours(1))
    metric("resource list", "-t", "cloud")
    metric("resource list", "-t", "cloud", "--limit", "1", "--sort", "name:desc", form="value")
    metric("resource show", "-t", "cloud", ours(1))
    metric("resource show", "-t", "cloud", ours(9))
    metric("resource update", "-t", "cloud", "-a", "height:9000", ours(1))
    metric("resource update", "-t", "cloud", "-a", "height:9500", ours(1))
    metric("resource history", "-t", "cloud", ours(1))
    metric("resource search", "-t", "cloud", "height > 1000 and name like 'ci%'")
    metric("resource search", "-t", "cloud", "--sort", "height:asc", "height < 5000 or name = cirrus", form="csv")
    metric("resource search", "-t", "cloud", "height >")
    metric("resource search", "-t", "cloud", "depth > 3")
    metric("resource-type delete", "cloud", form=None)
    metric("create", "-a", "weather", "-u", "%", "alone")
    metric("create", "-r", ours(1), "cloud.speed")
    metric("create", "-r", ours(1), "cloud.speed")
    metric("list", "--sort", "name:asc", "--sort", "resource_id:asc")
    metric("show", "-r", ours(1), "cloud.cover")
    for name, resource in (("cloud.cover", ours(1)), ("cloud.cover", ours(2)), ("cloud.speed", ours(1))):
        measures = [part for minute in (0, 1, 1, 5, 30, 61, 150)
                    for part in ("-m", f"2015-03-06T{14 + minute // 60}:{minute % 60:02}:12@{minute * 1.7 - 3}")]
        metric("measures add", "-r", resource, *measures, name, form=None)
    metric("measures add", "-r", ours(1), "-m", "yesteryear@1", "cloud.cover", form=None)
    metric("measures show", "-r", ours(1), "--refresh", "cloud.cover")
    metric("measures show", "-r", ours(2), "--refresh", "cloud.cover")
    for method in ("max", "std", "count", "last", "95pct", "rate:mean", "min"):
        metric("measures show", "-r", ours(1), "--refresh", "--aggregation", method, "cloud.cover")
    metric("measures show", "-r", ours(1), "--granularity", "1h", "--start", "2015-03-06T15:00:00", "cloud.cover",
           form="value")
    metric("measures show", "-r", ours(1), "--granularity", "1m", "--resample", "10m", "cloud.cover")
    metric("measures show", "-r", ours(1), "--granularity", "7m", "cloud.cover")
    metric("measures aggregation", "--query", "height > 0", "--resource-type", "cloud", "-m", "cloud.cover",
           "--aggregation", "mean", "--needed-overlap", "0")
    metric("measures aggregation", "--query", "height > 0", "--resource-type", "cloud", "-m", "cloud.cover",
           "--aggregation", "max", "--needed-overlap", "0", "--groupby", "name")
    metric("aggregates", "--resource-type", "cloud", "(aggregate mean (metric cloud.cover mean))", "height > 0")
    metric("aggregates", "--resource-type", "cloud", "--groupby", "name", "(+ 2 (metric cloud.cover max))", "height > 0")
    metric("aggregates", "--resource-type", "cloud", "(metric cloud.dust mean)", "height > 0")
    metric("aggregates", "--resource-type", "cloud", "(sideways (metric cloud.cover mean))", "height > 0")
    with tempfile.TemporaryDirectory() as directory:
        batch = os.path.join(directory, "batch.json")
        measures = [{"timestamp": "2015-03-06T16:31:00", "value": 42.5}]
        for content, arguments in (({ours(2): {"cloud.cover": measures, "cloud.new": measures}}, ["--create-metrics"]),
                                   ({ours(8): {"cloud.cover": measures}}, ["--create-metrics"]),
                                   ({ours(2): {"cloud.gone": measures}}, [])):
            with open(batch, "w") as file:
                json.dump(content, file)
            came = run("openstack", openstack_shell.main, [*reach, "--os-endpoint", steps.url, "--os-user", USER,
                                                           "metric", "measures", "batch-resources-metrics", *arguments, batch])
            steps.note(["batch", content, arguments], came)
    metric("measures show", "-r", ours(2), "--refresh", "cloud.new")
    metric("measures show", "-r", ours(2), "--refresh", "--aggregation", "max", "cloud.cover")
    metric("delete", "-r", ours(1), "cloud.speed", form=None)
    metric("delete", "-r", ours(1), "cloud.speed", form=None)
    # As `generic`: of any other type, the real one deletes half of each resource, and keeps it as a generic one for ever.
    metric("resource batch delete", "-t", "generic", "original_resource_id = by-name")
    metric("resource delete", ours(2), form=None)
    metric("resource delete", ours(2), form=None)
    metric("resource list")
    gnocchi("resource list", "-t", "cloud", "--history", "--details")
    gnocchi("metric list", "--sort", "name:asc", "--sort", "resource_id:asc")
    gnocchi("measures show", "-r", ours(1), "cloud.cover", form="csv")
    gnocchi("capabilities list")
    gnocchi("archive-policy-rule delete", "clouds", form=None)
    gnocchi("archive-policy-rule list")


def library(steps):
    from gnocchiclient import auth, exceptions
    from gnocchiclient.v1 import client
    gnocchi = client.Client(session_options={"auth": auth.GnocchiBasicPlugin(USER, steps.url)})

    def ask(place, *arguments, digits=None, **named):
        """Calls `resource_type.create` and the like. Of points, only so many digits behind the point are looked at."""
        function = gnocchi
        for name in place.split("."):
            function = getattr(function, name)
        shown = [place, list(arguments), named]
        try:
            came = function(*arguments, **named)
        except exceptions.ClientException as error:
            steps.note(shown, {"raised": type(error).__name__, "code": error.code, "message": str(error.message)})
            return None
        if digits is not None:
            came = [(*point, round(value, digits)) for *point, value in came]
        steps.note(shown, came if isinstance(came, (dict, str)) or came is None else list(came))
        return came

    def at(seconds):
        return f"2015-03-06T14:{seconds // 60:02}:{seconds % 60:02}"

    for name, methods in (("six", ["mean", "min", "max", "sum", "std", "count"]), ("every", ["*"])):
        ask("archive_policy.create", {"name": name, "back_window": 1, "aggregation_methods": methods,
                                      "definition": [{"granularity": "1s", "points": 3600}, {"granularity": "00:01:00"}]})
    ask("archive_policy.create", {"name": "none", "definition": []})
    ask("archive_policy.get", "nowhere")
    ask("archive_policy_rule.create", {"name": "any", "metric_pattern": "*", "archive_policy_name": "six"})
    ask("archive_policy_rule.create", {"name": "any", "metric_pattern": "*", "archive_policy_name": "six"})
    ask("archive_policy_rule.get", "nothing")
    ask("resource_type.create", {"name": "station", "attributes": {"place": {"type": "string", "required": True}}})
    ask("resource_type.update", "station", [{"op": "add", "path": "/attributes/height", "value": {
        "type": "number", "required": True, "options": {"fill": 3}}}])
    ask("resource_type.get", "sattion")
    for number, place in ((1, "hill"), (2, "dale")):
        ask("resource.create", "station", {"id": ours(number), "place": place, "height": number, "user_id": "someone",
                                           "started_at": "2015-01-02 03:04:05", "metrics": {
                                               "rain": {"archive_policy_name": "every"}, "wind": {}}})
    ask("resource.create", "station", {"id": ours(1), "place": "hill", "height": 1})
    ask("resource.create", "station", {"id": ours(3), "place": 5, "height": 1})
    ask("resource.create", "sattion", {"id": ours(3)})
    ask("resource.get", "station", ours(1))
    ask("resource.get", "station", ours(5))
    ask("resource.update", "station", ours(1), {"place": "summit", "ended_at": "2015-06-01T00:00:00"})
    ask("resource.history", "station", ours(1), details=True)
    ask("resource.list", "station", history=True, limit=2, sorts=["place:asc"])
    ask("resource.list", "generic", details=True)
    ask("resource.search", "station", {"and": [{">=": {"height": 1}}, {"like": {"place": "%al%"}}]})
    ask("resource.search", "station", "place in ['summit', 'dale'] and not height = 2")
    ask("resource.search", "station", {"over": {"height": 1}})
    ask("metric.list", sorts=["name:asc", "resource_id:asc"])
    ask("metric.get", "wind", resource_id=ours(1))
    ask("metric.get", ours(77))
    ask("metric.create", {"name": "wind", "resource_id": ours(1)})
    ask("metric.create", {"name": "free", "unit": "m/s"})
    many = [{"timestamp": at(second), "value": (second * 37) % 101 / 7} for second in range(0, 900, 13)]
    ask("metric.add_measures", "rain", many[::-1], resource_id=ours(1))
    # Before measures come that are too late: with those, the real one forgets the first rate of its window.
    for method in ("rate:max", "rate:std"):
        ask("metric.get_measures", "rain", resource_id=ours(1), aggregation=method, refresh=True)
    ask("metric.add_measures", "rain", [{"timestamp": at(26), "value": 1e300}, {"timestamp": at(900), "value": -0.1}],
        resource_id=ours(1))
    ask("metric.add_measures", "rain", [{"timestamp": "never", "value": 3}], resource_id=ours(1))
    ask("metric.add_measures", "snow", many, resource_id=ours(1))
    ask("metric.batch_resources_metrics_measures", {ours(number): {"rain": many[number::2], "hail": {
        "archive_policy_name": "six", "unit": "mm", "measures": many[number::3]}} for number in (1, 2)}, create_metrics=True)
    ask("metric.batch_resources_metrics_measures", {ours(6): {"rain": many}, "named": {"rain": many}}, create_metrics=True)
    ask("metric.batch_resources_metrics_measures", {ours(1): {"sleet": many}})
    ask("metric.batch_metrics_measures", {ours(55): many})
    for method in ("mean", "median", "std", "first", "last", "count", "nothing"):
        ask("metric.get_measures", "rain", resource_id=ours(1), aggregation=method, refresh=True)
    for method in ("5pct", "99pct"):
        ask("metric.get_measures", "rain", resource_id=ours(1), aggregation=method, refresh=True, digits=PERCENTILE_DIGITS)
    ask("metric.get_measures", "rain", resource_id=ours(1), granularity="60", start=at(60), stop=at(300))
    ask("metric.get_measures", "rain", resource_id=ours(1), granularity=1, resample=90)
    for name, number in (("hail", 1), ("hail", 2), ("rain", 2)):
        ask("metric.get_measures", name, resource_id=ours(number), refresh=True)
    by_resource = {"resource_type": "station", "search": "height > 0"}
    for operations in ("(aggregate std (metric rain mean))", "(rolling mean 3 (metric hail max))",
                       "(resample sum 120 (metric hail mean))", "(rateofchange (metric rain mean))",
                       ["max", ["aggregate", "mean", ["metric", "rain", "mean"]], 3], "(metric * mean)", "(/ 1 0"):
        ask("aggregates.fetch", operations, granularity=60, fill="null", **by_resource)
        ask("aggregates.fetch", operations, granularity=60, groupby=["place"], **by_resource)
    ask("aggregates.fetch", "(metric rain mean)", use_history=True, groupby=["place"], **by_resource)
    ask("metric.aggregation", "rain", query={">": {"height": 0}}, resource_type="station", aggregation="sum",
        needed_overlap=0, granularity=60)
    ask("metric.delete", "wind", resource_id=ours(2))
    ask("resource.delete", ours(1))
    ask("resource.delete", ours(1))
    # As `generic`: see above.
    ask("resource.batch_delete", {"like": {"original_resource_id": "0000%"}}, resource_type="generic")
    ask("resource_type.delete", "station")
    ask("resource_type.delete", "generic")
    ask("archive_policy.delete", "nowhere")
    ask("capabilities.list")


def ceilometer(steps):
    from gnocchiclient import auth
    from gnocchiclient.v1 import client
    gnocchi = client.Client(session_options={"auth": auth.GnocchiBasicPlugin(USER, steps.url)})
    with tempfile.TemporaryDirectory() as directory:
        configuration = os.path.join(directory, "ceilometer.conf")
        with open(configuration, "w") as file:
            file.write(f"[service_credentials]\nauth_type = gnocchi-basic\nuser = {USER}\nendpoint = {steps.url}\n"
                       "[DEFAULT]\ntransport_url = fake://\n")
        program = os.path.join(os.path.dirname(sys.executable), "ceilometer-upgrade")
        for _ in range(2):
            done = subprocess.run([program, "--config-file", configuration, "--retry", "1"], capture_output=True, text=True)
            steps.note("ceilometer-upgrade", {"code": done.returncode,
                                              "err": done.stderr[-2000:] if done.returncode else ""})
            types = sorted(gnocchi.resource_type.list(), key=lambda kind: kind["name"])
            steps.note("resource types", types)


def main():
    kind, url = sys.argv[1:]
    steps = Steps(url)
    {"openstack": openstack, "library": library, "ceilometer": ceilometer}[kind](steps)
    print(json.dumps(steps.steps, default=str))


main()
