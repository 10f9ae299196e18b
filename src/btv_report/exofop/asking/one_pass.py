"""One pass over what ExoFOP has on a star: the page, the list of files, the tables, the wanted files; reads from `run` on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from btv_report.answer_states import AnswerState
from btv_report.exofop.asking import endpoints
from btv_report.exofop.asking.answers import Asked
from btv_report.exofop.asking.emptiness import is_truly_emptied
from btv_report.exofop.asking.endpoints import FILES, SUMMARIES, TARGET_FILE, Endpoint
from btv_report.exofop.asking.files import FileFetching
from btv_report.exofop.asking.holdings import FINAL, Holdings
from btv_report.exofop.asking.round import Round, Wants
from btv_report.exofop.payloads.file_names import name_of_nameless
from btv_report.exofop.tables.file_rows import file_rows
from btv_report.exofop.tables.of_star import read_star_table
from btv_report.exofop.tables.reading import TableError
from btv_report.exofop.tables.target_json import TargetJson, read_target_json
from btv_report.exofop.types import ExoFopFileRow, ExoFopTable, ExoFopTarget, RejectedRow
from btv_report.utc import utc_now


@dataclass
class Pass:
    """
    One pass, anonymous or with a login.

    Attributes
    ----------
    round : of questions: whom to ask, what is wanted, how it goes
    holdings : what is held, and becomes more
    known_toi : number of the TOI without prefix, where the caller knows it
    rows : the file list, after `run`
    is_no_star : ExoFOP has no page of it and says so, so that nothing more was asked
    """

    round: Round
    holdings: Holdings
    known_toi: str | None = None
    rows: tuple[ExoFopFileRow, ...] = ()
    is_no_star: bool = False

    @property
    def tic_id(self) -> int:
        """The target."""
        return self.round.tic_id

    @property
    def wants(self) -> Wants:
        """What is asked for."""
        return self.round.wants

    @property
    def n_listed(self) -> int | None:
        """Files that are listed; None where their list was not had, now or before."""
        is_had = self.holdings.state_of(FILES.name) in {AnswerState.OK, AnswerState.EMPTY, AnswerState.STALE}
        return len(self.rows) if is_had and FILES.name not in self.round.lost else None

    def run(self, files: FileFetching) -> None:
        """Ask everything that is wanted and not known."""
        page = self._page()
        self._warn_of_rows(endpoints.TARGET, page.rejected_files if page else (), "entries name no file")
        self.is_no_star = self.holdings.state_of(endpoints.TARGET) is AnswerState.NOT_FOUND and page is None
        if self.is_no_star:
            return
        self.rows = self._list(page)
        if self.wants.summaries:
            for endpoint in SUMMARIES:
                self._table(endpoint, page=page)
                self._contradict(endpoint, page)
            self._toi_rows(page)
        if self.wants.files:
            files.fetch(self.round, self.wants.selectors.select(self.rows), self.rows)

    def _ask(self, name: str, file: str, ask: Callable[[], Asked]) -> Asked | None:
        """Put a question that is not answered yet; None where the kept answer holds."""
        state = self.holdings.state_of(name)
        if state in FINAL and not self.wants.refresh and self._still_there(name, file):
            return None
        if self.wants.offline:
            self.round.n_unasked += 1
            if state is not None and not self._still_there(name, file):
                self.round.lost.add(name)
            return None
        self.wants.tell(f"asking ExoFOP: {name}")
        if self.round.is_over():
            state, words = self.round.why_over()
            asked = Asked(name, state, utc_now(), words)
        else:
            asked = ask()
            self.round.count(asked.state, asked.http_status)
        return asked

    def _still_there(self, name: str, file: str) -> bool:
        """Whether an answer that had bytes has them still."""
        has_bytes = "sha256" in self.holdings.answers[name]
        return not has_bytes or self.holdings.kept_answer(name, file, limit_bytes=self._most) is not None

    @property
    def _most(self) -> int:
        return self.round.limits.table_bytes

    def _page(self) -> TargetJson | None:
        """ExoFOP's page of the star, asked or kept; its aliases become the target's."""
        page: TargetJson | None = None

        def ask() -> Asked:
            nonlocal page
            asked, page = self.round.ask.target(self.tic_id)
            return asked

        asked = self._ask(endpoints.TARGET, TARGET_FILE, ask)
        if asked is not None:
            self.holdings.note_answer(asked, TARGET_FILE)
        if page is None:
            content = self.holdings.kept_answer(endpoints.TARGET, TARGET_FILE, limit_bytes=self._most)
            page = _read_page(content, self.tic_id)
        if page is not None:
            self.holdings.target = ExoFopTarget(self.tic_id, page.tois[0] if page.tois else None, dict(page.aliases))
        return page

    def _table(
        self, endpoint: Endpoint, query: dict[str, str] | None = None, *, page: TargetJson | None = None
    ) -> ExoFopTable | None:
        """A table, asked or kept; None where there is none. The page of the star may prove that it is empty now."""
        asked = self._ask(endpoint.name, endpoint.file, lambda: self.round.ask.table(endpoint, self.tic_id, query))
        if asked is not None:
            is_proven = is_truly_emptied(asked, endpoint, self.holdings, self.round, page)
            taken = self.holdings.note_answer(asked, endpoint.file, is_proven=is_proven)
            self._warn_of(asked)
            if asked.table is not None and taken is asked.state:
                return asked.table
        content = self.holdings.kept_answer(endpoint.name, endpoint.file, limit_bytes=self._most)
        return _read_kept(content, endpoint.table, self.tic_id)

    def _warn_of(self, asked: Asked) -> None:
        """Say which rows were lost, and what is new."""
        table = asked.table
        if table is None:
            return
        if table.rejected:
            first = table.rejected[0]
            self.holdings.warnings.append(
                f"{asked.endpoint}: {len(table.rejected)} of {table.n_read} rows could not be read; the first is in line "
                f"{first.line}: {first.reason}."
            )
        self.holdings.warnings += [f"{asked.endpoint}: {note}" for note in table.notes]

    def _list(self, page: TargetJson | None) -> tuple[ExoFopFileRow, ...]:
        """The rows of all files, by the list and the page; where the two do not agree, both count and a warning says so."""
        table = self._table(FILES, page=page)
        if table is None:
            return page.files if page is not None else ()
        rows, rejected = file_rows(table, self.tic_id)
        self._warn_of_rows(FILES.name, rejected[len(table.rejected) :], "rows name no file")
        rows = self._named(rows, page)
        by_id = {row.file_id: row for row in rows}
        extra = [row for row in (page.files if page else ()) if row.file_id not in by_id]
        if extra and self.holdings.state_of(FILES.name) is AnswerState.EMPTY:
            words = f"an empty list, while {endpoints.TARGET} names {len(extra)} files"
            self._doubt(FILES.name, words)
        elif extra:
            named = ", ".join(str(row.file_id) for row in extra[:10])
            self.holdings.warnings.append(f"{endpoints.TARGET} names files that {FILES.name} does not: {named}.")
        gone = self.holdings.note_absent([*by_id, *(row.file_id for row in extra), *_named_in(rejected)])
        if gone:
            named = ", ".join(map(str, gone[:10]))
            self.holdings.withdrawn.append(f"ExoFOP does not list any more: {named}. What is held of them stays.")
        return (*rows, *extra)

    def _named(self, rows: Sequence[ExoFopFileRow], page: TargetJson | None) -> tuple[ExoFopFileRow, ...]:
        """The rows, those to which the list gives no name as the page calls them; what stays without is told."""
        names = {row.file_id: row.filename for row in (page.files if page else ())}
        known = tuple(
            replace(row, filename=names.get(row.file_id, row.filename)) if _is_nameless(row) else row for row in rows
        )
        if nameless := [row for row in known if _is_nameless(row)]:
            called = ", ".join(row.filename for row in nameless[:10]) + (", ..." if len(nameless) > 10 else "")
            self.holdings.warnings.append(
                f"{FILES.name}: {len(nameless)} of {len(rows)} files have no name there; they are called {called}."
            )
        return known

    def _warn_of_rows(self, name: str, rejected: Sequence[RejectedRow], words: str) -> None:
        if rejected:
            first = rejected[0]
            self.holdings.warnings.append(
                f"{name}: {len(rejected)} {words}; the first is {first.line}: {first.reason}."
            )

    def _contradict(self, endpoint: Endpoint, page: TargetJson | None) -> None:
        """An empty table is no proof where the page of the star counts rows of it: then the service said no in its own way."""
        counted = page.counts.get(endpoint.table, 0) if page is not None else 0
        if counted and self.holdings.state_of(endpoint.name) is AnswerState.EMPTY:
            self._doubt(endpoint.name, f"an empty table, while {endpoints.TARGET} counts {counted} rows")

    def _doubt(self, name: str, words: str) -> None:
        answer = self.holdings.answers[name]
        answer.pop("sha256", None)
        answer |= {"state": str(AnswerState.THROTTLED), "detail": words}

    def _toi_rows(self, page: TargetJson | None) -> None:
        """The rows of the star's TOIs, which are asked by their number; of its community TOIs where it has no other."""
        numbers = _numbers(self.known_toi, page.tois if page else (), self.rows)
        if numbers:
            self._numbered(endpoints.TOI_TABLE, numbers)
            return
        if page is None:
            words = "its TOI number is not known, because the page of the star was not had"
            asked = Asked(endpoints.TOI, AnswerState.UNREACHABLE, utc_now(), words)
        else:
            asked = Asked(endpoints.TOI, AnswerState.EMPTY, utc_now(), f"{endpoints.TARGET} names no TOI of this star")
        known = self._ask(endpoints.TOI, endpoints.TOI_TABLE.file, lambda: asked)
        if known is not None:
            self.holdings.note_answer(known, endpoints.TOI_TABLE.file)
        if page is not None and page.ctois:
            self._numbered(endpoints.CTOI_TABLE, _stems(page.ctois))

    def _numbered(self, endpoint: Endpoint, numbers: Sequence[str]) -> None:
        self._table(endpoint, {endpoint.key: numbers[0], "output": "csv"})
        if len(numbers) > 1:
            others = ", ".join(numbers[1:])
            self.holdings.warnings.append(
                f"TIC {self.tic_id} has TOIs of several numbers; {endpoint.name} was asked for {numbers[0]}, not {others}."
            )


