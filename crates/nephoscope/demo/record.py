#!/usr/bin/env python3
"""Records the traces of `nephoscope demo`: requests through several services, traced by the real OSProfiler.

  record.py > traces.jsonl        (needs osprofiler 4.4 and WebOb)

The services are small stand-ins, one thread each as every service is a process of its own; everything that traces
them, names, headers and points, is OSProfiler's own.
"""
import socket
import sys
import threading
import time
import types
import uuid

import webob
from oslo_serialization import jsonutils
from osprofiler import notifier, profiler, web
from osprofiler import sqlalchemy as traced_sql

KEY = "SECRET_KEY"
here = threading.local()
socket.gethostname = lambda: here.host


def send(point):
    """What a driver does before it stores a point."""
    sys.stdout.write(jsonutils.dumps({**point, "project": here.project, "service": here.service}) + "\n")


def at(project, service, host, work, **ids):
    """Runs work in another service, and waits for it."""
    failed = []

    def serve():
        here.project, here.service, here.host = project, service, host
        if ids:
            profiler.init(KEY, **ids)
        try:
            work()
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def http(project, service, host, method, path, work, headers=None):
    """A request to another service, through its WSGI middleware."""
    sent = headers if headers is not None else web.get_trace_id_headers()

    def application(environ, start_response):
        work()
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]

    def serve():
        request = webob.Request.blank(path, method=method, headers=dict(sent))
        request.get_response(web.WsgiMiddleware(application, hmac_keys=KEY, enabled=True))

    at(project, service, host, serve)


def rpc(project, service, host, function, *args):
    """A message to another service, which goes on with the ids of the caller."""
    tracer = profiler.get()
    at(project, service, host, lambda: function(*args), base_id=tracer.get_base_id(), parent_id=tracer.get_id())


def sql(statement, params, seconds=0.001, fail=None):
    before, after = traced_sql._before_cursor_execute("db"), traced_sql._after_cursor_execute(hide_result=True)
    before(None, None, statement, params, None, False)
    time.sleep(seconds)
    if fail:
        traced_sql.handle_error(types.SimpleNamespace(original_exception=fail))
        raise fail
    after(None, None, statement, params, None, False)


def traced(name):
    return profiler.trace(name, hide_args=False, allow_multiple_trace=True)


# --- the services ---

def keystone_validate():
    sql("SELECT token.id, token.expires FROM token WHERE token.id = %(id)s", {"id": "8e1b"}, 0.0012)
    sql("SELECT role.name FROM role JOIN assignment ON role.id = assignment.role_id WHERE assignment.actor_id = %(u)s",
        {"u": "demo"}, 0.0016)


def validate():
    http("keystone", "public", "controller-1", "GET", "/v3/auth/tokens", keystone_validate)


@traced("rpc")
def select_destinations(spec):
    http("placement", "api", "controller-2", "GET", "/allocation_candidates?resources=VCPU:2,MEMORY_MB:4096",
         lambda: sql("SELECT rp.uuid, inv.total - SUM(alloc.used) FROM resource_providers AS rp", [], 0.009))


@traced("driver")
def spawn(instance, image):
    time.sleep(0.064)


@traced("api")
def allocate_for_instance(instance, networks):
    http("neutron", "server", "network-1", "POST", "/v2.0/ports.json", neutron_create_port)


def neutron_create_port():
    sql("SELECT networks.id, networks.mtu FROM networks WHERE networks.id = %(id)s", {"id": "net-7"}, 0.0018)
    for address in range(17, 20):
        sql("SELECT ipallocations.port_id FROM ipallocations WHERE ip_address = %(ip)s", {"ip": f"10.0.0.{address}"})
    sql("INSERT INTO ports (id, network_id, mac_address) VALUES (%(id)s, %(net)s, %(mac)s)",
        {"id": "port-3", "net": "net-7", "mac": "fa:16:3e:aa:01:02"}, 0.0042)


@traced("rpc")
def build_and_run_instance(instance):
    allocate_for_instance(instance, ["net-7"])
    http("glance", "api", "controller-1", "GET", "/v2/images/9a1c4b",
         lambda: sql("SELECT images.size, images.checksum FROM images WHERE images.id = %(id)s", {"id": "9a1c4b"}, 0.0021))
    spawn(instance, "9a1c4b")
    sql("UPDATE instances SET vm_state = %(s)s WHERE uuid = %(id)s", {"s": "active", "id": instance}, 0.0027)


@traced("rpc")
def build_instances(instance):
    rpc("nova", "scheduler", "controller-2", select_destinations, {"vcpus": 2, "ram": 4096})
    rpc("nova", "compute", "compute-17", build_and_run_instance, instance)


def nova_create_server():
    validate()
    sql("SELECT quotas.resource, quotas.hard_limit FROM quotas WHERE quotas.project_id = %(p)s", {"p": "demo"}, 0.0015)
    sql("INSERT INTO instances (uuid, flavor, image_ref) VALUES (%(id)s, %(f)s, %(i)s)",
        {"id": "f3ac", "f": "m1.medium", "i": "9a1c4b"}, 0.0034)
    rpc("nova", "conductor", "controller-1", build_instances, "f3ac")


@traced("driver")
def create_volume_on_pool(volume, size):
    time.sleep(0.011)
    raise OSError("pool ssd-2 is read-only")


@traced("rpc")
def create_volume(volume, size):
    sql("UPDATE volumes SET status = %(s)s WHERE id = %(id)s", {"s": "creating", "id": volume}, 0.002)
    try:
        create_volume_on_pool(volume, size)
    except OSError:
        sql("UPDATE volumes SET status = %(s)s WHERE id = %(id)s", {"s": "error", "id": volume}, 0.0019)
        raise


def cinder_create_volume():
    validate()
    sql("INSERT INTO volumes (id, size, display_name) VALUES (%(id)s, %(size)s, %(name)s)",
        {"id": "v-81", "size": 80, "name": "Datenträger"}, 0.003)
    try:
        rpc("cinder", "volume", "storage-2", create_volume, "v-81", 80)
    except OSError:
        pass


def nova_list_servers():
    validate()
    sql("SELECT instances.uuid, instances.display_name FROM instances WHERE instances.project_id = %(p)s LIMIT 1000",
        {"p": "demo"}, 0.0058)
    for server in range(12):
        sql("SELECT block_device_mapping.volume_id FROM block_device_mapping WHERE instance_uuid = %(id)s",
            {"id": f"i-{server:02}"}, 0.0006)


def glance_upload_cut_off():
    """A request whose service was killed: points that never stop."""
    validate()
    profiler.start("db", {"db": {"statement": "UPDATE images SET status = 'saving' WHERE id = %(id)s",
                                 "params": {"id": "77d0"}}})
    profiler.get()._name, profiler.get()._trace_stack = [], type(profiler.get()._trace_stack)(["x", "x"])


def request(project, service, host, method, path, work):
    """A request of a user who asked for it to be traced."""
    from osprofiler import _utils
    info, digest = _utils.signed_pack({"base_id": str(uuid.uuid4())}, KEY)
    http(project, service, host, method, path, work,
         {web.X_TRACE_INFO: info.decode(), web.X_TRACE_HMAC: digest})


notifier.set(send)
request("nova", "api", "controller-1", "POST", "/v2.1/servers", nova_create_server)
request("cinder", "api", "controller-2", "POST", "/v3/demo/volumes", cinder_create_volume)
request("nova", "api", "controller-1", "GET", "/v2.1/servers/detail?limit=1000", nova_list_servers)
request("glance", "api", "controller-1", "PUT", "/v2/images/77d0/file", glance_upload_cut_off)
