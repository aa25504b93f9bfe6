"""Traces as a service would make them, with the bytes that OSProfiler would write."""
import datetime
import json
import random
import uuid

FIRST = datetime.datetime(2026, 1, 1)
DEEPEST = 20


def wsgi_info():
    return {"request": {"path": "/v3/volumes/detail", "query": "limit=10", "method": "GET", "scheme": "http"}}


def db_info():
    statement = "SELECT volumes.id, volumes.size FROM volumes WHERE volumes.deleted = %(deleted_1)s"
    return {"db": {"statement": statement, "params": {"deleted_1": 0}}}


def trace(points, seed=1, begin=FIRST):
    """The lines of one trace of so many points, two notifications each, in order of time: one root, and below it a
    random tree of at most DEEPEST levels."""
    chance, written, stack = random.Random(seed), 0, []
    base_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))

    def line(name, trace_id, parent_id, info):
        nonlocal written
        written += 1
        now = begin + datetime.timedelta(microseconds=137 * written)
        return json.dumps({"name": name, "base_id": base_id, "trace_id": trace_id, "parent_id": parent_id,
                           "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%f"), "info": {**info, "host": "host-1"},
                           "project": "cinder", "service": "api"})

    def enter(name, info):
        trace_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        stack.append((name, trace_id, stack[-1][1] if stack else base_id))
        return line(name + "-start", *stack[-1][1:], info)

    def leave():
        name, trace_id, parent_id = stack.pop()
        return line(name + "-stop", trace_id, parent_id, {})

    yield enter("wsgi", wsgi_info())
    made = 1
    while made < points:
        if len(stack) == 1 or (len(stack) < DEEPEST and chance.random() < 0.5):
            yield enter("db", db_info())
            made += 1
        else:
            yield leave()
    while stack:
        yield leave()


def base_id(line):
    return json.loads(line)["base_id"]


def traces(count, points):
    """The lines of many traces, each begun a second after the one before."""
    for number in range(count):
        yield from trace(points, seed=number, begin=FIRST + datetime.timedelta(seconds=number))
