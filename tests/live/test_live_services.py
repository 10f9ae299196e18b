"""
The real ExoFOP and MAST, for people with a network: `pytest -m live`. Off by default, and gentle: one star, a few requests.

They hold what the loopback doubles take for granted against the services themselves.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from btv_report.answer_states import AnswerState
from btv_report.archive.addresses import EXOFOP_URL, MAST_URL
from btv_report.archive.mast_client import MASTClient
from btv_report.exofop.client import ExoFopClient
from btv_report.exofop.manifest import read_manifest
from btv_report.exofop.types import ExoFopSelectors

pytestmark = pytest.mark.live
TIC_ID = 365938305


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> ExoFopClient:
    return ExoFopClient(cache_dir=tmp_path_factory.mktemp("live-cache"), base_url=EXOFOP_URL)


def test_exofop_answers_every_question_about_a_known_star(client: ExoFopClient) -> None:
    result = client.fetch(target=TIC_ID, selectors=ExoFopSelectors(max_files=1))
    assert set(result.answers.values()) <= {AnswerState.OK, AnswerState.EMPTY}, result.errors
    assert result.target.toi is not None
    assert result.target.toi.startswith("1262")
    manifest = read_manifest(result.manifest_path, tic_id=TIC_ID)
    assert manifest.n_listed
    assert [file.state for file in manifest.files] == [AnswerState.OK]


def test_exofop_is_not_asked_again_for_what_is_held(client: ExoFopClient) -> None:
    client.fetch(target=TIC_ID, selectors=ExoFopSelectors(max_files=1))
    assert client.fetch(target=TIC_ID, selectors=ExoFopSelectors(max_files=1)).n_connections == 0


def test_exofop_resolves_a_toi(client: ExoFopClient) -> None:
    assert client.resolve_target("TOI-1262").tic_id == TIC_ID


def test_mast_knows_the_star_and_its_light_curves(tmp_path: Path) -> None:
    client = MASTClient(cache_dir=tmp_path, base_url=MAST_URL)
    found = client.search_lightcurve(TIC_ID)
    assert {row.tic_id for row in found} == {TIC_ID}
    assert {14, 20, 21} <= {row.sector for row in found if row.sector is not None}
