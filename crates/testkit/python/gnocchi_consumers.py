"""What services of OpenStack read of a Gnocchi, by their own code.

  gnocchi_consumers.py aodh URL         evaluates alarms on thresholds of a metric, of several, and of a query
  gnocchi_consumers.py cloudkitty URL   collects what is to be rated
  gnocchi_consumers.py watcher URL      asks how busy hosts and instances are

Fills the empty Gnocchi with instances and hosts first. Prints a JSON list of steps, each what was asked and what came of it,
to compare two servers by.
"""
import ast
import datetime
import json
import re
import sys
import types

from gnocchiclient import auth
from gnocchiclient.v1 import client

BEGIN = datetime.datetime(2015, 3, 6, 14, tzinfo=datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)
INSTANCES = [f"00000000-0000-0000-0000-00000000000{number}" for number in range(4)]
PROJECTS = ["red", "green"]
# An id that a server made: ours begin otherwise.
MADE = re.compile(r"\b(?!0{8}-)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
NOBODY = "00000000-0000-0000-0000-00000000000f"


class Gnocchi:
    """The client, and what it is filled with: the latest measures are from the last hour."""

    def __init__(self, url):
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
    {"aodh": aodh, "cloudkitty": cloudkitty, "watcher": watcher}[kind](Gnocchi(url), steps)
    print(json.dumps(steps, default=str))


main()
