"""
A loopback ExoFOP: answers as the service is known to answer, on the stars, tables and files that a test gives it.

    with ExoFopDouble() as exofop:
        exofop.add_target(365938305, toi="1262.01", names=["HD 104654"])
        exofop.add_file(365938305, "curve.dat", b"...", type="Image")
        ... run with BTV_REPORT_EXOFOP_URL=exofop.url ...

Faults are scripted over it: `exofop.play("get_file.php", Reply(status=503), exofop.answer)` fails once, then answers. What an
anonymous caller gets for a restricted item is not known; `restricted_answer` plays each of four possibilities.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, Self
from urllib.parse import parse_qs, quote

from tests.doubles import exofop_pages as pages
from tests.doubles.exofop_kit import zip_of
from tests.doubles.exofop_star import Entry, Row, Star, StoredFile, target_object
from tests.doubles.exofop_tables import ENDPOINTS, TABLES, render
from tests.doubles.scripted_server import Answer, Reply, Request, ScriptedServer

FOLDER = "/tess/"
_TYPES = {"csv": "text/csv", "pipe": "text/plain", "text": "text/plain"}
_FIRST_FILE_ID = 100001
_NO_OBJECT = {"status": "ERROR", "message": "No object found."}


class RestrictedAnswer(StrEnum):
    """
    What an anonymous caller gets of restricted items; all four are guesses.

    In ROW_MISSING lists, tables and the archive leave them out. In the others the items are listed, but locked: LOGIN_PAGE
    answers a file, the archive, and the tables and notes that hold a restricted row, with the login page; EMPTY_BODY answers
    the same with no byte; ZIP_WITHOUT_MEMBER leaves them out of the archive, the tables and the notes, and says `not
    authorized` for a single file.
    """

    ROW_MISSING = "row_missing"
    LOGIN_PAGE = "login_page"
    EMPTY_BODY = "empty_body"
    ZIP_WITHOUT_MEMBER = "zip_without_member"


class ExoFopDouble:
    """
    The service and its server.

    Attributes
    ----------
    server : what plays beneath
    stars : by TIC number
    accounts : user name to password, for `password_check.php`
    restricted_answer : see `RestrictedAnswer`
    filelist_has_tic : whether the file list has its TIC column
    zip_folder : the top folder in archives; None for none
    null_lists : the target JSON writes null for an empty list
    json_encoding : of the target JSON, such as `latin-1`
    """

    def __init__(self) -> None:
        self.server = ScriptedServer()
        self.stars: dict[int, Star] = {}
        self.accounts: dict[str, str] = {}
        self.restricted_answer = RestrictedAnswer.ROW_MISSING
        self.filelist_has_tic = True
        self.zip_folder: str | None = None
        self.null_lists = False
        self.json_encoding = "utf-8"
        self._session: str | None = None
        self._next_file_id = _FIRST_FILE_ID
        self._endpoints: dict[str, Callable[[Request], Reply]] = {
            **dict.fromkeys(ENDPOINTS, self._table),
            "gototicid.php": self._resolve,
            "target.php": self._target,
            "download_toi.php": self._toi,
            "download_ctoi.php": self._ctoi,
            "get_file.php": self._file,
            "download_files_zip.php": self._zip,
            "download_files.php": lambda _: Reply(b"nobody should ask for the tar; tests look into `asked`", 410),
            "login.php": lambda _: _page(pages.login_page()),
            "index.php": lambda request: _page(pages.page("<h1>ExoFOP</h1>", logged_in=self._knows(request))),
        }
        self.server.play("GET", f"{FOLDER}.*", self.answer)
        self.server.play("POST", f"{FOLDER}password_check\\.php", self._check_password)

    @property
    def url(self) -> str:
        """Its host; everything lies below `/tess/`."""
        return self.server.url

    @property
    def n_connections(self) -> int:
        """How many connections were opened since it began."""
        return self.server.n_connections

    def asked(self, endpoint: str = "") -> list[Request]:
        """The requests to an endpoint such as `get_file.php`, in order; all of them for none."""
        return self.server.asked(FOLDER + (re.escape(endpoint) if endpoint else ".*"))

    def play(self, endpoint: str, *answers: Answer) -> None:
        """Script an endpoint: these in turn, the last one repeats. `self.answer` is the usual answer."""
        self.server.play("GET", FOLDER + re.escape(endpoint), *answers)

    def add_target(
        self,
        tic_id: int,
        *,
        toi: str | None = None,
        names: Sequence[str] = (),
        toi_rows: Sequence[Row] = (),
        notes: Sequence[str | Row] = (),
        **tables: Sequence[Row],
    ) -> Star:
        """
        Put a star in.

        Parameters
        ----------
        tic_id, toi, names : its number, first TOI (`1262.01`) and other names (`HD 104654`)
        toi_rows : rows of the TOI table by column name; one bare row where only `toi` is given
        notes : texts, or rows of the notes table
        tables : rows of `imaging`, `spect`, `tseries`, `stellarcomp`, `nearby`, `stellar`, `planet`, `ctoi`
        """
        star = self.stars[tic_id] = Star(tic_id, toi or next((row["TOI"] for row in toi_rows), None), tuple(names))
        self.add_rows(tic_id, "toi", toi_rows or ([{"TOI": toi}] if toi else []))
        for note in notes:
            self.add_note(tic_id, **({"text": note} if isinstance(note, str) else {"row": note}))
        for name, rows in tables.items():
            self.add_rows(tic_id, name, rows)
        return star

    def add_rows(self, tic_id: int, table: str, rows: Iterable[Row], *, restricted: bool = False) -> None:
        """Put rows into a table; TIC number and TOI are filled in where the row does not say otherwise."""
        star, columns = self.stars[tic_id], TABLES[table].columns
        own = {"TIC ID": str(tic_id), "TOI": star.toi_text}
        for row in rows:
            unknown = set(row) - set(columns)
            assert not unknown, f"the table {table} has no column {unknown}"
            filled = {**{name: text for name, text in own.items() if name in columns}, **row}
            star.tables.setdefault(table, []).append(Entry(filled, restricted))

    def add_note(self, tic_id: int, text: str = "", *, row: Row | None = None, restricted: bool = False) -> None:
        """Put an observing note in: a text, or a row by column name."""
        number = sum(len(star.tables.get("obsnotes", [])) for star in self.stars.values()) + 20001
        usual = {"ID": str(number), "Username": "observer", "TAG ID": "1573", "Lastmod": "2021-11-30 12:20:55"}
        self.add_rows(tic_id, "obsnotes", [{**usual, "notes": text, **(row or {})}], restricted=restricted)

    def add_file(
        self,
        tic_id: int,
        filename: str,
        content: bytes,
        *,
        type: str = "Other",  # noqa: A002 - the name of the column
        file_id: int | None = None,
        restricted: bool = False,
        tag: str = "",
        group: str = "",
        description: str = "",
        date: str = "2021-06-07",
        user: str = "observer",
        toi: str | None = None,
        disposition: str | None = None,
    ) -> int:
        """Put a file in, and give back its number; `disposition` replaces the Content-Disposition header it is sent with."""
        number = self._next_file_id if file_id is None else file_id
        self._next_file_id = max(self._next_file_id, number) + 1
        star = self.stars[tic_id]
        row = {
            "Type": type, "File Name": filename, "File ID": str(number), "TIC": str(tic_id),
            "TOI": star.toi_text if toi is None else toi, "Date": date, "User": user, "Group": group, "Tag": tag,
            "Description": description,
        }  # fmt: skip
        star.files.append(StoredFile(number, filename, content, type, restricted, row, disposition))
        return number

    def remove_file(self, file_id: int) -> None:
        """Take a file out."""
        for star in self.stars.values():
            star.files = [file for file in star.files if file.file_id != file_id]

    def login(self, value: str) -> None:
        """Accept the cookie `PHPSESSID=value` from now on, and no other: its owner sees what is restricted."""
        self._session = value

    def logout(self) -> None:
        """Forget the session, as happens after seven days."""
        self._session = None

    def answer(self, request: Request) -> Reply:
        """The usual answer to a request."""
        endpoint = self._endpoints.get(request.path.removeprefix(FOLDER))
        return Reply(pages.page("<h1>Not Found</h1>"), 404) if endpoint is None else endpoint(request)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.server.close()

    def _knows(self, request: Request) -> bool:
        cookies = [part.strip() for part in request.headers.get("cookie", "").split(";")]
        return self._session is not None and f"PHPSESSID={self._session}" in cookies

    def _locked(self) -> Reply | None:
        """What comes in place of an answer that would hold restricted items; None where they are left out of it."""
        return {
            RestrictedAnswer.LOGIN_PAGE: _page(pages.login_page()),
            RestrictedAnswer.EMPTY_BODY: Reply(b""),
        }.get(self.restricted_answer)

    def _resolve(self, request: Request) -> Reply:
        name = request.query.get("target", "")
        found = [star for star in self.stars.values() if star.answers_to(name)]
        if len(found) > 1:
            return _page(pages.pick_list((star.tic_id, ", ".join([star.toi_text, *star.names])) for star in found))
        if "json" in request.query:
            return _json({"status": "OK", "num": 1, "TIC": str(found[0].tic_id)} if found else _NO_OBJECT)
        if "jsonext" in request.query:
            summary = {"status": "OK", "TIC": str(found[0].tic_id), **found[0].catalogues} if found else _NO_OBJECT
            return _json({"summary": summary})
        if not found:
            return _page(pages.no_object())
        return Reply(b"", 302, {"Location": f"{FOLDER}target.php?id={found[0].tic_id}"})

    def _target(self, request: Request) -> Reply:
        asked, insider = request.query.get("id", ""), self._knows(request)
        if "json" not in request.query:
            return _page(pages.target_page(asked, logged_in=insider))
        star = next((star for star in self.stars.values() if star.answers_to(asked)), None)
        if star is None:
            return Reply(b"No TIC object found", headers={"Content-Type": "text/html; charset=UTF-8"})
        value = target_object(star, self._file_rows([star], insider=insider), insider=insider)
        if self.null_lists:
            value = {key: None if item == [] else item for key, item in value.items()}
        return _json(value, self.json_encoding)

    def _toi(self, request: Request) -> Reply:
        wanted = request.query.get("toi")
        rows = [row for star in self.stars.values() for row in star.rows("toi", insider=self._knows(request))]
        if wanted is not None:
            rows = [row for row in rows if wanted in {row["TOI"], row["TOI"].split(".")[0]}]
            if not rows:
                return _page(pages.invalid_toi())
        return _rendered("toi", rows, request)

    def _ctoi(self, request: Request) -> Reply:
        wanted, insider = request.query.get("ctoi"), self._knows(request)
        rows = [row for star in self.stars.values() for row in star.rows("ctoi", insider=insider)]
        return _rendered(
            "ctoi", [row for row in rows if wanted in {None, row["CTOI"], row["CTOI"].split(".")[0]}], request
        )

    def _table(self, request: Request) -> Reply:
        table = ENDPOINTS[request.path.removeprefix(FOLDER)]
        asked = [name for name in TABLES[table].parameters if name in request.query]
        if len(asked) != 1:
            return _rendered(table, [], request)
        insider, value = self._knows(request), request.query[asked[0]]
        if table == "filelist":
            stars = self._stars_asked(asked[0], value)
            return _rendered(
                table, self._file_rows(stars, insider=insider), request, without="" if self.filelist_has_tic else "TIC"
            )
        if table == "uploads":
            stars = self._stars_asked(asked[0], value)
            counts = [
                star.uploads(insider=insider, n_files=len(self._file_rows([star], insider=insider))) for star in stars
            ]
            return _rendered(table, counts, request)
        entries = self._entries(table, asked[0], value)
        if not insider and any(entry.restricted for entry in entries) and (locked := self._locked()):
            return locked
        return _rendered(table, [entry.values for entry in entries if insider or not entry.restricted], request)

    def _entries(self, table: str, parameter: str, value: str) -> list[Entry]:
        """Rows by star, or by a cell: a tag, or the number of a note."""
        cells = {"tag": "TAG ID", "id": "ID"} if table == "obsnotes" else {"tag": "Tag"}
        cell = cells.get(parameter)
        if cell is None:
            return [entry for star in self._stars_asked(parameter, value) for entry in star.tables.get(table, [])]
        entries = (entry for star in self.stars.values() for entry in star.tables.get(table, []))
        return [entry for entry in entries if entry.values.get(cell) == value]

    def _stars_asked(self, parameter: str, value: str) -> list[Star]:
        """`target` takes a number, a TOI with prefix or a name; `toi` a TOI without; all others the number only."""
        if parameter == "target":
            return [star for star in self.stars.values() if star.answers_to(value)]
        if parameter == "toi":
            return [star for star in self.stars.values() if star.answers_to(f"TOI{value}")]
        return [star for star in self.stars.values() if str(star.tic_id) == value]

    def _file_rows(self, stars: Iterable[Star], *, insider: bool) -> list[Row]:
        listed = insider or self.restricted_answer is not RestrictedAnswer.ROW_MISSING
        return [file.row for star in stars for file in star.files if listed or not file.restricted]

    def _file(self, request: Request) -> Reply:
        files = [file for star in self.stars.values() for file in star.files]
        found = [file for file in files if str(file.file_id) == request.query.get("id")]
        if not found:
            return _page(pages.no_file())
        file = found[-1]
        if file.restricted and not self._knows(request):
            cut = self.restricted_answer is RestrictedAnswer.ZIP_WITHOUT_MEMBER
            return self._locked() or _page(pages.not_authorized() if cut else pages.login_page())
        disposition = file.disposition or f'attachment; filename="{quote(file.filename, safe=" ()[]+,=@!")}"'
        return Reply(file.content, headers={"Content-Disposition": disposition})

    def _zip(self, request: Request) -> Reply:
        star = next((star for star in self.stars.values() if str(star.tic_id) == request.query.get("id")), None)
        files, insider = [] if star is None else star.files, self._knows(request)
        if not insider and any(file.restricted for file in files) and (locked := self._locked()):
            return locked
        members = [(file.filename, file.content) for file in files if insider or not file.restricted]
        return Reply(zip_of(members, folder=self.zip_folder), headers={"Content-Type": "application/zip"})

    def _check_password(self, request: Request) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        user = form.get("username", "")
        if self.accounts.get(user) is None or self.accounts[user] != form.get("password"):
            return _page(pages.wrong_password())
        self.login(f"session-of-{user}")
        cookie = f"PHPSESSID={self._session}; path=/; secure; HttpOnly"
        return Reply(b"", 302, {"Location": f"{FOLDER}index.php", "Set-Cookie": cookie})


def _rendered(table: str, rows: Sequence[Row], request: Request, *, without: str = "") -> Reply:
    kind = TABLES[table]
    output = kind.default if kind.fixed else request.query.get("output", kind.default)
    columns = [name for name in kind.columns if name != without]
    return Reply(
        render(columns, rows, output, kind.newline), headers={"Content-Type": _TYPES.get(output, "text/plain")}
    )


def _page(content: bytes) -> Reply:
    return Reply(content, headers={"Content-Type": "text/html; charset=UTF-8"})


def _json(value: Any, encoding: str = "utf-8") -> Reply:
    return Reply(json.dumps(value, ensure_ascii=False).encode(encoding), headers={"Content-Type": "application/json"})
