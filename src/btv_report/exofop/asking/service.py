"""
ExoFOP on the wire: one question, one state.

ExoFOP says much with status 200: an empty body when it is pushed, web pages where a table is due, a login page where something is
restricted. Each is told apart here, and none of them is ever taken for "there is nothing".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from http.cookiejar import CookieJar
from pathlib import Path

from btv_report.answer_states import AnswerState
from btv_report.archive.fetch import Fetched, Fetcher
from btv_report.archive.web_pages import safe_excerpt
from btv_report.errors import FetchError
from btv_report.exofop.asking import endpoints
from btv_report.exofop.asking.answers import Asked, GotFile
from btv_report.exofop.asking.endpoints import Endpoint
from btv_report.exofop.payloads.judging import Payload, judge_payload
from btv_report.exofop.tables.of_star import read_star_table
from btv_report.exofop.tables.reading import TableError, looks_like_login
from btv_report.exofop.tables.target_json import TargetJson, read_gototicid, read_target_json
from btv_report.utc import utc_now

_LOGGED_IN = re.compile(rb"log\s*-?out|sign\s*-?out", re.IGNORECASE)
_LOGGED_OUT = re.compile(rb"log\s*-?in|sign\s*-?in", re.IGNORECASE)
_INVALID_TOI = re.compile(rb"entered c?toi is invalid", re.IGNORECASE)
_OPEN_END = "the server did not say where its answer ends, so it may have been cut"
_HTTP_OK = 200


class ExoFopService:
    """
    ExoFOP, asked as one user: anonymous, or with the cookies of a login.

    Parameters
    ----------
    base_url : folder of its services, with a slash at its end
    fetcher : the one owner of sockets; its manners are those of the whole run
    user_agent : who asks; the program's own words when None
    cookies : of a login; None asks as anybody
    """

    def __init__(
        self, base_url: str, fetcher: Fetcher, *, user_agent: str | None = None, cookies: CookieJar | None = None
    ) -> None:
        self.base_url = base_url
        self.fetcher = fetcher
        self.cookies = cookies
        self.n_asked = 0
        self._headers = {"User-Agent": user_agent} if user_agent else {}

    def table(self, endpoint: Endpoint, tic_id: int, query: Mapping[str, str] | None = None) -> Asked:
        """A table about a star; rows of other stars count as rejected."""
        asked = self._ask(endpoint.name, query or endpoint.query(tic_id), self.fetcher.limits.table_bytes)
        if asked.state is not AnswerState.OK:
            return asked
        try:
            table = read_star_table(asked.content, endpoint.table, tic_id)
        except TableError as error:
            if _INVALID_TOI.search(asked.content[:4096]):
                words = "ExoFOP says that there is no such TOI"
                return replace(asked, state=AnswerState.NOT_FOUND, words=words, content=b"")
            return replace(asked, state=error.state, words=error.words, content=b"")
        if table.n_read and not table.rows:
            words = f"none of its {table.n_read} rows could be read ({table.rejected[0].reason})"
            return replace(asked, state=AnswerState.CORRUPT, words=words, content=b"")
        return replace(asked, state=AnswerState.OK if table.rows else AnswerState.EMPTY, table=table)

    def target(self, tic_id: int) -> tuple[Asked, TargetJson | None]:
        """Everything that ExoFOP's page of a star holds."""
        query = {"id": str(tic_id), "json": ""}
        # JSON proves its own end: a cut one is none.
        asked = self._ask(endpoints.TARGET, query, self.fetcher.limits.json_bytes, may_be_open=True)
        if asked.state is not AnswerState.OK:
            return asked, None
        try:
            return asked, read_target_json(asked.content, tic_id)
        except TableError as error:
            return replace(asked, state=error.state, words=error.words, content=b""), None

    def numbers_of(self, name: str) -> tuple[Asked, list[tuple[int, str]]]:
        """TIC numbers that a name stands for, each with ExoFOP's words for it."""
        query = {"target": name, "json": ""}
        asked = self._ask(endpoints.NAMES, query, self.fetcher.limits.json_bytes, may_be_open=True)
        if asked.state is not AnswerState.OK:
            return asked, []
        try:
            return asked, read_gototicid(asked.content)
        except TableError as error:
            return replace(asked, state=error.state, words=error.words, content=b""), []

    def is_logged_in(self, tic_id: int) -> bool | None:
        """Whether ExoFOP's pages treat us as somebody; None where they do not tell."""
        query = {"id": str(tic_id)}
        asked = self._ask(endpoints.TARGET, query, self.fetcher.limits.json_bytes, may_be_open=True)
        if asked.state is AnswerState.AUTH_REQUIRED:
            return False
        if _LOGGED_IN.search(asked.content):
            return True
        return False if _LOGGED_OUT.search(asked.content) else None

    def file(self, file_id: int, filename: str, path: Path) -> GotFile:
        """One file, put at `path` when it is whole."""
        params = {"id": str(file_id)}
        fetched, asked = self._fetch_to(
            endpoints.ONE_FILE, params, path, self.fetcher.limits.file_bytes, self.fetcher.limits.file_deadline_s
        )
        if fetched is None:
            return asked
        payload = judge_payload(path, filename)
        state, words = _verdict(payload, is_end_stated=fetched.is_end_stated)
        if state is not AnswerState.OK:
            path.unlink(missing_ok=True)
            return replace(asked, state=state, words=words)
        return replace(asked, sha256=fetched.sha256, n_bytes=fetched.n_bytes, payload=payload)

    def all_files(self, tic_id: int, path: Path, *, is_judged: bool = False) -> GotFile:
        """The archive of all files of a star, put at `path`; held against its own sums where it is to be judged as a whole."""
        limits = self.fetcher.limits
        fetched, asked = self._fetch_to(
            endpoints.ALL_FILES, {"id": str(tic_id)}, path, limits.target_files_bytes, limits.file_deadline_s
        )
        if fetched is None:
            return asked
        payload = judge_payload(path, "files.zip") if is_judged else None
        if payload is not None and payload.fault:
            return replace(asked, state=payload.state, words=payload.fault)
        return replace(asked, sha256=fetched.sha256, n_bytes=fetched.n_bytes)

    def _ask(self, name: str, params: Mapping[str, str], limit_bytes: int, *, may_be_open: bool = False) -> Asked:
        """Ask a service; a login page in place of an answer, and an answer with an open end, are told apart here."""
        asked_at = utc_now()
        self.n_asked += 1
        try:
            fetched = self.fetcher.to_bytes(
                f"{self.base_url}{name}",
                limit_bytes=limit_bytes,
                deadline_s=self.fetcher.limits.table_deadline_s,
                params=params,
                headers=self._headers,
                cookies=self.cookies,
            )
        except FetchError as error:
            return Asked(name, _state_of(error), asked_at, _clause(error), error.http_status)
        content = fetched.content or b""
        if looks_like_login(content):
            words = "a login page came in place of the answer"
            return Asked(name, AnswerState.AUTH_REQUIRED, asked_at, words, fetched.http_status)
        if not (may_be_open or fetched.is_end_stated):
            words = f"{_OPEN_END} ({safe_excerpt(content)!r} ...)"
            return Asked(name, AnswerState.CORRUPT, asked_at, words, fetched.http_status)
        return Asked(name, AnswerState.OK, asked_at, "", fetched.http_status, content)

    def _fetch_to(
        self, name: str, params: Mapping[str, str], path: Path, limit_bytes: int, deadline_s: float
    ) -> tuple[Fetched | None, GotFile]:
        asked_at = utc_now()
        self.n_asked += 1
        try:
            fetched = self.fetcher.to_file(
                f"{self.base_url}{name}",
                path,
                limit_bytes=limit_bytes,
                deadline_s=deadline_s,
                params=params,
                headers=self._headers,
                cookies=self.cookies,
            )
        except FetchError as error:
            return None, GotFile(_state_of(error), asked_at, _clause(error), error.http_status)
        return fetched, GotFile(AnswerState.OK, asked_at, "", fetched.http_status)


def _state_of(error: FetchError) -> AnswerState:
    """A script that is not there says nothing of the star or the file: that is no knowledge, and asked again."""
    return AnswerState.UNREACHABLE if error.state is AnswerState.NOT_FOUND else error.state


def _verdict(payload: Payload, *, is_end_stated: bool) -> tuple[AnswerState, str]:
    """Whether bytes that came are the file: their own end counts, and where a format has none, the server's word for it."""
    if payload.fault:
        return payload.state, payload.fault
    if payload.whole is None and not is_end_stated:
        return AnswerState.CORRUPT, _OPEN_END
    return AnswerState.OK, ""


def _clause(error: FetchError) -> str:
    """What happened, without the address: whoever shows it names the service."""
    words = error.message.partition("): ")[2] or error.message
    return f"{words.rstrip('.')} (asked {error.tries} time{'' if error.tries == 1 else 's'})"
