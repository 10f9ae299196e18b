"""When a host has stopped answering, so that asking on would be waiting for nothing, or a nuisance to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from btv_report.answer_states import AnswerState

MOST_SILENT = 2
"""One service that is down says nothing of the others of its host; two different ones in a row do."""


@dataclass
class Silence:
    """
    What went without an answer since the last answer.

    Attributes
    ----------
    names : of the services or files, each once
    state : THROTTLED or UNREACHABLE, as the last one ended; OK where there is none
    """

    names: list[str] = field(default_factory=list)
    state: AnswerState = AnswerState.OK

    @property
    def is_over_all(self) -> bool:
        """Whether nobody should go on asking: a host said that it is asked too much, or two in a row gave no answer."""
        return self.state is AnswerState.THROTTLED or len(self.names) >= MOST_SILENT

    def note(self, name: str, state: AnswerState) -> None:
        """Note how a question ended; any answer, also one that is of no use, ends the silence."""
        if state not in {AnswerState.THROTTLED, AnswerState.UNREACHABLE}:
            self.names, self.state = [], AnswerState.OK
            return
        self.state = state
        if name not in self.names:
            self.names.append(name)
