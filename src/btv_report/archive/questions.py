"""
Questions to the archive: each is asked once a run, its answer kept, and the kept one given where none comes.

Asking imports lightkurve and astroquery (2 s) and happens only when the answer is not kept already, or is to be asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from btv_report.answer_states import AnswerState
from btv_report.archive.answer_cache import Answer, AnswerCache
from btv_report.archive.progress import DownloadPhase, DownloadProgress, ProgressCallback
from btv_report.archive.silence import Silence
from btv_report.errors import ArchiveUnreachableError, MASTClientError, NameResolutionError, TargetNotFoundError
from btv_report.utc import utc_now

if TYPE_CHECKING:
    from btv_report.archive.mast_session import MastConnection

T = TypeVar("T")


@dataclass(frozen=True)
class Answered(Generic[T]):
    """
    What came of a question.

    Attributes
    ----------
    state : OK, EMPTY, NOT_FOUND; SKIPPED where nothing may be asked and no answer is kept; STALE where it was to be asked again,
        no answer came, and the kept one is given
    value : the answer; None where it was not asked
    asked_at : UTC, ISO; when the archive answered, which may be long ago. Empty when it never did
    from_cache : whether the kept answer was given
    n_unread : rows of the answer that could not be read, when it was given just now
    trouble : why no new answer came, where the state is STALE
    """

    state: AnswerState
    value: T | None
    asked_at: str
    from_cache: bool
    n_unread: int = 0
    trouble: ArchiveUnreachableError | None = None


@dataclass(frozen=True)
class Question(Generic[T]):
    """
    One question.

    Attributes
    ----------
    tic_id : the star it is about; None for a name
    words : what is asked; what changes the answer stands in them, and the answer is kept under them
    service : the part of the archive that answers
    ask : puts it
    read : the answer from its kept JSON value
    also : words of a question whose kept answer may serve, too
    serves : whether it does
    """

    tic_id: int | None
    words: str
    service: str
    ask: Callable[[MastConnection], T]
    read: Callable[[Any], T]
    also: str = ""
    serves: Callable[[T], bool] = lambda value: True


@dataclass
class Questioner:
    """
    Asks, within what a run may.

    Attributes
    ----------
    answers : what is kept
    connect : gives the archive; called when something is asked
    require_time : raises when the run has taken as long as it may
    offline : answer from the cache alone
    refresh : ask again what is kept
    keep_answers : keep what the archive answers
    progress : called before each question
    silence : which services gave no answer
    """

    answers: AnswerCache
    connect: Callable[[], MastConnection]
    require_time: Callable[[], None]
    offline: bool
    refresh: bool
    keep_answers: bool
    progress: ProgressCallback
    silence: Silence = field(default_factory=Silence)
    _asked: set[tuple[int | None, str]] = field(default_factory=set)

    def put(self, question: Question[T]) -> Answered[T]:
        """
        The kept answer, or a new one; a question is asked once a run, however often it comes up.

        Raises
        ------
        TargetNotFoundError, NameResolutionError
            If the archive says, or said, that there is no such thing.
        ArchiveUnreachableError
            If no usable answer came and none is kept.
        """
        again = self.refresh and (question.tic_id, question.words) not in self._asked and not self.offline
        if not again and (kept := self._kept(question)) is not None:
            return kept
        if self.offline:
            return Answered(AnswerState.SKIPPED, None, "", from_cache=False)
        try:
            return self._ask(question)
        except ArchiveUnreachableError as error:
            kept = self._kept_in_trouble(question) if again else None
            if kept is None:
                raise
            return Answered(AnswerState.STALE, kept.value, kept.asked_at, from_cache=True, trouble=error)

    def _kept(self, question: Question[T]) -> Answered[T] | None:
        """The kept answer; one that a version with other fields kept is none."""
        for words in filter(None, (question.words, question.also)):
            kept = self.answers.get(question.tic_id, words)
            if kept is not None and kept.state is AnswerState.NOT_FOUND:
                raise _not_found(kept)
            if kept is None:
                continue
            try:
                value = question.read(kept.value)
            except (TypeError, ValueError, KeyError):
                continue
            if words == question.words or question.serves(value):
                return Answered(kept.state, value, kept.asked_at, from_cache=True)
        return None

    def _kept_in_trouble(self, question: Question[T]) -> Answered[T] | None:
        """The kept answer where no new one came; an old word that there is no such thing is none then."""
        try:
            return self._kept(question)
        except MASTClientError:
            return None

    def _ask(self, question: Question[T]) -> Answered[T]:
        """Ask now; how it ends is noted, so that a host that is silent is left in peace."""
        if self.silence.is_over_all:
            raise ArchiveUnreachableError(
                "Not asked, because the archive did not answer before in this run.",
                hint="Try again later.",
                state=self.silence.state,
                service=question.service,
                tries=0,
            )
        self.require_time()
        words = f"asking MAST: {question.words}"
        self.progress(DownloadProgress(DownloadPhase.SEARCHING, words, question.tic_id or 0))
        asked_at = utc_now()
        mast = self.connect()
        unread = mast.unread_rows.total()
        try:
            value = question.ask(mast)
        except (TargetNotFoundError, NameResolutionError) as error:
            self.silence.note(question.service, AnswerState.NOT_FOUND)
            self._keep(question, Answer(AnswerState.NOT_FOUND, asked_at, _words_of(error)))
            raise
        except ArchiveUnreachableError as error:
            self.silence.note(question.service, error.state)
            raise
        state = AnswerState.EMPTY if value == () else AnswerState.OK
        self.silence.note(question.service, state)
        self._keep(question, Answer(state, asked_at, _plain(value)))
        return Answered(state, value, asked_at, from_cache=False, n_unread=mast.unread_rows.total() - unread)

    def _keep(self, question: Question[T], answer: Answer) -> None:
        if self.keep_answers:
            self.answers.put(question.tic_id, question.words, answer)
        self._asked.add((question.tic_id, question.words))


def _words_of(error: MASTClientError) -> dict[str, Any]:
    """An error that is knowledge (there is no such thing) as JSON values."""
    return {"named": isinstance(error, NameResolutionError), "message": error.message, "hint": error.hint}


def _not_found(kept: Answer) -> MASTClientError:
    """The same error again, saying when the archive said so."""
    words = kept.value if isinstance(kept.value, dict) else {}
    kind = NameResolutionError if words.get("named") else TargetNotFoundError
    when = f" (asked {kept.asked_at}; --refresh asks again)"
    return kind(f"{words.get('message', 'There is no such target.')}{when}", hint=str(words.get("hint", "")))


def _plain(value: Any) -> Any:
    """An answer as JSON values."""
    return [asdict(item) for item in value] if isinstance(value, tuple) else asdict(value)
