"""
Settings that stand in `btv-report.toml` and in `BTV_REPORT_*` variables: flag > variable > file > default.

One table names them all. The command line takes its defaults from here, and `btv-report config` shows where each came from.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from btv_report.archive.cache_folder import named_cache_folder
from btv_report.errors import UsageError

FILE_NAME = "btv-report.toml"
PREFIX = "BTV_REPORT_"
MAX_FILE_BYTES = 1_000_000
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}
_LIST_SEPARATOR = re.compile(r"[,\s]+")
_MANY_DIGITS = 20  # no setting is that long; Python refuses to read thousands of digits
# Greedy, and by text: a password may hold any letter, and an address that cannot be taken apart may still hold one.
_SECRETS = ((re.compile(r"://\S*@"), "://...@"), (re.compile(r"(://[^?#]*)[?#].*"), r"\1?..."))


@dataclass(frozen=True)
class Setting:
    """
    One setting.

    Attributes
    ----------
    name : in the file; the variable is BTV_REPORT_ and the name in capitals
    kind : `flag`, `text`, `number`, `integers`, `texts`, `path` or `paths`; a relative path in the file starts at the file
    parameter : the parameter of `report` that it gives a default to; None where it is no option
    default : in words, for readers
    meaning : a phrase
    in_file : whether it may stand in the file
    """

    name: str
    kind: str
    parameter: str | None
    default: str
    meaning: str
    in_file: bool = True

    @property
    def variable(self) -> str:
        """The environment's name of it."""
        return PREFIX + self.name.upper()


SETTINGS = (
    Setting("mirror", "paths", "mirrors", "none", "folders of FITS files, read before the archive is asked"),
    Setting("offline", "flag", "offline", "no", "open no socket"),
    Setting("refresh", "flag", "refresh", "no", "ask and fetch again what is in the cache"),
    Setting(
        "accept_nearest", "flag", "accept_nearest", "no", "take the nearest of several stars that answer to a name"
    ),
    Setting("sector", "integers", "sectors", "all", "only these sectors"),
    Setting("pipeline", "texts", "pipelines", "all, in the default order", "pipelines, in order of preference"),
    Setting("exptime", "number", "exptime_s", "any, nearest 120 s first", "only this exposure time, seconds"),
    Setting("flux", "text", "flux", "pdcsap", "which flux of the light curves"),
    Setting("quality_mask", "text", "quality_mask", "default (17087)", "cadences with any of these bits are not used"),
    Setting("no_normalise", "flag", "no_normalise", "no", "keep the unit of the file"),
    Setting("neighbours", "path", "neighbours", "none", "table of stars around the target"),
    Setting("prf", "path", "prf", "prf/ in the cache", "folder of TESS PRF files"),
    Setting("no_plot_data", "flag", "no_plot_data", "no", "keep numbers only, no stamps"),
    Setting("no_exofop", "flag", "no_exofop", "no", "leave ExoFOP out"),
    Setting("cookie_jar", "path", "cookie_jar", "none", "login at ExoFOP: a cookie jar of curl or wget"),
    Setting("publish_files", "flag", "publish_files", "no", "copy observers' files into the site"),
    Setting("publish_files_mb", "number", "publish_files_mb", "900", "MB up to which the site takes such copies"),
    Setting("workspace", "text", "workspace", "the current folder", "where records, store and site go", in_file=False),
    Setting(
        "mast_url", "text", None, "https://mast.stsci.edu", "the archive, or a mirror of its services", in_file=False
    ),
    Setting(
        "exofop_url",
        "text",
        None,
        "https://exofop.ipac.caltech.edu/tess/",
        "ExoFOP, or a mirror of its services",
        in_file=False,
    ),
    Setting(
        "cache_dir", "text", None, ".btv-report/cache in the workspace", "where fetched bytes are kept", in_file=False
    ),
)
"""Every setting; a name that is not here is refused in the file and ignored in the environment."""


@dataclass(frozen=True)
class Value:
    """A setting's value and its origin: `default`, `variable NAME` or `file PATH, line N`."""

    setting: Setting
    value: Any
    origin: str


def load_settings(environment: Mapping[str, str], folder: Path) -> tuple[Value, ...]:
    """
    Every setting with its value and origin, command-line flags aside.

    Parameters
    ----------
    environment : variables; one that is set to nothing counts as unset
    folder : where `btv-report.toml` may stand

    Raises
    ------
    UsageError
        If a variable or the file holds what the setting cannot be, or the file holds an unknown name.
    """
    from_file = read_file(folder / FILE_NAME)
    values = []
    for setting in SETTINGS:
        if setting.name == "cache_dir":
            values.append(_cache_dir(setting, environment))
            continue
        given = environment.get(setting.variable)
        if given:
            where = f"The variable {setting.variable}"
            values.append(Value(setting, _from_text(setting, given, where), f"variable {setting.variable}"))
        elif setting.name in from_file:
            values.append(from_file[setting.name])
        else:
            values.append(Value(setting, None, "default"))
    return tuple(values)


def given_to_report(environment: Mapping[str, str], folder: Path) -> dict[str, Value]:
    """What variables or the file give to options of `report`, by the names of its parameters."""
    return {
        value.setting.parameter: value
        for value in load_settings(environment, folder)
        if value.setting.parameter is not None and value.value is not None
    }


