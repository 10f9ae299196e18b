"""Cut files and noise: fewer rows or a sentence, never a number that was not there, and no other exception."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.exofop.follow_up.conftest import CONTRAST_FILES, LIGHT_CURVE_FILES, Write

from btv_report.errors import ProductRefusedError
from btv_report.exofop.contrast_curves import load_exofop_contrast_curve_dat
from btv_report.exofop.curves.external_light_curves import load_external_light_curve

Points = list[tuple[float, float]]


def curve_points(path: Path) -> Points | None:
    """Separations and limits; None where the file is refused."""
    try:
        curve = load_exofop_contrast_curve_dat(path)
    except ProductRefusedError:
        return None
    return list(zip(curve.separation_arcsec.tolist(), curve.delta_mag.tolist(), strict=True))


def light_points(path: Path) -> Points | None:
    """Times and fluxes; None where the file is refused."""
    try:
        curve = load_external_light_curve(path)
    except ProductRefusedError:
        return None
    return list(zip(curve.time_days.tolist(), curve.flux.tolist(), strict=True))


FILES = {
    **{name: (curve_points, text) for name, text in CONTRAST_FILES.items()},
    **{name: (light_points, text) for name, text in LIGHT_CURVE_FILES.items()},
}


@pytest.mark.parametrize(("points_of", "text"), FILES.values(), ids=FILES)
def test_a_file_cut_anywhere_gives_the_first_rows_or_a_sentence(
    write: Write, points_of: Callable[[Path], Points | None], text: str
) -> None:
    whole = points_of(write(text))
    assert whole
    n_read = 0
    for offset in range(len(text.encode())):
        points = points_of(write(text.encode()[:offset]))
        if points is not None:
            n_read += 1
            assert points == whole[: len(points)], offset
    assert n_read, "a file that has lost its end still gives its first rows"


def test_a_last_line_without_an_end_is_left_out_and_that_is_said(write: Write) -> None:
    text = CONTRAST_FILES["csv"]
    curve = load_exofop_contrast_curve_dat(write(text + "2.0,7.1,265.7,140.1"))
    assert curve.separation_arcsec[-1] == 1.18
    assert curve.notes[0] == "The file does not end with a line end, so its last line may be cut and is not used."
    light = load_external_light_curve(write(LIGHT_CURVE_FILES["muscat"] + "2459761.76,1.0"))
    assert len(light.flux) == 4
    assert light.notes == ("The file does not end with a line end, so its last line may be cut and is not used.",)


@pytest.mark.parametrize(("points_of", "text"), FILES.values(), ids=FILES)
def test_bytes_changed_at_random_give_a_curve_or_a_sentence(
    write: Write, points_of: Callable[[Path], Points | None], text: str
) -> None:
    chance = random.Random(20261126)
    n_refused = 0
    for _ in range(120):
        content = bytearray(text.encode())
        for _ in range(chance.randint(1, 12)):
            content[chance.randrange(len(content))] = chance.choice(b"\0\xff\t\n ,;|#+-.eE0129NaN<\x1b")
        points = points_of(write(bytes(content)))
        n_refused += points is None
        assert points is None or len(points) >= 3
    assert 0 < n_refused <= 120


NUMBERS = ["1", "2459000.5", "0.1", "-3", "nan", "", "1e400", "9" * 400, "1_0", "\u0662"]
WORDS = ["arcsec", "dmag", "mas", "sep", "BJD_TDB", "flux", "err", "rel_flux_T1", "annulus", "1. time"]
MARKS = ["#", "fit of separation", "\u202e", "Filter = V"]
CELLS = st.sampled_from([*NUMBERS, *WORDS, *MARKS]) | st.floats(-100, 100).map(str)
LINES = st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=12)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(lines=LINES, mark=st.sampled_from([",", "\t", " ", ";", "|"]), end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_lines_of_anything_give_finite_numbers_or_a_sentence(
    lines: list[list[str]], mark: str, end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "anything.dat"
    path.write_text("".join(mark.join(cells) + end for cells in lines), newline="")
    limits = curve_points(path) or []
    for pair in (*limits, *(light_points(path) or [])):
        assert all(abs(value) < float("inf") for value in pair)
    assert all(0 < separation <= 60 and 0 < limit <= 30 for separation, limit in limits)
