"""A real Keystone on SQLite, with a user, for tests.

  keystone_server.py DIRECTORY PORT USER PASSWORD ENDPOINT

Keeps everything in the directory, and makes there, the first time, the user with this password, whose domain is
`clouds` and whose project `weather`, and a service of type `event` and name `panko` with this endpoint in the regions
`north` and `south`. Says `application credential ID SECRET` and then `listening`, and serves on 127.0.0.1.
"""
import os
import socketserver
import sys
from wsgiref import simple_server

directory, port, user, password, endpoint = sys.argv[1:]
own = f"http://127.0.0.1:{port}/v3"
at = lambda name: os.path.join(directory, name)
configuration = at("keystone.conf")
new = not os.path.exists(configuration)
if new:
    with open(configuration, "w") as file:
        file.write(f"""
[DEFAULT]
public_endpoint = http://127.0.0.1:{port}
[database]
connection = sqlite:///{at("keystone.db")}
[token]
provider = fernet
[identity]
password_hash_rounds = 4
[fernet_tokens]
key_repository = {at("fernet")}
[fernet_receipts]
key_repository = {at("receipts")}
[credential]
key_repository = {at("credential")}
""")
    for name in ("fernet", "receipts", "credential"):
        os.mkdir(at(name), 0o700)

import webob
from oslo_config import cfg

from keystone.cmd import cli
from keystone.server import wsgi

# Its commands leave their marks in the configuration, so they run in a process that ends.
if new and os.fork() == 0:
    owner = ["--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid())]
    for command in (
        ["db_sync"],
        ["fernet_setup", *owner],
        ["receipt_setup", *owner],
        ["bootstrap", "--bootstrap-password", "admin", "--bootstrap-region-id", "north", "--bootstrap-public-url", own],
    ):
        cli.main(argv=["keystone-manage", "--config-file", configuration, *command])
        cfg.CONF.reset()
    os._exit(0)
if new:
    assert os.wait()[1] == 0, "Keystone could not be set up"

sys.argv = ["keystone"]
os.environ["OS_KEYSTONE_CONFIG_FILES"] = configuration
application = wsgi.initialize_public_application()


def ask(method, path, body=None, token=None):
    request = webob.Request.blank(own + path, method=method)
    if body is not None:
        request.json = body
    if token:
        request.headers["X-Auth-Token"] = token
    response = request.get_response(application)
    assert response.status_code < 300, (path, response.text)
    return response


def log_in(name, secret, domain, project):
    identity = {"methods": ["password"], "password": {"user": {"name": name, "password": secret, "domain": domain}}}
    scope = {"project": {"name": project, "domain": domain}}
    response = ask("POST", "/auth/tokens", {"auth": {"identity": identity, "scope": scope}})
    return response.headers["X-Subject-Token"], response.json["token"]["user"]["id"]


def make(kind, path, token, **fields):
    return ask("POST", path, {kind: fields}, token).json[kind]


if new:
    token, _ = log_in("admin", "admin", {"id": "default"}, "admin")
    domain = make("domain", "/domains", token, name="clouds")["id"]
    project = make("project", "/projects", token, name="weather", domain_id=domain)["id"]
    person = make("user", "/users", token, name=user, password=password, domain_id=domain, email=None)["id"]
    roles = ask("GET", "/roles?name=member", token=token).json["roles"]
    ask("PUT", f"/projects/{project}/users/{person}/roles/{roles[0]['id']}", token=token)
    service = make("service", "/services", token, type="event", name="panko")["id"]
    make("region", "/regions", token, id="south")
    for region, interface, url in (
        ("north", "public", endpoint),
        ("north", "internal", endpoint + "/internal"),
        ("south", "public", endpoint + "/south"),
    ):
        make("endpoint", "/endpoints", token, service_id=service, region_id=region, interface=interface, url=url)
    token, person = log_in(user, password, {"id": domain}, "weather")
    made = make("application_credential", f"/users/{person}/application_credentials", token, name="tests")
    print("application credential", made["id"], made["secret"], flush=True)


class Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True


server = simple_server.make_server("127.0.0.1", int(port), application, server_class=Server)
print("listening", flush=True)
server.serve_forever()
