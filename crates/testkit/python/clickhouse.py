"""ClickHouse's HTTP interface, as far as our driver uses it, over the ClickHouse engine that chDB carries.

  clickhouse.py PORT DIRECTORY USER PASSWORD

The engine is ClickHouse itself; logins and the mapping of errors to statuses are imitated here. The user `reader`
with the same password may only read. Prints `ready` when it listens.
"""
import http.server
import os
import re
import sys
import tempfile
import threading
import urllib.parse

from chdb import session

PORT, DIRECTORY, USER, PASSWORD = sys.argv[1:]

# src/Server/HTTP/exceptionCodeToHTTPStatus.cpp
STATUSES = {60: 404, 81: 404, 62: 400, 47: 400, 457: 400, 115: 404, 164: 403, 497: 403, 516: 403}


class Failure(Exception):
    def __init__(self, code, text):
        super().__init__(f"Code: {code}. DB::Exception: {text} (version 26.9)\n")
        self.code = code


class Engine:
    """One connection of the engine for each user: it serves one query after the other."""

    def __init__(self):
        self.lock = threading.Lock()
        self.writer = session.Session(DIRECTORY)
        self.reader = session.Session(DIRECTORY)
        self.reader.query("SET readonly = 2")

    def run(self, user, database, settings, sql, parameters):
        connection = self.reader if user == "reader" else self.writer
        with self.lock:
            try:
                connection.query("USE `%s`" % database.replace("`", ""))
                for name, value in settings.items():
                    connection.query(f"SET {name} = {value}")
                answer = connection.query(sql, "TabSeparated", params=parameters or None)
            except Exception as error:
                code = re.search(r"Code: (\d+)\. ", str(error))
                raise Failure(int(code[1]) if code else 1002, str(error).split("DB::Exception: ", 1)[-1])
        return answer.bytes() if answer is not None else b""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        try:
            self.answer(200, self.run(query, body), {})
        except Failure as failure:
            status = STATUSES.get(failure.code, 500)
            self.answer(status, str(failure).encode(), {"X-ClickHouse-Exception-Code": str(failure.code)})

    def run(self, query, body):
        user = self.headers.get("X-ClickHouse-User", "default")
        if user not in (USER, "reader") or self.headers.get("X-ClickHouse-Key") != PASSWORD:
            raise Failure(516, f"{user}: Authentication failed: password is incorrect, or there is no user with such name.")
        database = query.pop("database", "default")
        query.pop("wait_end_of_query", None)
        sql = query.pop("query", None)
        parameters = {name[6:]: query.pop(name) for name in list(query) if name.startswith("param_")}
        if sql is None:
            return ENGINE.run(user, database, query, body.decode(), parameters)
        statement, form = sql.rsplit(" FORMAT ", 1)
        with tempfile.NamedTemporaryFile(dir=DIRECTORY + ".rows") as rows:
            rows.write(body)
            rows.flush()
            insert = f"{statement} FROM INFILE '{rows.name}' FORMAT {form}"
            return ENGINE.run(user, database, query, insert, parameters)

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


os.makedirs(DIRECTORY + ".rows", exist_ok=True)
ENGINE = Engine()
server = Server(("127.0.0.1", int(PORT)), Handler)
print("ready", flush=True)
server.serve_forever()
