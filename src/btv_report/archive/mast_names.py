"""What a target's text means, and which star answers to a name or position; nobody guesses among several."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from btv_report.archive.mast_types import NearbyMatch, ResolvedTarget, TicStar
from btv_report.errors import (
    AmbiguousTargetError,
    FetchError,
    NameResolutionError,
    TargetNotFoundError,
    UsageError,
)
from btv_report.targets import MAX_TIC_ID

if TYPE_CHECKING:
    from btv_report.archive.mast_session import MastConnection

MATCH_RADIUS_ARCSEC = 10.0
MAX_TEXT = 120
MAX_LISTED = 12
_TIC = re.compile(r"(?:TIC(?:\s+|[_-])?)?0*(\d{1,11})", re.IGNORECASE | re.ASCII)
_LIKE_TIC = re.compile(r"TIC[\s_-]*(\d|$)", re.IGNORECASE | re.ASCII)
_TOI = re.compile(r"TOI[\s_-]*(\d{1,6})(?:\.(\d{1,2}))?", re.IGNORECASE | re.ASCII)
_NUMBER = r"[+-]?\d+(?:\.\d*)?"
_DEGREES = re.compile(rf"({_NUMBER})\s*[,\s]\s*({_NUMBER})", re.ASCII)
_SEXAGESIMAL = re.compile(
    r"(\d{1,2})[:h\s]\s*(\d{1,2})[:m\s]\s*(\d{1,2}(?:\.\d*)?)s?\s*[,\s]\s*"
    r"([+-]?)(\d{1,2})[:d°\s]\s*(\d{1,2})[:m'′\s]\s*(\d{1,2}(?:\.\d*)?)[s\"″]?",
    re.IGNORECASE | re.ASCII,
)
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f/\\]|\.\.")
_WITHOUT_NAMES = "Give `TIC n`, which needs no name service, or try again later."
_EXAMPLES = (
    "Write `TIC 365938305`, `TOI-1262`, a name such as `pi Men`, or a position such as `12:02:54.4 +74:03:39.6`."
)


@dataclass(frozen=True)
class TargetQuery:
    """
    What a text asks for: exactly one of number, position and name.

    Attributes
    ----------
    text : as given, blanks folded
    tic_id : for `TIC n` and bare numbers: a bare number is always a TIC number
    position_deg : RA and Dec, degrees
    name : for everything else, such as `pi Men` or `TOI-1262`
    toi : the TOI number of a name that is one, such as `1262` or `1262.01`
    """

    text: str
    tic_id: int | None = None
    position_deg: tuple[float, float] | None = None
    name: str | None = None
    toi: str | None = None


def parse_target(text: str) -> TargetQuery:
    """
    Read a target as a user types it.

    Raises
    ------
    UsageError
        If it can be none: empty, too long, with path or control characters, or a number or position out of range.
    """
    words = " ".join(text.split())
    if not words or len(words) > MAX_TEXT or _FORBIDDEN.search(text.strip()):
        raise UsageError(f"{text[:MAX_TEXT]!r} is no name of a target.", hint=_EXAMPLES)
    if match := _TIC.fullmatch(words):
        number = int(match[1])
        if not 0 < number < MAX_TIC_ID:
            raise UsageError(f"{words!r} is no TIC number.", hint=_EXAMPLES)
        return TargetQuery(words, tic_id=number)
    if _LIKE_TIC.match(words):
        raise UsageError(f"{words!r} is no TIC number.", hint=_EXAMPLES)
    if match := _TOI.fullmatch(words):
        toi = match[1] if match[2] is None else f"{match[1]}.{match[2]}"
        return TargetQuery(words, name=f"TOI-{match[1]}", toi=toi)
    position = _position(words)
    if position is not None:
        return TargetQuery(words, position_deg=position)
    if not any(letter.isalpha() for letter in words):
        raise UsageError(f"{words!r} is neither a TIC number nor a position.", hint=_EXAMPLES)
    return TargetQuery(words, name=words)


def _position(words: str) -> tuple[float, float] | None:
    """RA and Dec in degrees of a text that is a position; None where it is none."""
    if match := _SEXAGESIMAL.fullmatch(words):
        hours, minutes, seconds = (float(match[i]) for i in (1, 2, 3))
        sign = -1.0 if match[4] == "-" else 1.0
        degrees, arcmin, arcsec = (float(match[i]) for i in (5, 6, 7))
        if max(minutes, seconds, arcmin, arcsec) >= 60:
            raise UsageError(f"{words!r} is no position: minutes and seconds end at 60.", hint=_EXAMPLES)
        ra_deg = 15 * (hours + minutes / 60 + seconds / 3600)
        dec_deg = sign * (degrees + arcmin / 60 + arcsec / 3600)
    elif match := _DEGREES.fullmatch(words):
        ra_deg, dec_deg = float(match[1]), float(match[2])
    else:
        return None
    if not (0 <= ra_deg < 360 and -90 <= dec_deg <= 90):
        raise UsageError(
            f"{words!r} is no position: right ascension lies in 0 ... 360, declination in -90 ... 90 degrees.",
            hint=_EXAMPLES,
        )
    return ra_deg, dec_deg


def resolve(
    mast: MastConnection,
    query: TargetQuery,
    *,
    radius_arcsec: float = MATCH_RADIUS_ARCSEC,
    accept_nearest: bool = False,
) -> ResolvedTarget:
    """
    The star that a name or position stands for.

    Raises
    ------
    NameResolutionError
        If nobody knows the name.
    TargetNotFoundError
        If no star lies within the radius.
    AmbiguousTargetError
        If several do, and the nearest is not to be accepted.
    ArchiveUnreachableError
        If no usable answer came.
    """
    from btv_report.archive.mast_catalogue import stars_around

    if query.tic_id is not None:
        return ResolvedTarget(query.tic_id, query.text, 0.0)
    ra_deg, dec_deg = query.position_deg or look_up_name(mast, query)
    around = stars_around(mast, ra_deg, dec_deg, radius_arcsec)
    stars = [star for star in around if star.is_own_star]
    if not stars:
        raise TargetNotFoundError(
            f"The TESS Input Catalog has no star within {radius_arcsec:g} arcsec of {query.text} "
            f"({ra_deg:.5f}, {dec_deg:+.5f} degrees).",
            hint="Check the position, or give `TIC n`.",
        )
    matches = tuple(NearbyMatch(star.tic_id, star.separation_arcsec or 0.0, star.tmag) for star in stars)
    if len(matches) > 1 and not accept_nearest:
        raise _ambiguous(query, radius_arcsec, matches)
    return _resolved(query, radius_arcsec, stars[0], matches, _aside(around))


def _resolved(
    query: TargetQuery, radius_arcsec: float, star: TicStar, matches: tuple[NearbyMatch, ...], aside: str
) -> ResolvedTarget:
    doubts = []
    if len(matches) > 1:
        others = ", ".join(
            f"TIC {match.tic_id} at {match.separation_arcsec:.1f} arcsec" for match in matches[1:MAX_LISTED]
        )
        doubts.append(
            f"{len(matches)} stars lie within {radius_arcsec:g} arcsec of {query.text}; the nearest, TIC {star.tic_id}, was "
            f"accepted (--accept-nearest), not {others}."
        )
    if query.toi is not None:
        doubts.append(
            f"TOI {query.toi} was identified by its position, not by its number: TIC {star.tic_id} is the star there."
        )
    if aside:
        doubts.append(aside)
    return ResolvedTarget(
        star.tic_id,
        query.text,
        star.separation_arcsec or 0.0,
        star.ra,
        star.dec,
        star.tmag,
        " ".join(doubts) or None,
        matches,
        len(matches) > 1,
    )


def _aside(around: tuple[TicStar, ...]) -> str:
    """Names the rows that are no stars of their own."""
    marked = [f"TIC {star.tic_id} ({(star.disposition or '').lower()})" for star in around if not star.is_own_star]
    return f"The TIC marks as no stars of their own: {', '.join(marked[:MAX_LISTED])}." if marked else ""


def _ambiguous(query: TargetQuery, radius_arcsec: float, matches: tuple[NearbyMatch, ...]) -> AmbiguousTargetError:
    listed = "; ".join(
        f"TIC {match.tic_id} at {match.separation_arcsec:.1f} arcsec, "
        + (f"Tmag {match.tmag:.2f}" if match.tmag is not None else "Tmag unknown")
        for match in matches[:MAX_LISTED]
    )
    more = f"; and {len(matches) - MAX_LISTED} more" if len(matches) > MAX_LISTED else ""
    return AmbiguousTargetError(
        f"{len(matches)} stars lie within {radius_arcsec:g} arcsec of {query.text}: {listed}{more}.",
        hint=f"Give the one you mean, such as `btv-report TIC {matches[0].tic_id}`, or --accept-nearest.",
        matches=[(match.tic_id, match.separation_arcsec, match.tmag) for match in matches],
    )


def look_up_name(mast: MastConnection, query: TargetQuery) -> tuple[float, float]:
    """
    The position that MAST's name service gives for a name, degrees.

    Raises
    ------
    NameResolutionError
        If it knows none.
    ArchiveUnreachableError
        If no usable answer came.
    """
    from btv_report.archive.attempt import AttemptError

    question = {
        "service": "Mast.Name.Lookup",
        "params": {"input": query.name or query.text, "format": "json"},
        "format": "json",
    }
    limits = mast.session.limits
    tries = 1
    try:
        answer = mast.fetcher.to_bytes(
            f"{mast.base_url}/api/v0/invoke",
            method="POST",
            data={"request": json.dumps(question)},
            limit_bytes=limits.json_bytes,
            deadline_s=limits.table_deadline_s,
        )
        tries = answer.tries
        places = _places(answer.content or b"")
    except FetchError as error:
        trouble = AttemptError(error.state, error.message, again=False, hint=_WITHOUT_NAMES)
        raise mast.no_answer("name service", trouble, error.tries) from error
    except AttemptError as error:
        trouble = AttemptError(error.state, error.words, again=False, hint=_WITHOUT_NAMES)
        raise mast.no_answer("name service", trouble, tries) from error
    if not places:
        raise NameResolutionError(
            f"MAST's name service does not know {query.text!r}.",
            hint="Check the spelling, or give `TIC n` or a position.",
        )
    return places[0]


def _places(content: bytes) -> list[tuple[float, float]]:
    """
    The positions in an answer of the name service, the one it holds for best first; none only where it says so.

    Raises
    ------
    AttemptError
        If it is no answer: an error, a promise, another form. None of them means that the name is unknown.
    """
    from btv_report.archive.mast_answers import as_object, no_form, require_no_error

    answer = as_object(content)
    require_no_error(answer)
    listed = answer.get("resolvedCoordinate")
    if not isinstance(listed, list):
        raise no_form("a list of positions is missing")
    try:
        places = [(float(place["ra"]), float(place["decl"])) for place in listed]
    except (ValueError, TypeError, LookupError):
        raise no_form("a position is no pair of numbers") from None
    if not all(0 <= ra_deg < 360 and -90 <= dec_deg <= 90 for ra_deg, dec_deg in places):
        raise no_form("a position is not on the sky")
    return places
