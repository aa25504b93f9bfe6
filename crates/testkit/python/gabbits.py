"""One file of Gnocchi's own functional suite, against a server.

  gabbits.py FILE URL      FILE such as `archive.yaml`, as the installed Gnocchi has it; the server is empty
  gabbits.py list          prints the names of all files as a JSON list

Prints one JSON object: how many tests `passed`, and those that `failed`, each with its name and the reason. A test that
the suite expects to fail passes when it does, and fails when it does not. One that is skipped has failed.
"""
import importlib.util
import json
import pathlib
import sys
import unittest
import urllib.parse

import yaml
from gabbi import handlers, suitemaker

SECONDS = 60                     # for a test; the suite polls for what metricd would do


class NotANumber(yaml.YAMLObject):
    """What the suite's tag `!AssertNAN` stands for; no number equals itself unless it is one."""

    yaml_tag, yaml_loader = "!AssertNAN", yaml.FullLoader

    @classmethod
    def from_yaml(cls, loader, node):
        return cls()

    def __eq__(self, other):
        return isinstance(other, float) and other != other

    def __repr__(self):
        return "NaN"


class Tally(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.passed, self.failed = 0, []

    def failure(self, test, reason):
        name = test.test_data["name"] if hasattr(test, "test_data") else str(test)
        self.failed.append({"name": name, "reason": reason})

    def addSuccess(self, test):
        self.passed += 1

    def addExpectedFailure(self, test, error):
        self.passed += 1

    def addUnexpectedSuccess(self, test):
        self.failure(test, "it passed, although the suite expects it to fail")

    def addFailure(self, test, error):
        self.failure(test, self._exc_info_to_string(error, test))

    addError = addFailure

    def addSkip(self, test, reason):
        self.failure(test, f"skipped: {reason}")


def directory():
    return pathlib.Path(importlib.util.find_spec("gnocchi").origin).parent / "tests/functional/gabbits"


def load(file, url):
    text = file.read_text(encoding="utf-8")
    # One test has the place in it at which the suite's own server is mounted.
    text = text.replace("http://foobar/gnocchi/", f"http://foobar{url.path}/")
    suite = yaml.load(text, Loader=yaml.FullLoader)
    suite.pop("fixtures", None)  # these start Gnocchi in this process
    suite.setdefault("defaults", {}).setdefault("timeout", SECONDS)
    responses = [handler() for handler in handlers.RESPONSE_HANDLERS]
    return suitemaker.test_suite_from_dict(unittest.TestLoader(), file.stem.replace("-", "_"), suite, str(file.parent),
                                           url.hostname, url.port, None, None, prefix=url.path, handlers=responses)


def main():
    if sys.argv[1:] == ["list"]:
        print(json.dumps(sorted(file.name for file in directory().glob("*.yaml"))))
        return
    name, url = sys.argv[1:]
    tally = Tally()
    load(directory() / name, urllib.parse.urlsplit(url.rstrip("/"))).run(tally)
    print(json.dumps({"passed": tally.passed, "failed": tally.failed}))


main()
