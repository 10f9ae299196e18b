"""Pages as bytes: values in, HTML out."""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import re
from functools import cache
from pathlib import Path

from btv_report.calibration.record import RELEASE_FILE, read_record, record_bytes
from btv_report.code_version import code_sha256
from btv_report.dossier.calibration import build_calibration
from btv_report.dossier.index import RunSummary, build_index, build_site_audit
from btv_report.dossier.methods import build_methods
from btv_report.dossier.page import DossierPage, build_page
from btv_report.dossier.publish import dossier_json, publishable
from btv_report.dossier.results import Figures
from btv_report.dossier.thumbnails import thumbnail_files
from btv_report.record import RunRecord
from btv_report.render.assets import assets, plotly_style_hashes
from btv_report.render.environment import (
    NOT_FOUND_STYLE,
    content_security_policy,
    environment,
    style_hash,
    templates_folder,
)
from btv_report.render.lean_markup import lean
from btv_report.render.shared_parts import SharedParts, share_figures

logger = logging.getLogger(__name__)


def _page(template: str, *, root: str, current: str, **values: object) -> bytes:
    """Render one page; `root` leads from its folder to the first folder of the site."""
    names, _ = assets()
    csp = content_security_policy(plotly_style_hashes())
    text = environment().get_template(template).render(root=root, current=current, assets=names, csp=csp, **values)
    return lean(re.sub(r"\n{2,}", "\n", text)).encode()


@cache
def fingerprint() -> str:
    """
    SHA-256 over everything besides the record that a dossier's bytes depend on: templates, shared files and our own code.

    Pages whose record and fingerprint are those of the build before need no rendering.
    """
    shared = f"{code_sha256()} {sorted(assets()[1])} {importlib.metadata.version('jinja2')}"
    digest = hashlib.sha256(shared.encode())
    for source in sorted(templates_folder().rglob("*.j2")):
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()


def dossier_files(run_id: str, record_sha256: str, record: RunRecord) -> dict[str, bytes]:
    """All files of one target, by path in the site, but copies: page, JSON, the data of its figures, and thumbnails."""
    public = publishable(record)
    page, shared = _dossier_page(run_id, record_sha256, public)
    folder = f"tic/{page.tic_id}"
    files = {
        f"{folder}/index.html": _page(
            "dossier.html.j2", root="../../", current="dossier", page=page, shared=shared, contents=contents(page)
        ),
        f"{folder}/dossier.json": dossier_json(run_id, record_sha256, public),
    }
    for figure in page.figures:
        files[f"{folder}/files/{figure.figure_id}.csv"] = figure.csv.encode()
    for name, content in thumbnail_files(public).items():
        files[f"{folder}/files/{name}"] = content
    return files


def _dossier_page(run_id: str, record_sha256: str, public: RunRecord) -> tuple[DossierPage, SharedParts]:
    """The page with its figures and what they share; a fault in the figures costs the figures, not the page (F-165)."""
    from btv_report.dossier.figures.collect import all_figures

    figures: Figures = {}
    shared = SharedParts()
    problem = ""
    try:
        shared, figures = share_figures(all_figures(public))
    except Exception as error:
        logger.exception("figures of TIC %s", public["target"]["tic_id"])
        problem = f"The figures could not be drawn ({type(error).__name__}); the numbers are not affected."
    return build_page(run_id, record_sha256, public, figures, figure_problem=problem), shared


def contents(page: DossierPage) -> tuple[tuple[str, str], ...]:
    """Anchors and titles of the sections of a page, in order."""
    return (
        ("verdicts", "Verdicts"),
        ("light-curves", "Light curves"),
        *((("folds", "Folded"),) if page.folds else ()),
        *((("pixels", "Pixels"),) if page.controls else ()),
        *((group.anchor, f"Checks: {group.short}") for group in page.checks),
        *((("quality-masks", "Quality masks"),) if page.masks else ()),
        *((("spoc-dv", "SPOC's DV"),) if page.spoc_events else ()),
        *((("transits", "Transits"),) if page.transits else ()),
        ("provenance", "Provenance"),
        ("exofop", "ExoFOP"),
        ("citation", "How to cite"),
        ("audit", "Audit"),
    )


def site_files(
    summaries: list[RunSummary], ledger_head: str | None, calibration: Path | None = None
) -> dict[str, bytes]:
    """The pages of the site itself, by path; `calibration` is a record to show instead of the release's."""
    tables = read_record(calibration or RELEASE_FILE)
    return {
        ".nojekyll": b"",
        "404.html": _not_found(),
        "audit/index.html": _page(
            "audit.html.j2", root="../", current="audit", audit=build_site_audit(summaries, ledger_head)
        ),
        "index.html": _page("index.html.j2", root="", current="index", index=build_index(summaries)),
        "methods/index.html": _page("methods.html.j2", root="../", current="methods", methods=build_methods()),
        "methods/calibration/calibration.json": record_bytes(tables),
        "methods/calibration/index.html": _page(
            "calibration.html.j2", root="../../", current="methods", page=build_calibration(tables)
        ),
    }


def _not_found() -> bytes:
    policy = f"default-src 'none'; style-src-elem '{style_hash(NOT_FOUND_STYLE)}'; img-src data:; base-uri 'none'"
    return environment().get_template("404.html.j2").render(csp=policy, style=NOT_FOUND_STYLE).encode()
