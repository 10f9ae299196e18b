"""Typed access to a TOML table: every complaint is a sentence that names the file and the key."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

from btv_report.errors import LocalEnvironmentError, UsageError


class TomlTable:
    """
    One table of a TOML file, read key by key; `finish` refuses the keys that nobody asked for.

    Parameters
    ----------
    values : dict
        The parsed table.
    path : Path
        File it came from, for messages.
    name : str
        Where the table stands, such as `sectors[0]`; empty for the file itself.
    """

    def __init__(self, values: dict[str, Any], path: Path, name: str = "") -> None:
        self._values = dict(values)
        self._asked: set[str] = set()
        self.path = path
        self.name = name

    @classmethod
    def read(cls, path: Path) -> TomlTable:
        """
        Parse a TOML file.

        Raises
        ------
        LocalEnvironmentError
            If the file cannot be read.
        UsageError
            If it is not TOML.
        """
        try:
            content = path.read_bytes()
        except IsADirectoryError as error:
            raise UsageError(
                f"{path} is a folder, not a scene file.", hint="Name the .toml file in it.", path=path
            ) from error
        except FileNotFoundError as error:
            raise UsageError(f"There is no scene file {path}.", hint="Check the path.", path=path) from error
        except OSError as error:
            raise LocalEnvironmentError(
                f"The scene file {path} cannot be read ({error.strerror}).", hint="Check its permissions.", path=path
            ) from error
        try:
            return cls(tomllib.loads(content.decode("utf-8")), path)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                f"The scene file {path} is not valid TOML: {error}.", hint="Correct that place.", path=path
            ) from error

    def error(self, key: str, problem: str, hint: str = "Compare with the scenes in examples/scenes.") -> UsageError:
        """Make the error that says what is wrong with a key of this table."""
        where = ".".join(part for part in (self.name, key) if part)
        return UsageError(f"Scene file {self.path}, key `{where}`: {problem}.", hint=hint, path=self.path)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def _get(self, key: str, default: Any) -> Any:
        self._asked.add(key)
        value = self._values.get(key, default)
        if value is None:
            raise self.error(key, "it is missing")
        return value

    def number(
        self,
        key: str,
        default: float | None = None,
        *,
        at_least: float = -math.inf,
        at_most: float = math.inf,
        above: float = -math.inf,
    ) -> float:
        """Read a finite number within [at_least, at_most], and above `above`; required when `default` is None."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.error(key, f"{value!r} is not a finite number")
        if value <= above:
            raise self.error(key, f"{value:g} is not above {above:g}")
        if not at_least <= value <= at_most:
            low = max(at_least, above)
            limits = f"at least {low:g}" if at_most == math.inf else f"between {low:g} and {at_most:g}"
            raise self.error(key, f"{value:g} is not {limits}")
        return float(value)

    def optional_number(self, key: str, **limits: float) -> float | None:
        """Read a number, or None when the key is absent."""
        return self.number(key, **limits) if key in self else None

    def integer(self, key: str, default: int | None = None, *, at_least: int, at_most: int) -> int:
        """Read an integer within [at_least, at_most]; required when `default` is None."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(key, f"{value!r} is not an integer")
        if not at_least <= value <= at_most:
            raise self.error(key, f"{value} is not between {at_least} and {at_most}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Read a printable ASCII text that is not empty: it goes into FITS headers, which hold nothing else."""
        value = self._get(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f"{value!r} is not a text")
        if not (value.isascii() and value.isprintable()):
            raise self.error(key, f"{value!r} holds characters that a FITS header cannot")
        return value.strip()

    def integers(self, key: str, *, at_least: int, at_most: int) -> tuple[int, ...]:
        """Read a list of integers that is not empty."""
        values = self._get(key, None)
        if not isinstance(values, list) or not values:
            raise self.error(key, f"{values!r} is not a list of integers")
        for value in values:
            if isinstance(value, bool) or not isinstance(value, int) or not at_least <= value <= at_most:
                raise self.error(key, f"{value!r} is not an integer between {at_least} and {at_most}")
        return tuple(values)

    def table(self, key: str) -> TomlTable:
        """Open a sub-table; an absent one is empty, so that its defaults hold and its required keys are missed."""
        self._asked.add(key)
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            raise self.error(key, f"write it as a table, [{key}]")
        return TomlTable(value, self.path, ".".join(part for part in (self.name, key) if part))

    def tables(self, key: str) -> tuple[TomlTable, ...]:
        """Open an array of tables; an absent one is empty."""
        self._asked.add(key)
        values = self._values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self.error(key, f"write it as an array of tables, [[{key}]]")
        return tuple(TomlTable(value, self.path, f"{key}[{index}]") for index, value in enumerate(values))

    def finish(self) -> None:
        """Refuse keys that nobody asked for: a misspelt key would silently be a default."""
        unknown = sorted(set(self._values) - self._asked)
        if unknown:
            raise self.error(unknown[0], "there is no such key", f"Known here: {', '.join(sorted(self._asked))}.")
