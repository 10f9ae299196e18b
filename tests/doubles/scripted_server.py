"""
A loopback server that plays scripted answers byte by byte, and remembers what it was asked.

    with ScriptedServer() as server:
        server.play("GET", r"/table", Reply(b"a,b"), Reply(status=503))     # in turn; the last one repeats
        ... ask server.url + "/table" ...
        assert server.requests[0].path == "/table"

It speaks raw sockets, because a polite server cannot do what goes wrong: cut, reset, drip, stay silent, lie about lengths. A
route's answer may also be a function of the request, for doubles of whole services.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

MAX_REQUEST_BYTES = 4_000_000


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes


@dataclass(frozen=True)
class Reply:
    """
    One answer, and what goes wrong with it.

    Attributes
    ----------
    body : bytes
    status, headers : as usual; Content-Length is added unless `length` says otherwise
    length : None states the true length, False states none, a number states that
    chunked : send the body in chunks of `piece` bytes
    cut_after : close after so many bytes of the body; with `reset` by RST, else by FIN
    piece, pause_s : send so many bytes, wait so long, and so on (a drip)
    delay_s : wait before the first byte
    silent : never send a byte; the connection stays open until the server closes
    raw : send these bytes instead of status line and headers
    header_pause_s : wait between the bytes of the headers
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | bool | None = None
    chunked: bool = False
    cut_after: int | None = None
    reset: bool = False
    piece: int = 1 << 16
    pause_s: float = 0.0
    delay_s: float = 0.0
    silent: bool = False
    raw: bytes | None = None
    header_pause_s: float = 0.0

    def with_body(self, body: bytes) -> Reply:
        """The same faults with another body."""
        return replace(self, body=body)


Answer = Reply | Callable[[Request], Reply]


class ScriptedServer:
    """
    A server on a free loopback port.

    Parameters
    ----------
    tls : a context with a certificate, for https
    default : what is answered where no route fits
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, default: Answer | None = None) -> None:
        self.requests: list[Request] = []
        self.n_connections = 0
        self.most_at_once = 0
        self.times: list[float] = []
        self._default: Answer = default or Reply(b"no such route", 404)
        self._tls = tls
        self._routes: list[tuple[str, re.Pattern[str], list[Answer]]] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.settimeout(0.1)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def play(self, method: str, path: str, *answers: Answer) -> None:
        """Script a route: a method (or `*`) and a regular expression for the whole path; newer routes come first."""
        with self._lock:
            self._routes.insert(0, (method, re.compile(path), list(answers)))

    def asked(self, path: str) -> list[Request]:
        """The requests whose path fits a regular expression."""
        return [request for request in self.requests if re.fullmatch(path, request.path)]

    def close(self) -> None:
        """Close every connection and wait for the threads."""
        self._closing.set()
        with _ignored():  # wakes the thread that waits for connections, where the system knows how
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with _ignored():
                    connection.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(5)
        for thread in self._threads:
            thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self.n_connections += 1
                self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with self._lock:
                self._open.add(connection)
                self.most_at_once = max(self.most_at_once, len(self._open))
            while not self._closing.is_set() and (request := _read_request(connection)) is not None:
                answer = self._answer(request)
                if not self._send(connection, request, answer):
                    break
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            with _ignored():
                connection.close()

    def _answer(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            self.times.append(time.monotonic())
            chosen = self._default
            for method, path, answers in self._routes:
                if method in {"*", request.method} and path.fullmatch(request.path):
                    chosen = answers.pop(0) if len(answers) > 1 else answers[0]
                    break
        return chosen if isinstance(chosen, Reply) else chosen(request)

    def _send(self, connection: socket.socket, request: Request, reply: Reply) -> bool:
        """Play one reply; whether the connection may be used again."""
        self._closing.wait(reply.delay_s)
        if reply.silent:
            self._closing.wait(60)
            return False
        head = reply.raw if reply.raw is not None else _head(reply)
        if reply.header_pause_s:
            self._drip(connection, head, 1, reply.header_pause_s)
        else:
            connection.sendall(head)
        body = b"" if request.method == "HEAD" else reply.body
        if reply.cut_after is not None:
            connection.sendall(body[: reply.cut_after])
            if reply.reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if reply.chunked:
            self._drip(connection, body, reply.piece, reply.pause_s, chunked=True)
        elif reply.pause_s:
            self._drip(connection, body, reply.piece, reply.pause_s)
        else:
            connection.sendall(body)
        return reply.length is None and reply.raw is None

    def _drip(
        self, connection: socket.socket, data: bytes, piece: int, pause_s: float, *, chunked: bool = False
    ) -> None:
        for at in range(0, len(data), piece):
            part = data[at : at + piece]
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
            if self._closing.wait(pause_s):
                return
        if chunked:
            connection.sendall(b"0\r\n\r\n")


def _head(reply: Reply) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} Scripted"]
    names = {name.lower() for name in reply.headers}
    if "date" not in names:
        lines.append("Date: Thu, 26 Nov 2026 10:00:00 GMT")
    if "content-type" not in names:
        lines.append("Content-Type: application/octet-stream")
    if reply.chunked:
        lines.append("Transfer-Encoding: chunked")
    elif reply.length is False:
        lines.append("Connection: close")
    else:
        lines.append(f"Content-Length: {len(reply.body) if reply.length is None else reply.length}")
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _read_request(connection: socket.socket) -> Request | None:
    """The next request; None when the other side has closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(1 << 16)
        if not piece or len(data) > MAX_REQUEST_BYTES:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        piece = connection.recv(1 << 16)
        if not piece:
            return None
        body += piece
    parts = urlsplit(target)
    return Request(method, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers, body)


class _ignored:  # noqa: N801 - reads as a statement
    """What goes wrong with a socket that is being closed anyway."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return kind is not None and issubclass(kind, OSError)
