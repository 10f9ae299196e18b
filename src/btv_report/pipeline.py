"""One target from its number to a recorded run and a rendered page: a table of contents; each step is one call away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btv_report import exit_codes
from btv_report.archive.progress import ProgressCallback, say_nothing
from btv_report.errors import LocalEnvironmentError
from btv_report.record import RunRecord
from btv_report.render.site import previous_manifest
from btv_report.stages.answer import report_answer, report_text
from btv_report.stages.assemble import assemble_record
from btv_report.stages.checking import check_pixels
from btv_report.stages.dv_reports import compare_with_spoc
from btv_report.stages.exofop import look_at_exofop
from btv_report.stages.faults import FROM_MIRROR
from btv_report.stages.follow_up import read_follow_up
from btv_report.stages.publish import render_site
from btv_report.stages.request import ReportRequest
from btv_report.stages.sectors import exofop_manifests, find_and_read
from btv_report.stages.target import make_request, open_archive
from btv_report.store.recording import record_run
from btv_report.store.workspace import Workspace


@dataclass(frozen=True)
class Outcome:
    """
    What became of a run.

    Attributes
    ----------
    record : the run record
    run_id : its id; None in a dry run
    page : the dossier's page; None in a dry run
    answer : the object of `--json`
    text : the same for a reader
    exit_code : see `exit_codes`
    private_words : sentences for the one who runs it alone, about what only a login shows
    """

    record: RunRecord
    run_id: str | None
    page: Path | None
    answer: dict[str, Any]
    text: str
    exit_code: int
    private_words: tuple[str, ...] = ()


def run_report(
    request: ReportRequest,
    *,
    tell: Callable[[str], None] = lambda step: None,
    progress: ProgressCallback = say_nothing,
) -> Outcome:
    """
    Make the dossier of one target.

    Parameters
    ----------
    request : what is asked
    tell : called with the name of each step as it begins
    progress : called as products are fetched

    Raises
    ------
    BtvReportError
        With the exit code of the design; nothing was recorded and no page was touched then.
    """
    workspace = Workspace(request.workspace)
    if not request.dry_run:
        workspace.ensure_writable()
        previous_manifest(workspace.site)  # a foreign folder in the site's place is refused before anything is recorded
    elif workspace.root.exists() and not workspace.root.is_dir():
        words = f"The workspace {workspace.root} is a file, not a folder."
        raise LocalEnvironmentError(words, hint="Name a folder with --workspace.", path=workspace.root)
    tell(f"TIC {request.tic_id}: reading products")
    archive = open_archive(request, progress=progress)
    found = find_and_read(request, archive)
    exofop = look_at_exofop(request, exofop_manifests(found.mirror), tell=tell)
    follow_up = read_follow_up(request, exofop, found)
    candidates = follow_up.candidates
    checked = check_pixels(request, found, candidates, tell=tell)
    spoc = compare_with_spoc(found.dv, candidates, found.prf_sets.grids)
    record = assemble_record(request, found, exofop, follow_up, checked, spoc=spoc)
    run_id = page = None
    if not request.dry_run:
        tell(f"TIC {request.tic_id}: recording and rendering")
        run_id = record_run(workspace, record)
        archive.products.pin_run(run_id, workspace.root, cited_from_cache(record))
        page = render_site(workspace, workspace.site).pages[request.tic_id]
    answer = report_answer(
        record,
        run_id=run_id,
        page=page.relative_to(workspace.root).as_posix() if page else None,
        manifest=exofop.manifest.path if exofop.manifest else None,
        to_fetch=found.archive.to_fetch if request.dry_run else (),
        source=request.mast_url,
    )
    is_whole = record["status"] == "complete" and not exofop.is_login_over
    code = exit_codes.DONE if is_whole else exit_codes.GAPS
    return Outcome(record, run_id, page, answer, report_text(answer, page=page), code, exofop.private_words)


def report(target: int | str, *, workspace: Path | str = ".", **options: Any) -> RunRecord:
    """
    Make the dossier of a target from Python; see `ReportRequest` for the options.

    Parameters
    ----------
    target : `TIC 188646744`, the number, `TOI-1262`, a name or a position
    workspace : folder of records, store and site
    options : of `ReportRequest`; and `accept_nearest` and `progress` as in `stages.target.make_request`

    Returns
    -------
    RunRecord
        The record as it was written.

    Raises
    ------
    BtvReportError
        With a sentence and the exit code that the command line would have ended with.
    """
    command = ("btv_report.report", str(target))
    progress = options.pop("progress", say_nothing)
    given = {"command": command, **options}
    request = make_request(str(target), Path(workspace).resolve(), progress=progress, **given)
    return run_report(request, progress=progress).record


def cited_from_cache(record: RunRecord) -> list[str]:
    """Digests of the used products whose bytes lie in the cache, and of ExoFOP's files and tables."""
    products = [
        product["sha256"]
        for product in record["products"]
        if product["used"] and product["sha256"] and product["retrieved"] != FROM_MIRROR
    ]
    exofop = record["exofop"]
    files = [file["sha256"] for file in exofop["files"] if file["sha256"]]
    tables = [answer["sha256"] for answer in exofop["answers"].values() if answer.get("sha256")]
    return [*products, *files, *tables]
