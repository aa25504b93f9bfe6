"""What reads a Gnocchi: services of OpenStack by their own code, and Grafana by the requests of its datasource plugin.

  gnocchi_consumers.py aodh URL         takes alarms on thresholds of a metric, of several, and of a query, and evaluates them
  gnocchi_consumers.py cloudkitty URL   collects what is to be rated
  gnocchi_consumers.py grafana URL      draws graphs, fills in variables and completes what is typed
  gnocchi_consumers.py watcher URL      asks how busy hosts and instances are

Fills the empty Gnocchi with instances and hosts first. Prints a JSON list of steps, each what was asked and what came of it,
to compare two servers by.
"""
import ast
import datetime
import importlib.metadata
import json
import math
import re
import sys
import types
import urllib.error
import urllib.parse
import urllib.request

from gnocchiclient import auth
from gnocchiclient.v1 import client

BEGIN = datetime.datetime(2015, 3, 6, 14, tzinfo=datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)
INSTANCES = [f"00000000-0000-0000-0000-00000000000{number}" for number in range(4)]
PROJECTS = ["red", "green"]
# An id that a server made: ours begin otherwise.
MADE = re.compile(r"\b(?!0{8}-)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
NOBODY = "00000000-0000-0000-0000-00000000000f"
# When a server made something: what we measure is at whole seconds.
NOW = re.compile(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}\+00:00")


class Gnocchi:
    """The client, and what it is filled with: the latest measures are from the last hour."""

    def __init__(self, url):
        self.url = url
        self.client = client.Client(session_options={"auth": auth.GnocchiBasicPlugin("admin", url)})
        self.client.archive_policy.create({
            "name": "low",
            "definition": [{"granularity": 60, "points": 100_000}, {"granularity": 300, "points": 100_000},
                           {"granularity": 3600, "points": 100_000}],
            "aggregation_methods": ["mean", "max", "min", "sum", "count", "rate:mean"],
        })
        self.client.archive_policy_rule.create({"name": "all", "metric_pattern": "*", "archive_policy_name": "low"})
        self.client.resource_type.create({"name": "instance", "attributes": {
            "flavor": {"type": "string", "required": False}, "server_group": {"type": "string", "required": False}}})
        now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
        self.metrics = {}
        for number, instance in enumerate(INSTANCES):
            self.client.resource.create("instance", {
                "id": instance, "project_id": PROJECTS[number % 2], "user_id": "someone", "flavor": f"m{number}",
                "server_group": "web", "started_at": BEGIN.isoformat(), "metrics": {"cpu": {}, "memory": {}, "network": {}}})
            for name, scale in (("cpu", 1e11), ("memory", 512)):
                self.measure(instance, name, [(BEGIN + minute * HOUR / 60, scale * (number + minute / 100))
                                              for minute in range(0, 150, 1 + number)])
        # Rating looks at revisions of resources: those of now began now.
        self.recent = now - now.minute % 5 * HOUR / 60 - HOUR / 2
        for number, instance in enumerate(INSTANCES):
            self.measure(instance, "network", [(self.recent + minute * HOUR / 60, 10 * number + minute / 4)
                                               for minute in range(0, 25, 1 + number)])
        for minutes in (90, 60, 30):
            # Of the last hour and a half the values are always the same: when it is makes no difference.
            self.measure(INSTANCES[0], "memory", [(now - minutes * HOUR / 60, 4096)])
        self.client.resource.create("generic", {"id": "tower_tower", "metrics": {"compute.node.cpu.percent": {}}})
        self.measure("tower_tower", "compute.node.cpu.percent",
                     [(now - minute * HOUR / 60, 12.5) for minute in range(0, 90)])

    def measure(self, resource, name, measures):
        measures = [{"timestamp": at.isoformat(), "value": value} for at, value in measures]
        self.client.metric.add_measures(name, measures, resource_id=resource)
        self.client.metric.get_measures(name, resource_id=resource, refresh=True)
        self.metrics[resource, name] = self.client.metric.get(name, resource_id=resource)["id"]


class Steps(list):
    def note(self, asked, function, *arguments, **named):
        """What a function returns, or what it raises."""
        try:
            came = function(*arguments, **named)
        except Exception as error:
            # The answer of the server is in it as Python shows it, in whatever order it came.
            said = re.sub(r"\{.*\}", lambda found: json.dumps(ast.literal_eval(found[0]), sort_keys=True), str(error))
            came = f"{type(error).__name__}: {MADE.sub('id', said)}"
        self.append([asked, came])


def aodh(gnocchi, steps):
    from aodh.evaluator import gnocchi as evaluators

    def evaluate(asked, evaluator, **rule):
        rule = {"granularity": 300, "evaluation_periods": 4, "aggregation_method": "mean", **rule}
        it = object.__new__(evaluator)
        it._gnocchi_client = gnocchi.client
        start, end = BEGIN.isoformat(), (BEGIN + HOUR).isoformat()
        steps.note([asked, rule.get("aggregation_method"), rule["granularity"]],
                   lambda: evaluator._sanitize(rule, it._statistics(rule, start, end)))

    for method in ("mean", "max", "rate:mean", "99pct"):
        for granularity in (60, 300, 7):
            how = {"aggregation_method": method, "granularity": granularity}
            evaluate("resource", evaluators.GnocchiResourceThresholdEvaluator, metric="cpu", resource_id=INSTANCES[1],
                     resource_type="instance", **how)
            evaluate("metrics", evaluators.GnocchiAggregationMetricsThresholdEvaluator,
                     metrics=[gnocchi.metrics[instance, "cpu"] for instance in INSTANCES], **how)
            evaluate("one metric", evaluators.GnocchiAggregationMetricsThresholdEvaluator,
                     metrics=[gnocchi.metrics[INSTANCES[2], "cpu"]], **how)
            for query in ({"=": {"server_group": "web"}}, {"=": {"server_group": "db"}},
                          {"and": [{"=": {"created_by_project_id": ""}}, {"like": {"flavor": "m%"}}]}):
                evaluate(f"query {query}", evaluators.GnocchiAggregationResourcesThresholdEvaluator, metric="cpu",
                         resource_type="instance", query=json.dumps(query), **how)
    evaluate("no metric", evaluators.GnocchiResourceThresholdEvaluator, metric="disk", resource_id=INSTANCES[1])
    evaluate("no resource", evaluators.GnocchiResourceThresholdEvaluator, metric="cpu", resource_id=NOBODY)
    evaluate("no metrics", evaluators.GnocchiAggregationMetricsThresholdEvaluator, metrics=[NOBODY])
    evaluate("no type", evaluators.GnocchiAggregationResourcesThresholdEvaluator, metric="cpu", resource_type="volume",
             query='{"=": {"id": "a"}}')
    take_alarms(gnocchi, steps)


def take_alarms(gnocchi, steps):
    """What its API asks before it takes an alarm from Heat or anybody else."""
    # A library of it asks for what Python has itself by now.
    sys.modules.setdefault("importlib_metadata", importlib.metadata)
    from aodh.api.controllers.v2.alarm_rules import gnocchi as rules

    # Who asks, and in which project, the middleware around it would know.
    configuration = types.SimpleNamespace(service_credentials=types.SimpleNamespace(interface=None, region_name=None))
    rules.pecan = rules.base.pecan = types.SimpleNamespace(
        request=types.SimpleNamespace(cfg=configuration), response=types.SimpleNamespace())
    rules.keystone_client = types.SimpleNamespace(get_session=lambda conf: None)
    rules.client = types.SimpleNamespace(Client=lambda *arguments, **named: gnocchi.client)
    rules.v2_utils = types.SimpleNamespace(get_auth_project=lambda project: project)
    by_query = rules.AggregationMetricByResourcesLookupRule
    by_query.get_external_project_owner = staticmethod(lambda: "service")
    steps.note("methods", lambda: sorted(by_query._get_aggregation_methods()))
    kind = "gnocchi_aggregation_by_resources_threshold"
    for metric, resource_type, query in (
            ("cpu", "instance", {"=": {"server_group": "web"}}), ("cpu", "instance", {"=": {"size": 1}}), ("cpu", "instance", {}),
            ("disk", "instance", {"=": {"server_group": "web"}}), ("cpu", "volume", {"=": {"id": NOBODY}}),
            ("cpu", "instance", {"=": {"started_at": "soon"}})):
        for method in ("mean", "rate:mean", "99pct"):
            for project in (None, "red"):
                rule = types.SimpleNamespace(metric=metric, resource_type=resource_type, query=json.dumps(query),
                                             aggregation_method=method)
                alarm = types.SimpleNamespace(type=kind, project_id=project, **{f"{kind}_rule": rule})
                steps.note(["alarm", metric, resource_type, query, method, project], by_query.validate_alarm, alarm)


def cloudkitty(gnocchi, steps):
    from cloudkitty.collector import gnocchi as collector

    def metric(**extra):
        return {"unit": "u", "groupby": ["id", "project_id"], "metadata": ["flavor"],
                "extra_args": {"resource_type": "instance", "force_granularity": 300, **extra}}

    conf = {
        "network": metric(aggregation_method="max"),
        "network@#rate": metric(aggregation_method="rate:mean", re_aggregation_method="rate:sum"),
        "network@#hourly": metric(aggregation_method="max", force_granularity=3600),
        "network@#query": metric(custom_query="(/ (aggregate RE_AGGREGATION_METHOD (metric METRIC_NAME AGGREGATION_METHOD)) 2)"),
        "disk": metric(),
        "volume": {**metric(), "extra_args": {"resource_type": "volume"}},
    }
    it = object.__new__(collector.GnocchiCollector)
    it._conn, it.conf = gnocchi.client, collector.GnocchiCollector.check_configuration({"metrics": conf})
    for name in conf:
        for project in (None, *PROJECTS, "blue"):
            for back in (0, 1, 24):
                start = gnocchi.recent - back * HOUR
                steps.note([name, project, f"{back} hours before"], lambda: sorted(map(point, it.fetch_all(
                    name, start, start + HOUR, project_id=project))))
    steps.note("resources", lambda: sorted(it._fetch_resources("network", gnocchi.recent, gnocchi.recent + HOUR)))


def point(of):
    return str(of.as_dict() if hasattr(of, "as_dict") else of)


def grafana(gnocchi, steps):
    """What version 1.7.1 of gnocchixyz-gnocchi-datasource sends, as the library under it writes addresses."""
    plugin = Plugin(gnocchi, steps)
    range_of_time = {"start": "2015-03-06T14:00:00.000Z", "end": "2015-03-06T15:30:00.000Z", "stop": "2015-03-06T15:30:00.000Z"}
    web, by_json = 'server_group = "web"', '{"and": [{"=": {"server_group": "web"}}, {"like": {"flavor": "m%"}}]}'
    cpus = [gnocchi.metrics[instance, "cpu"] for instance in INSTANCES]

    # The test of the source, and what the editor of queries starts with.
    for address in ("v1/resource", "", "v1/resource_type"):
        plugin.ask(address)
    plugin.ask("v1/resource", headers={"Authorization": "basic Og=="})
    # Completion, and the variables of a dashboard.
    plugin.ask("v1/search/resource/instance", {"attrs": "flavor"}, "{}")
    for search in (web, by_json, "server_group in [\"web\", \"db\"] and not flavor like 'm1%'", 'server_group = "db"', "flavor >",
                   '{"=": {"size": 1}}', "size = 1"):
        plugin.search("instance", search)
        plugin.search("instance", search, {"attrs": ["id", "flavor"]})
        plugin.search("instance", search, {"attrs": ["metrics"]})
    plugin.search("volume", web)
    for resource in (INSTANCES[1], "tower_tower", "nobody"):
        plugin.ask(f"v1/resource/generic/{resource}")
    for metric in (*cpus, NOBODY, "cpu"):
        plugin.ask(f"v1/metric/{metric}")
    # A metric, by its id and by its resource.
    for aggregator in ("mean", "max", "rate:mean", "99pct", None):
        for granularity in (None, "300", "7", "5 minutes"):
            how = {**range_of_time, "aggregation": aggregator, "granularity": granularity}
            plugin.ask(f"v1/metric/{cpus[1]}/measures", how)
            plugin.ask(f"v1/resource/instance/{INSTANCES[2]}/metric/cpu/measures", how)
    plugin.ask(f"v1/resource/instance/{INSTANCES[2]}/metric/disk/measures", range_of_time)
    plugin.ask(f"v1/resource/volume/{INSTANCES[2]}/metric/cpu/measures", range_of_time)
    # Several together, without and with groups.
    for aggregator, reaggregator, granularity, more in (
            ("mean", None, None, {}), ("max", "sum", "300", {"fill": "null"}), ("mean", "std", "60", {"fill": "0"}),
            ("mean", "rate:max", "3600", {"needed_overlap": 50}), ("99pct", None, "300", {})):
        how = {**range_of_time, "aggregation": aggregator, "reaggregation": reaggregator, "granularity": granularity,
               "needed_overlap": 0, **more}
        plugin.ask("v1/aggregation/metric", {**how, "metric": cpus})
        for groupby in (["project_id"], ["flavor", "project_id"], ["size"]):
            for search in (web, by_json):
                plugin.search("instance", search, {**how, "groupby": groupby}, "v1/aggregation/resource/instance/metric/cpu")
    # Operations on metrics, and on those of resources.
    one, all_of_them = f"(metric {cpus[3]} mean)", f"(metric {' '.join(f'({cpu} mean)' for cpu in cpus)})"
    for operations in (one, all_of_them, f"(+ 1 (aggregate sum {all_of_them}))", f"(rateofchange {one})", f"(metric {NOBODY} mean)",
                       f"(metric {cpus[0]} 99pct)", f"(+ 1 {one}", f"(nothing {one})"):
        for more in ({"fill": "null"}, {"needed_overlap": 100}, {"granularity": "300"}):
            plugin.operate({"operations": operations}, {**range_of_time, **more})
    for operations in ("(metric cpu mean)", "(metric (cpu mean) (memory max))", "(aggregate mean (metric cp* mean))",
                       "(/ (metric cpu mean) 1e9)", "(metric disk mean)", "(+ 1 (metric cpu mean)"):
        for search in (web, by_json, 'server_group = "db"', "flavor >"):
            for groupby in (None, ["project_id"], ["flavor", "project_id"]):
                body = {"operations": operations, "search": search, "resource_type": "instance"}
                plugin.operate(body, {**range_of_time, "granularity": "300", "groupby": groupby})


class Plugin:
    """Sends requests as a browser does for the plugin, and notes what is answered."""

    HEADERS = {"Authorization": "basic YWRtaW46", "Accept": "application/json, text/plain, */*", "Content-Type": "application/json"}

    def __init__(self, gnocchi, steps):
        self.url, self.steps = gnocchi.url, steps
        self.names = {metric: f"{name} of {resource}" for (resource, name), metric in gnocchi.metrics.items()}

    def ask(self, address, arguments=None, body=None, method="GET", headers=None):
        query = "&".join(f"{name}={self.encoded(one)}" for name, value in sorted((arguments or {}).items())
                         for one in (value if isinstance(value, list) else [value]) if one is not None)
        target = f"{address}?{query}" if query else address
        request = urllib.request.Request(f"{self.url}/{target}", headers={**self.HEADERS, **(headers or {})},
                                         method="POST" if body else method, data=body and body.encode())
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            # What is wrong comes as a page for people, of which the plugin makes nothing.
            told = [answer.status, answer.headers["Content-Type"], answer.status < 400 and self.known(answer.read().decode())]
        self.steps.append([self.named(f"{request.method} {target} {body or ''}"), told])

    def search(self, resource_type, search, arguments=None, address=None):
        """By a condition in either language; without a body there is none, though it would be JSON."""
        address = address or f"v1/search/resource/{resource_type}"
        if search.startswith("{"):
            self.ask(address, arguments, search)
        else:
            self.ask(address, {**(arguments or {}), "filter": search}, method="POST")

    def operate(self, body, arguments):
        self.ask("v1/aggregates", {**arguments, "details": "true"}, json.dumps(body))

    @staticmethod
    def encoded(text):
        return urllib.parse.quote(str(text), safe="~()*!'@:$,;").replace("%20", "+")

    def named(self, text):
        return MADE.sub("id", re.sub(MADE, lambda found: self.names.get(found[0], found[0]), text))

    def known(self, text):
        """JSON without what the server made up, and with the hosts of its links away."""
        return in_order(json.loads(NOW.sub("now", self.named(text)).replace(self.url, "URL")))


def in_order(value):
    """Python's sets come in any order, and of numbers that are added in any order the last digits differ."""
    if isinstance(value, dict):
        value = {key: in_order(inner) for key, inner in sorted(value.items())}
        return {key: sorted(inner, key=str) if key in ("aggregation_methods", "references") else inner for key, inner in value.items()}
    if isinstance(value, list):
        return [in_order(inner) for inner in value]
    if isinstance(value, float):
        return float(f"{value:.12g}") if math.isfinite(value) else str(value)
    return value


def watcher(gnocchi, steps):
    import watcher.conf  # noqa: F401, it registers the options
    from watcher.decision_engine.datasources import gnocchi as datasource
    helper = datasource.GnocchiHelper(osc=types.SimpleNamespace(gnocchi=lambda: gnocchi.client))
    steps.note("availability", helper.check_availability)
    steps.note("metrics", lambda: sorted(helper.list_metrics()))
    tower = types.SimpleNamespace(uuid=NOBODY, hostname="tower")
    nobody = types.SimpleNamespace(uuid=NOBODY, hostname="nobody", vcpus=1)
    instance = types.SimpleNamespace(uuid=INSTANCES[0], hostname="vm", vcpus=2)
    for method in ("mean", "max", "min", "count"):
        for granularity in (60, 300, 7):
            steps.note(["host", method, granularity], helper.get_host_cpu_usage, tower, 3600, method, granularity)
            steps.note(["memory", method, granularity], helper.get_instance_ram_usage, instance, 7200, method, granularity)
    steps.note("unmeasured", helper.get_host_ram_usage, tower, 3600, "mean")
    steps.note("nobody", helper.get_host_cpu_usage, nobody, 3600, "mean")
    steps.note("no instance", helper.get_instance_cpu_usage, nobody, 3600, "mean")
    for start in (BEGIN, BEGIN + HOUR):
        steps.note(["series", str(start)], lambda: {str(at): value for at, value in helper.statistic_series(
            instance, "instance", "instance_ram_usage", start, start + HOUR, 300).items()})


def main():
    kind, url = sys.argv[1:]
    steps = Steps()
    {"aodh": aodh, "cloudkitty": cloudkitty, "grafana": grafana, "watcher": watcher}[kind](Gnocchi(url), steps)
    print(json.dumps(steps, default=str))


main()
