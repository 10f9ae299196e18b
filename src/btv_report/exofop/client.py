"""ExoFOP for programs: a star's artefacts, fetched once, hashed, in stable places, with a manifest that other tools read."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Lock
from time import time
from typing import TYPE_CHECKING

from btv_report.answer_states import AnswerState
from btv_report.archive.addresses import exofop_folder, exofop_url
from btv_report.archive.limits import Limits
from btv_report.atomic import make_folder
from btv_report.errors import FetchError
from btv_report.exofop.asking import endpoints
from btv_report.exofop.asking.call import LOST, Call
from btv_report.exofop.asking.kept_archive import describe_kept, why_not_kept
from btv_report.exofop.asking.names import require_tic_number, resolve
from btv_report.exofop.asking.round import Wants
from btv_report.exofop.cache import TargetFolder, lock_target
from btv_report.exofop.types import (
    ExoFopFetchResult,
    ExoFopFileListing,
    ExoFopFileRow,
    ExoFopSelectors,
    ExoFopTarget,
)

if TYPE_CHECKING:
    from btv_report.archive.fetch import Fetcher
    from btv_report.exofop.asking.service import ExoFopService
    from btv_report.exofop.cookies import ExoFopCookies


class ExoFopClient:
    """
    ExoFOP behind one cache folder.

    Parameters
    ----------
    cache_dir : artefacts go to `exofop/` in it
    cookie_jar_path : a Netscape cookie jar of a login, as curl and wget write it; only ExoFOP's own cookie is taken. None asks as
        anybody
    user_agent : who asks; the program's own words when None
    timeout_seconds : between two pieces of an answer
    base_url : ExoFOP's address, or that of a mirror of its services; that of BTV_REPORT_EXOFOP_URL, else ExoFOP's own, when None
    offline : answer from the cache alone
    limits : of questions and files; `timeout_seconds` counts before its read time-out
    min_interval_s : between the beginnings of two requests; half a second when None
    fetcher : the one owner of sockets; one is made when None
    tell : called with what is being asked

    Raises
    ------
    UsageError, LocalEnvironmentError
        If the cookie jar is none that may be used.
    """

    def __init__(
        self,
        *,
        cache_dir: str | Path,
        cookie_jar_path: str | Path | None = None,
        user_agent: str | None = None,
        timeout_seconds: float | None = None,
        base_url: str | None = None,
        offline: bool = False,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        min_interval_s: float | None = None,
        fetcher: Fetcher | None = None,
        tell: Callable[[str], None] = lambda step: None,
    ) -> None:
        self.cache_dir = Path(cache_dir).expanduser().absolute()
        self.base_url = exofop_folder(base_url) if base_url else exofop_url(os.environ)
        self.offline = offline
        self.limits = limits if timeout_seconds is None else replace(limits, read_timeout_s=timeout_seconds)
        self.cookies: ExoFopCookies | None = None
        if cookie_jar_path is not None:
            from btv_report.exofop.cookies import read_cookie_jar

            self.cookies = read_cookie_jar(Path(cookie_jar_path), self.base_url, now=time())
        self._user_agent = user_agent
        self._min_interval_s = endpoints.MIN_INTERVAL_S if min_interval_s is None else min_interval_s
        self._fetcher = fetcher
        self._making = Lock()
        self._tell = tell

    def resolve_target(self, target: str | int) -> ExoFopTarget:
        """
        The star that a TIC number, TOI or name stands for.

        A TIC number costs no question; what a TOI or name stands for is asked once and kept.

        Raises
        ------
        UsageError
            If the text can be no target, or is a position.
        AmbiguousTargetError, NameResolutionError, ArchiveUnreachableError
            If several stars answer to it, none does, or nobody answered.
        """
        return resolve(target, self.cache_dir, self.base_url, self._anonymous, offline=self.offline)

    def file_list(self, *, tic_id: int) -> list[ExoFopFileRow]:
        """
        The rows of a star's file list as the caller may see it, in the order of their File IDs.

        Raises
        ------
        FetchError
            If the list was not had, now or before; its state says why.
        """
        return list(self.list_files(tic_id=tic_id).rows)

    def list_files(self, *, tic_id: int) -> ExoFopFileListing:
        """
        The same, with what is known of its age: a list that is kept from an earlier call has another state than OK.

        Raises
        ------
        FetchError
            As `file_list`.
        """
        call = self._call(require_tic_number(tic_id), Wants(summaries=False, files=False, tell=self._tell))
        call.run()
        one = call.last
        if one.is_no_star:
            raise FetchError(
                f"ExoFOP says that it has no such star as TIC {tic_id}.",
                hint="Check the number.",
                state=AnswerState.NOT_FOUND,
                url=f"{self.base_url}{endpoints.TARGET}",
            )
        state = one.holdings.state_of(endpoints.FILE_LIST) or AnswerState.SKIPPED
        why = one.holdings.answers.get(endpoints.FILE_LIST, {}).get("detail", "")
        if endpoints.FILE_LIST in one.round.lost:
            state, why = AnswerState.CORRUPT, LOST
        if state is AnswerState.SKIPPED or (state.is_gap and state is not AnswerState.STALE):
            raise FetchError(
                f"The file list of TIC {tic_id} was not had ({state}): {why or 'it was not asked for'}.",
                hint="Ask again later." if not self.offline else "Ask for it without `offline`.",
                state=state,
                url=f"{self.base_url}{endpoints.FILE_LIST}",
            )
        return ExoFopFileListing(tuple(sorted(one.rows, key=lambda row: row.file_id)), state, why)

    def download_all_files_zip(self, *, tic_id: int, force: bool = False) -> Path:
        """
        The zip of all files of a star, as ExoFOP packs it, at `archives/files.zip`; a zip that holds, whatever its members are.

        One that another host gave is asked for again, and replaced; `files.zip.json` beside it says which host it is of.

        Raises
        ------
        FetchError
            If it was not had; an older one stays where it is then.
        """
        is_member = self.cookies is not None and not self.cookies.is_expired
        folder = TargetFolder(self.cache_dir, require_tic_number(tic_id), private=is_member)
        path = folder.root / "archives" / "files.zip"
        fault = why_not_kept(path, self.base_url)
        if fault is None and (self.offline or not force):
            return path
        if fault is not None and self.offline:
            raise FetchError(
                f"{endpoints.ALL_FILES} of TIC {tic_id} is {fault[1]} in the cache, and nothing is asked offline.",
                hint="Ask for it without `offline`.",
                state=fault[0],
                url=f"{self.base_url}{endpoints.ALL_FILES}",
            )
        with lock_target(self.cache_dir, tic_id):
            folder.prepare()
            make_folder(path.parent, private=True)
            service = self._member() if is_member else self._anonymous()
            got = service.all_files(tic_id, folder.incoming(path.name), is_judged=True)
            if got.state is AnswerState.OK:
                folder.place(folder.incoming(path.name), f"{path.parent.name}/{path.name}")
                describe_kept(path, self.base_url, got)
            folder.finish()
        if got.state is not AnswerState.OK:
            raise FetchError(
                f"{endpoints.ALL_FILES} of TIC {tic_id}: {got.words}.",
                hint="Files can be had one by one with `fetch`.",
                state=got.state,
                url=f"{self.base_url}{endpoints.ALL_FILES}",
                http_status=got.http_status,
            )
        return path

    def fetch(
        self,
        *,
        target: str | int,
        selectors: ExoFopSelectors | None = None,
        include_summaries: bool = True,
        force_refresh: bool = False,
    ) -> ExoFopFetchResult:
        """
        Fetch what is wanted and not held yet, and write the manifest; a call that finds all of it held opens no connection.

        Parameters
        ----------
        target : TIC number, TOI or name
        selectors : which files; all when None. Only wanted files are fetched, the list always
        include_summaries : fetch the summary tables, too
        force_refresh : ask again for what is held; bytes that ExoFOP has replaced are kept beside the new ones

        Returns
        -------
        ExoFopFetchResult
            Also when parts are missing: `errors` says which. With a login its manifest is that of what members may see.

        Raises
        ------
        UsageError, AmbiguousTargetError, NameResolutionError, ArchiveUnreachableError
            As `resolve_target`.
        LocalEnvironmentError
            If disk, permission or lock stand in the way.
        """
        star = self.resolve_target(target)
        wants = Wants(
            selectors or ExoFopSelectors(),
            include_summaries,
            refresh=force_refresh and not self.offline,
            tell=self._tell,
        )
        call = self._call(star.tic_id, wants, toi=star.toi)
        call.run()
        return call.result()

    def _call(self, tic_id: int, wants: Wants, *, toi: str | None = None) -> Call:
        return Call(
            cache_dir=self.cache_dir,
            base_url=self.base_url,
            tic_id=tic_id,
            wants=wants,
            anonymous=self._anonymous,
            member=self._member,
            limits=self.limits,
            cookies=self.cookies,
            toi=toi,
            offline=self.offline,
        )

    def _anonymous(self) -> ExoFopService:
        from btv_report.exofop.asking.service import ExoFopService

        return ExoFopService(self.base_url, self._owner(), user_agent=self._user_agent)

    def _member(self) -> ExoFopService:
        from btv_report.exofop.asking.service import ExoFopService

        jar = self.cookies.jar if self.cookies is not None else None
        return ExoFopService(self.base_url, self._owner(), user_agent=self._user_agent, cookies=jar)

    def _owner(self) -> Fetcher:
        """The one owner of sockets, with ExoFOP's manners, over all questions of this client."""
        from btv_report.archive.fetch import Fetcher

        with self._making:
            if self._fetcher is None:
                self._fetcher = Fetcher(
                    limits=self.limits, min_interval_s=self._min_interval_s, max_parallel=endpoints.MAX_PARALLEL
                )
            return self._fetcher
