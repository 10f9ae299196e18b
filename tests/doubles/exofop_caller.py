"""Asks a loopback ExoFOP without any of the code under test, one connection a question."""

from __future__ import annotations

import csv
import http.client
import io
import json
from collections.abc import Mapping
from typing import Any

from tests.doubles.exofop_double import FOLDER, ExoFopDouble


class Caller:
    """
    Asks one double; paths are relative to its `/tess/`.

    `ask` gives status, body and headers; the others want status 200 and give the body as bytes, as JSON or as rows of csv.
    """

    def __init__(self, double: ExoFopDouble) -> None:
        self._port = double.server.port

    def ask(
        self, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", body: str | None = None
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """One question and its whole answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request(method, FOLDER + path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.read(), response.headers
        finally:
            connection.close()

    def body(self, path: str, headers: Mapping[str, str] | None = None) -> bytes:
        """The bytes of a good answer."""
        status, content, _ = self.ask(path, headers)
        assert status == 200
        return content

    def json(self, path: str, headers: Mapping[str, str] | None = None) -> Any:
        """A good answer in JSON."""
        return json.loads(self.body(path, headers))

    def rows(self, path: str, headers: Mapping[str, str] | None = None) -> list[dict[str, str]]:
        """The rows of a good answer in csv."""
        return list(csv.DictReader(io.StringIO(self.body(path, headers).decode())))
