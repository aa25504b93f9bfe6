"""A Gnocchi that takes everything and keeps nothing, for measuring what sends to it: stub.py PORT

Answers at once, counts the measures of batches, and tells how many there were: GET /counts. GET /away?seconds=N has it
refuse everything with 503 for so long.
"""
import asyncio
import json
import re
import sys
import time
import urllib.parse

NOW = "2026-01-31T12:00:00+00:00"
LENGTH = re.compile(rb"(?i)\r\ncontent-length:\s*(\d+)")
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
AWAY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


def answer(status, body):
    body = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Stub:
    def __init__(self):
        self.measures = self.requests = 0
        self.back_at = 0

    def serve(self, method, target, body):
        path = target.partition("?")[0]
        if path == "/counts":
            return answer(200, {"measures": self.measures, "requests": self.requests})
        if path == "/away":
            self.back_at = time.monotonic() + float(urllib.parse.parse_qs(target.partition("?")[2])["seconds"][0])
            return ACCEPTED
        if time.monotonic() < self.back_at:
            return AWAY
        self.requests += 1
        if path.startswith("/v1/batch"):
            self.measures += body.count(b'"timestamp"')
            return ACCEPTED
        if method == "GET":
            return answer(200, [])
        return answer(201 if method == "POST" else 200, self.made(path.split("/"), body))

    @staticmethod
    def made(parts, body):
        """What was posted, as it were made; of a resource, what all of them have."""
        if parts[2] != "resource":
            return {"state": "active", **json.loads(body)}
        return {"id": parts[4], "original_resource_id": parts[4], "type": parts[3], "creator": "admin", "metrics": {},
                "created_by_user_id": "admin", "created_by_project_id": "", "user_id": None, "project_id": None,
                "started_at": NOW, "ended_at": None, "revision_start": NOW, "revision_end": None}


class Connection(asyncio.Protocol):
    def __init__(self, stub):
        self.stub, self.got = stub, bytearray()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.got += data
        while (end := self.got.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.got[:end])
            length = LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.got) < whole:
                return
            body = bytes(self.got[end + 4:whole])
            del self.got[:whole]
            method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
            self.transport.write(self.stub.serve(method, target, body))


async def main(port):
    stub = Stub()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(stub), "127.0.0.1", port)
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1])))