def _named_in(rejected: Sequence[RejectedRow]) -> set[int]:
    """Every number in rows that could not be read: a file whose row is damaged is not one that is listed no more."""
    return {int(digits) for row in rejected for digits in re.findall(r"\d{1,18}", row.text, re.ASCII)}


def _is_nameless(row: ExoFopFileRow) -> bool:
    return row.filename == name_of_nameless(row.file_id)


def _numbers(known: str | None, of_page: Sequence[str], rows: Sequence[ExoFopFileRow]) -> tuple[str, ...]:
    """TOI numbers without prefix and planet, by the first who knows: page, caller, file list."""
    for source in (of_page, (known,) if known else (), [row.toi for row in rows if row.toi]):
        if stems := _stems(source):
            return stems
    return ()


def _stems(names: Sequence[str]) -> tuple[str, ...]:
    """`1262` of `TOI 1262.01`, each once."""
    digits = (
        "".join(letter for letter in name.split(".")[0] if letter.isdecimal() and letter.isascii()) for name in names
    )
    return tuple(dict.fromkeys(number for number in digits if number))


def _read_page(content: bytes | None, tic_id: int) -> TargetJson | None:
    try:
        return None if content is None else read_target_json(content, tic_id)
    except TableError:
        return None  # kept by a version that read it otherwise


def _read_kept(content: bytes | None, name: str, tic_id: int) -> ExoFopTable | None:
    try:
        return None if content is None else read_star_table(content, name, tic_id)
    except TableError:
        return None
