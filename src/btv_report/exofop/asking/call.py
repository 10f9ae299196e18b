"""
One call: the anonymous pass and, with a login, the members' pass, each over its own tree; and what the two say of each other.

Nobody tells which rows and files are restricted. What an anonymous request was given is public, and everything else that a member
sees is not: it stays in the members' tree, rows, names and counts included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from btv_report.answer_states import AnswerState
from btv_report.archive.limits import Limits
from btv_report.exofop.asking import endpoints
from btv_report.exofop.asking.files import FileFetching
from btv_report.exofop.asking.holdings import Holdings
from btv_report.exofop.asking.one_pass import Pass
from btv_report.exofop.asking.round import Round, Wants
from btv_report.exofop.cache import TargetFolder, lock_target
from btv_report.exofop.payloads.file_names import shown_name
from btv_report.exofop.types import ExoFopFetchResult, ExoFopFileRow
from btv_report.exofop.unmatched import unmatched

if TYPE_CHECKING:
    from btv_report.exofop.asking.service import ExoFopService
    from btv_report.exofop.cookies import ExoFopCookies

LOST = "its bytes in the cache are not those that were fetched"


@dataclass
class Call:
    """
    What one call of the client does.

    Parameters
    ----------
    cache_dir, base_url, tic_id, wants : where, whom, of which star, what
    anonymous, member : make the service that is asked, as anybody and with the login
    limits : of the run, and of what is taken
    cookies : of the login; None where there is none
    toi : the star's TOI, where the caller knows it
    offline : ask nothing

    Attributes
    ----------
    passes : those that were made, the anonymous one first
    """

    cache_dir: Path
    base_url: str
    tic_id: int
    wants: Wants
    anonymous: Callable[[], ExoFopService]
    member: Callable[[], ExoFopService]
    limits: Limits
    cookies: ExoFopCookies | None = None
    toi: str | None = None
    offline: bool = False
    passes: list[Pass] = field(default_factory=list)

    @property
    def last(self) -> Pass:
        """The pass that sees the most."""
        return self.passes[-1]

    @property
    def n_asked(self) -> int:
        """Questions that were put."""
        return sum(one.round.n_asked for one in self.passes)

    def run(self) -> None:
        """Ask what is not held. Where everything is, nothing is locked, made or written."""
        if not self.wants.refresh:
            self.passes = self._look(replace(self.wants, offline=True))
            if self.offline or not any(one.round.n_unasked for one in self.passes):
                return
        with lock_target(self.cache_dir, self.tic_id):
            self.passes = self._look(self.wants)

    def _look(self, wants: Wants) -> list[Pass]:
        """One pass a tree."""
        public = self._holdings(private=False)
        if self.cookies is None or self.cookies.is_expired:
            return [self._pass(self.anonymous, public, FileFetching(public), wants)]
        private = self._holdings(private=True)
        settled = replace(wants, settled=_restricted(private))
        first = self._pass(self.anonymous, public, FileFetching(public), settled)
        second = self._pass(self.member, private, FileFetching(private, public), wants, login=self.cookies)
        return [first, second]

    def _holdings(self, *, private: bool) -> Holdings:
        return Holdings(TargetFolder(self.cache_dir, self.tic_id, private=private), self.tic_id, self.base_url)

    def _pass(
        self,
        service: Callable[[], ExoFopService],
        holdings: Holdings,
        files: FileFetching,
        wants: Wants,
        *,
        login: ExoFopCookies | None = None,
    ) -> Pass:
        """Make a pass over a tree, and write its manifest where something has changed."""
        asking = Round(None if wants.offline else service(), self.limits, self.tic_id, wants)
        one = Pass(asking, holdings, self.toi)
        if wants.offline:
            one.run(files)
            return one
        holdings.folder.prepare()
        holdings.put_aside()
        try:
            one.run(files)
            if login is not None and asking.n_asked:
                _note_login(one, files.public, login)
        finally:
            holdings.folder.finish()
            if holdings.answers:
                holdings.save()
        return one

    # What comes of it.

    def result(self) -> ExoFopFetchResult:
        """What the caller is told."""
        holdings, wanted = self.last.holdings, self.wants.selectors.select(self.last.rows)
        entries = [(row, holdings.files.get(row.file_id, {})) for row in wanted]
        root = holdings.folder.root
        held = {row.file_id: root / entry["path"] for row, entry in entries if self._has_bytes(row, entry)}
        skipped = [
            f"{shown_name(row.filename)}: {_why_not_had(entry)}" for row, entry in entries if row.file_id not in held
        ]
        public = self.passes[0].holdings
        return ExoFopFetchResult(
            target=holdings.target,
            cache_root=root,
            manifest_path=holdings.folder.manifest_path,
            files_downloaded=list(held.values()),
            files_skipped=skipped,
            warnings=[*self._words_of_login(), *self._warnings()],
            errors=[*self._errors_of_login(), *_errors_of(self.last)],
            answers=_states_of(self.last),
            public_manifest_path=public.folder.manifest_path if public.holds_manifest else None,
            public_warnings=public.warnings,
            private_words=self._private_words(public),
            n_connections=self.n_asked,
            n_unasked=self.last.round.n_unasked,
            n_public_connections=self.passes[0].round.n_asked,
            n_public_unasked=self.passes[0].round.n_unasked,
            holds_manifest=holdings.holds_manifest,
            n_listed=self.last.n_listed,
            unmatched=unmatched(self.wants.selectors, self.last.rows),
        )

    def _warnings(self) -> list[str]:
        all_holdings = [one.holdings for one in self.passes]
        return [words for holdings in all_holdings for words in (*holdings.warnings, *holdings.withdrawn)]

    def _has_bytes(self, row: ExoFopFileRow, entry: Mapping[str, Any]) -> bool:
        return "path" in entry and row.file_id not in self.last.round.lost

    def _private_words(self, public: Holdings) -> list[str]:
        """What may stand on a terminal, which may be the log of a machine that anybody reads."""
        words = [*self._words_of_login(), *self._errors_of_login()]
        members = self.last.holdings
        if members is not public and (members.warnings or members.withdrawn or _errors_of(self.last)):
            words.append(
                f"What the login brought is not whole, or has changed: {members.folder.manifest_path} says how."
            )
        return words

    def _words_of_login(self) -> list[str]:
        if self.cookies is None:
            return []
        words = list(self.cookies.sentences)
        if not self.cookies.is_expired and self.last.holdings.auth.get("accepted") is False:
            words.append(
                "ExoFOP did not take the cookie for a login: what came is what anybody sees. Log in anew, and save the jar again."
            )
        return words

    def _errors_of_login(self) -> list[str]:
        if self.cookies is None or not self.cookies.is_expired:
            return []
        return [
            f"The login of the cookie jar ran out at {self.cookies.expires_at}; restricted items were not asked for."
        ]


def _states_of(one: Pass) -> dict[str, AnswerState]:
    """Services and their states; what is kept of a good answer counts only while it is there."""
    answers = {name: AnswerState(answer["state"]) for name, answer in sorted(one.holdings.answers.items())}
    return answers | {name: AnswerState.CORRUPT for name in answers if name in one.round.lost}


def _errors_of(one: Pass) -> list[str]:
    """What leaves a gap: by what was answered, and because bytes are not there any more."""
    holdings, lost = one.holdings, one.round.lost
    answers = [f"{name}: {AnswerState.CORRUPT}, {LOST}." for name in holdings.answers if name in lost]
    files = [
        f"File {number} ({shown_name(entry['filename'])}): {AnswerState.CORRUPT}, {LOST}."
        for number, entry in sorted(holdings.files.items())
        if number in lost and "path" in entry
    ]
    return [*holdings.errors(), *sorted(answers), *files]


def _why_not_had(entry: Mapping[str, Any]) -> str:
    if "path" in entry:
        return f"{AnswerState.CORRUPT}, {LOST}"
    return f"{entry.get('state', AnswerState.SKIPPED)}, {entry.get('detail', 'not fetched')}"


def _restricted(private: Holdings) -> frozenset[int]:
    """Files that the members' tree holds; asking for them anonymously again would only be refused again."""
    entries = private.files.items()
    return frozenset(number for number, entry in entries if entry.get("restricted") and private.folder.holds(entry))


