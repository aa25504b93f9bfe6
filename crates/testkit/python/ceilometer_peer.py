"""OSProfiler 1.15 and python-ceilometerclient, reading what a server answers as Ceilometer's event API.

  ceilometer_peer.py reports URL ID…    prints get_report() of OSProfiler's `ceilometer` driver, of each trace
  ceilometer_peer.py events URL ID      prints what the client finds about the events of a trace

Prints one JSON value.
"""
import json
import sys

from ceilometerclient import client, exc
from osprofiler.drivers import base


def settings(url):
    return {"ceilometer_url": url, "ceilometer_api_version": "2", "os_auth_token": "any"}


def events(url, base_id):
    ceilometer = client.get_client("2", **settings(url))
    query = [{"field": "base_id", "op": "eq", "value": base_id}]
    listed = [event.to_dict() for event in ceilometer.events.list(query)]
    stops = [event.to_dict() for event in ceilometer.events.list(
        query + [{"field": "name", "op": "ge", "value": "wsgi-stop", "type": "string"}], limit=1)]
    got = ceilometer.events.get(listed[0]["message_id"]).to_dict()
    traits = [trait.to_dict() for trait in ceilometer.trait_descriptions.list(got["event_type"])]
    try:
        ceilometer.events.get("nobody")
        missing = "it is there"
    except exc.HTTPNotFound:
        missing = "not found"
    return {"listed": listed, "stops": stops, "got": got, "traits": traits, "missing": missing}


def main():
    action, url, *ids = sys.argv[1:]
    if action == "reports":
        # A driver can make one report only.
        result = [base.get_driver("ceilometer://", **settings(url)).get_report(base_id) for base_id in ids]
    else:
        result = events(url, *ids)
    json.dump(result, sys.stdout)


main()
