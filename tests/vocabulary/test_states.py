"""Which answers leave a gap."""

from __future__ import annotations

import pytest

from btv_report.answer_states import AnswerState
from btv_report.products.model import ProductState


@pytest.mark.parametrize("state", ["OK", "EMPTY", "NOT_FOUND", "SKIPPED"])
def test_knowledge_and_what_the_user_skipped_are_no_gap(state: str) -> None:
    assert not AnswerState(state).is_gap


@pytest.mark.parametrize("state", ["AUTH_REQUIRED", "THROTTLED", "UNREACHABLE", "CORRUPT", "REJECTED", "STALE"])
def test_everything_else_is_a_gap(state: str) -> None:
    assert AnswerState(state).is_gap


def test_states_of_products_are_states_of_answers() -> None:
    assert {state.value for state in ProductState} <= {state.value for state in AnswerState}
