"""Numbers beside curves that end close together: none on another, each led to by its line, in both versions alike."""

from __future__ import annotations

import json
import re
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btv_report.dossier.figures.curves import MAX_DRAWN, aperture_figures
from btv_report.dossier.figures.leaders import SPACING, place_leaders, spread
from btv_report.dossier.figures.svg import Frame
from btv_report.record import RunRecord

CANDIDATE = "1262.01"
PHONE_TEXT = 22
"""Height of text in units of the picture on a narrow screen; its digits are 0.64 as wide and 0.73 as high."""
FRAME = Frame(50, 30, 500, 200, (0.0, 5.0), (0.0, 100.0))


@pytest.fixture
def crowded(own_planet: RunRecord) -> RunRecord:
    """Twenty neighbours whose predicted curves all end within a few ppm of the target's."""
    details = next(check for check in own_planet["checks"] if check["check_id"] == "V10")["details"]
    on_target = details["predicted_on_target_ppm"]
    details["predicted_neighbours"] = [
        {"star_id": f"TIC {n}", "ppm": [ppm + n for ppm in on_target]} for n in range(1, 21)
    ]
    return own_planet


def test_numbers_of_close_curves_do_not_touch_even_on_a_phone(crowded: RunRecord) -> None:
    (figure,) = aperture_figures(crowded, CANDIDATE, 83)
    group = re.search(r'<g class="live muted">(.*?)</g>', figure.picture)
    assert group is not None
    places = [(float(x), float(y)) for x, y in re.findall(r'<text x="([\d.]+)" y="([\d.]+)"', group[1])]
    assert len(places) == MAX_DRAWN
    for (x, y), (other_x, other_y) in combinations(places, 2):
        assert x == other_x
        assert abs(y - other_y) > 0.73 * PHONE_TEXT
    # Three digits stay on the picture.
    assert max(x for x, _ in places) + 3 * 0.64 * PHONE_TEXT < figure.width
    assert group[1].count("L") == MAX_DRAWN


def test_both_versions_have_the_numbers_in_the_same_places(crowded: RunRecord) -> None:
    (figure,) = aperture_figures(crowded, CANDIDATE, 83)
    traces = [trace for trace in json.loads(figure.plotly_json)["data"] if "text" in trace]
    numbers = re.findall(r">(\d+)</text></g>|>(\d+)</text>(?=<text|</g>)", figure.picture)
    assert len(traces) == MAX_DRAWN
    assert {trace["text"][1] for trace in traces} <= {number for pair in numbers for number in pair}
    ends = [trace["y"][1] for trace in traces]
    assert ends == sorted(ends, reverse=True)
    assert len({trace["x"][1] for trace in traces}) == 1


def test_the_caption_says_that_not_all_neighbours_are_drawn_and_the_table_has_those_that_are(
    crowded: RunRecord,
) -> None:
    (figure,) = aperture_figures(crowded, CANDIDATE, 83)
    assert "They come closest to the measured depths; all 20 predicted curves are in the CSV." in figure.caption
    assert len(figure.table.columns) == 3 + MAX_DRAWN
    assert all(len(row) == len(figure.table.columns) for row in figure.table.rows)
    assert figure.csv.splitlines()[0].count("predicted on TIC") == 20


def test_where_all_are_drawn_nothing_is_said_of_others(planet: RunRecord) -> None:
    (figure,) = aperture_figures(planet, CANDIDATE, 83)
    assert "CSV" not in figure.caption


def test_a_curve_that_leaves_the_picture_has_its_number_where_it_was_last_seen() -> None:
    curves = [("1", [(1.0, 10.0), (2.0, 50.0), (3.0, 400.0)]), ("2", [(1.0, 300.0)]), ("3", [(1.0, 20.0), (3.0, 60.0)])]
    first, last = place_leaders(FRAME, curves)
    assert (first.text, first.start) == ("1", (FRAME.x(2.0), FRAME.y(50.0)))
    assert (last.text, last.start) == ("3", (FRAME.x(3.0), FRAME.y(60.0)))
    assert first.end[1] == first.start[1]  # nothing else is near, so it stays level


def test_places_of_the_picture_and_data_values_are_each_other_s_inverse() -> None:
    assert FRAME.x_value(FRAME.x(1.25)) == 1.25
    assert FRAME.y_value(FRAME.y(12.5)) == 12.5


@given(st.lists(st.floats(-50.0, 350.0), max_size=9))
def test_labels_are_spread_in_order_and_within_the_picture(places: list[float]) -> None:
    found = spread(sorted(places), 40.0, 220.0)
    assert len(found) == len(places)
    assert all(after - before >= SPACING - 1e-6 for before, after in pairwise(found))
    assert all(40.0 - 1e-6 <= place <= 220.0 + 1e-6 for place in found)


def test_labels_with_room_stay_where_they_are_and_close_ones_share_the_way() -> None:
    assert spread([60.0, 100.0, 200.0], 40.0, 220.0) == [60.0, 100.0, 200.0]
    assert spread([100.0, 102.0], 40.0, 220.0) == [101.0 - SPACING / 2, 101.0 + SPACING / 2]