def read_file(path: Path) -> dict[str, Value]:
    """
    The settings of a file; none where there is no file.

    Raises
    ------
    UsageError
        If it is no TOML, or holds an unknown name or a value of the wrong kind.
    """
    try:
        if not path.is_file():
            return {}
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"it holds more than {MAX_FILE_BYTES:,} bytes, which no settings need")
        text = content.decode("utf-8")
        table = tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:  # tomllib lets int() and deep nesting speak for themselves
        raise UsageError(
            f"{path} cannot be read: {error}.", hint="Mend the file, or move it away.", path=path
        ) from error
    known = {setting.name: setting for setting in SETTINGS if setting.in_file}
    values = {}
    for name, given in table.items():
        line = _line_of(text, name)
        if name not in known:
            raise _unknown(path, name, line, list(known))
        where = f"{path}, line {line}"
        values[name] = Value(known[name], _from_toml(known[name], given, where, path.parent), f"file {where}")
    return values


def shown(value: Value) -> str:
    """A value as it may be shown: what an address holds of user, password and query is hidden."""
    if value.value is None:
        return value.setting.default
    items = value.value if isinstance(value.value, tuple) else (value.value,)
    words = ["yes" if item is True else "no" if item is False else _without_secrets(str(item)) for item in items]
    return ", ".join(words) or "none"


def _from_text(setting: Setting, text: str, where: str) -> Any:
    """A variable's text as the setting's kind."""
    words = text.strip()
    if setting.kind == "flag":
        if words.lower() not in _TRUE | _FALSE:
            raise _wrong(setting, where, text, "yes or no")
        return words.lower() in _TRUE
    if setting.kind == "number":
        return _number(setting, words, where)
    if setting.kind in {"integers", "texts"}:
        parts = tuple(part for part in _LIST_SEPARATOR.split(words) if part)
        return parts if setting.kind == "texts" else tuple(_integer(setting, part, where) for part in parts)
    if setting.kind == "paths":
        return tuple(_path(setting, part, where, Path()) for part in text.split(":") if part)
    return _path(setting, words, where, Path()) if setting.kind == "path" else words


def _cache_dir(setting: Setting, environment: Mapping[str, str]) -> Value:
    """The cache has two older variables, and its own rule which of them counts."""
    named = named_cache_folder(environment)
    if named is None:
        return Value(setting, None, "default")
    return Value(setting, str(named[0]), f"variable {named[1]}")


def _from_toml(setting: Setting, given: Any, where: str, folder: Path) -> Any:
    """A value of the file as the setting's kind."""
    items = given if isinstance(given, list) else [given]
    if setting.kind == "flag":
        if not isinstance(given, bool):
            raise _wrong(setting, where, given, "true or false")
        return given
    if setting.kind == "number":
        return _number(setting, given, where)
    if setting.kind == "integers":
        return tuple(_integer(setting, item, where) for item in items)
    if setting.kind in {"path", "paths"}:
        paths = tuple(_path(setting, item, where, folder) for item in (items if setting.kind == "paths" else [given]))
        return paths if setting.kind == "paths" else paths[0]
    if setting.kind == "texts":
        if not all(isinstance(item, str) for item in items):
            raise _wrong(setting, where, given, "texts")
        return tuple(items)
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise _wrong(setting, where, given, "a text")
    return str(given)


def _number(setting: Setting, given: Any, where: str) -> float:
    try:
        if isinstance(given, bool) or not math.isfinite(number := float(given)):
            raise TypeError
    except (TypeError, ValueError, OverflowError):
        raise _wrong(setting, where, given, "a number") from None
    return number


def _integer(setting: Setting, given: Any, where: str) -> int:
    text = str(given)
    is_short = not isinstance(given, bool) and text.isascii() and text.isdecimal() and len(text) < _MANY_DIGITS
    if not is_short or not 0 < int(text) < 10_000:
        raise _wrong(setting, where, given, "whole numbers from 1 to 9999")
    return int(text)


def _path(setting: Setting, given: Any, where: str, folder: Path) -> str:
    """A path with `~` as the shell reads it; a relative one starts at `folder`."""
    if not isinstance(given, str) or not given.strip() or not given.isprintable():
        raise _wrong(setting, where, given, "a path")
    try:
        return str(folder / Path(given).expanduser())
    except RuntimeError:  # ~name, and nobody of that name
        raise _wrong(setting, where, given, "a path of a user who exists") from None


def _wrong(setting: Setting, where: str, given: Any, wanted: str) -> UsageError:
    return UsageError(
        f"{where}: {setting.name} is {str(given)[:60]!r}, and {wanted} is due.", hint="`btv-report config` shows all."
    )


def _unknown(path: Path, name: str, line: int, known: list[str]) -> UsageError:
    near = get_close_matches(name, known, n=1)
    also = [setting for setting in SETTINGS if setting.name == name]
    if also:
        hint = f"{name} is given by the variable {also[0].variable} only."
    else:
        hint = f"Did you mean `{near[0]}`?" if near else f"Known names: {', '.join(known)}."
    return UsageError(f"{path}, line {line}: {name[:60]!r} is no setting.", hint=hint, path=path)


def _line_of(text: str, name: str) -> int:
    """The line of a top-level key, counted from 1; 1 where it is written in a way that is not found."""
    pattern = re.compile(rf"""^\s*["']?{re.escape(name)}["']?\s*(=|\.)|^\s*\[+\s*{re.escape(name)}\b""")
    return next((number for number, line in enumerate(text.splitlines(), start=1) if pattern.match(line)), 1)


def _without_secrets(text: str) -> str:
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text
