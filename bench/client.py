"""Requests over connections that stay, with as little work of ours as there can be: the server shares our processors."""
import json
import socket
import threading
import time
import urllib.parse

CONNECTIONS = 8


class Connection:
    def __init__(self, url):
        self.url = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((self.url.hostname, self.url.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request):
        """Sends a request that is whole; gives status and body."""
        self.socket.sendall(request)
        return self.receive()

    def receive(self):
        got = bytearray()
        while (end := got.find(b"\r\n\r\n")) < 0:
            self.more(got)
        head = bytes(got[:end]).lower()
        body = got[end + 4:]
        if b"transfer-encoding: chunked" in head:
            return int(head.split()[1]), self.chunks(body)
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0]) if b"content-length:" in head else 0
        while len(body) < length:
            self.more(body)
        return int(head.split()[1]), bytes(body)

    def chunks(self, got):
        body = bytearray()
        while True:
            while (end := got.find(b"\r\n")) < 0:
                self.more(got)
            length = int(got[:end], 16)
            while len(got) < end + length + 4:
                self.more(got)
            if length == 0:
                return bytes(body)
            body += got[end + 2:end + 2 + length]
            del got[:end + length + 4]

    def more(self, got):
        part = self.socket.recv(1 << 20)
        if not part:
            raise RuntimeError("the server closed the connection")
        got += part


def request(method, path, body=b"", content_type="application/json"):
    head = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: basic YWRtaW46\r\nAccept: application/json\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n")
    return head.encode() + body


class Client:
    """One connection that speaks JSON."""

    def __init__(self, url):
        self.connection = Connection(url)

    def __call__(self, method, path, body=None):
        body = b"" if body is None else json.dumps(body).encode()
        status, answer = self.connection.send(request(method, path, body))
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer[:500]}")
        return json.loads(answer) if answer else None


class Sender(threading.Thread):
    def __init__(self, url, requests):
        super().__init__()
        self.connection, self.requests, self.failure = Connection(url), requests, None

    def run(self):
        try:
            for whole in self.requests:
                status, answer = self.connection.send(whole)
                if status >= 300:
                    raise RuntimeError(f"{status}: {answer[:500]}")
        except Exception as failure:
            self.failure = failure


def send_all(url, rounds):
    """The requests of all rounds, those at one place always over the same connection and in order; the seconds that took."""
    queues = [[] for _ in range(CONNECTIONS)]
    for requests in rounds:
        for place, whole in enumerate(requests):
            queues[place % CONNECTIONS].append(whole)
    senders = [Sender(url, queue) for queue in queues if queue]
    began = time.perf_counter()
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    seconds = time.perf_counter() - began
    for sender in senders:
        if sender.failure:
            raise sender.failure
    return seconds


def latencies(url, whole, count):
    """Milliseconds of each of so many requests, one after the other on one connection, sorted."""
    connection, took = Connection(url), []
    for _ in range(count):
        began = time.perf_counter()
        status, answer = connection.send(whole)
        took.append(1000 * (time.perf_counter() - began))
        if status >= 300:
            raise RuntimeError(f"{status}: {answer[:500]}")
    return sorted(took)
