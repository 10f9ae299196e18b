"""
When a header without rows, where there were rows before, is the truth and no fault of the moment (F-030).

Where there never were rows it is taken for what it says. Where there were, it is doubted: a service that is pushed, or whose
parameter has got another name, answers like that, too. What was known is given up once two things are so:

- It was answered for a day, and nothing else in between: what a service gets wrong is mended by then.
- A second witness says the same: the page of the star, if it is younger than the rows and has the same list; where it has no such
  list, a star on which the service is known to have rows, which it still gives.

Objects of interest are announced and stay listed, as false positives if need be, so that nothing proves them gone.
"""

from __future__ import annotations

from btv_report.answer_states import AnswerState
from btv_report.exofop.asking import endpoints
from btv_report.exofop.asking.answers import Asked
from btv_report.exofop.asking.endpoints import Endpoint
from btv_report.exofop.asking.holdings import Holdings
from btv_report.exofop.asking.round import Round
from btv_report.exofop.tables.target_json import TargetJson
from btv_report.utc import utc_moment

LEAST_S = 86_400
"""For so long a table must have been empty."""


def is_truly_emptied(
    asked: Asked, endpoint: Endpoint, holdings: Holdings, asking: Round, page: TargetJson | None
) -> bool:
    """
    Whether an answer without rows may take the place of one that had some.

    Parameters
    ----------
    asked, endpoint : what was answered, by which service
    holdings, asking : what is held, and the round; a star that is known to have rows is asked for in it
    page : of the star; None where it was not had
    """
    if asked.state is not AnswerState.EMPTY or endpoint in {endpoints.TOI_TABLE, endpoints.CTOI_TABLE}:
        return False
    if not holdings.had_something(endpoint.name) or not _has_lasted(holdings, asked):
        return False
    if page is not None and endpoint.table in page.counts:
        is_younger = holdings.answered_at(endpoints.TARGET) > holdings.answered_at(endpoint.name)
        return is_younger and page.counts[endpoint.table] == 0
    return _has_rows_elsewhere(endpoint, asking)


def _has_lasted(holdings: Holdings, asked: Asked) -> bool:
    """Whether the service has said so for a day."""
    since, now = utc_moment(holdings.empty_since(asked.endpoint)), utc_moment(asked.asked_at)
    return since is not None and now is not None and (now - since).total_seconds() >= LEAST_S


def _has_rows_elsewhere(endpoint: Endpoint, asking: Round) -> bool:
    """Whether the service gives rows of the star on which it is known to have some, which must be another one."""
    if endpoint.sentinel is None or endpoint.sentinel == asking.tic_id or asking.is_over():
        return False
    asked = asking.ask.table(endpoint, endpoint.sentinel)
    asking.count(asked.state, asked.http_status)
    return asked.state is AnswerState.OK