def _note_login(one: Pass, public: Holdings | None, cookies: ExoFopCookies) -> None:
    """Take down whether the login was taken: by ExoFOP's own pages, or because more came with it than without."""
    auth = one.holdings.auth
    auth["cookie_jar_used"] = True
    auth.pop("expires_at", None)
    if cookies.expires_at is not None:
        auth["expires_at"] = cookies.expires_at
    accepted = one.round.ask.is_logged_in(one.tic_id)
    if not accepted and public is not None and _sees_more(one.holdings, public):
        accepted = True
    if accepted is None:
        auth.pop("accepted", None)
    else:
        auth["accepted"] = accepted


def _sees_more(members: Holdings, public: Holdings) -> bool:
    """Whether the login brought a file, or rows, in this call that nobody else was given in it; what is older proves nothing."""
    refused: set[AnswerState | None] = {AnswerState.AUTH_REQUIRED}
    if endpoints.FILE_LIST in public.answered:
        refused |= {None}  # not even named to others
    files = [number for number in members.files if number in members.answered]
    if any(public.files.get(number, {}).get("state") in refused for number in files):
        return True
    names = members.answered & public.answered & {*members.answers} - {endpoints.TARGET}
    return any(
        members.answers[name].get("n_rows", 0) > public.answers[name].get("n_rows", 0) for name in map(str, names)
    )
