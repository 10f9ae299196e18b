"""Turns errors into sentences and exit codes; the only place that decides how the program ends."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

from btv_report import exit_codes
from btv_report.errors import BtvReportError, LocalEnvironmentError

_LOCAL_ERRNOS = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE,
    errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR,
}  # fmt: skip


def printable(text: str) -> str:
    """Text without control characters, so that a file name or header cannot drive the terminal (newlines are kept)."""
    return "".join(char if char == "\n" or char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def say(text: str) -> None:
    """Tell the story on stderr."""
    click.echo(printable(text), err=True)


def stop(code: int) -> NoReturn:
    """End the program with an exit code."""
    sys.exit(code)


@contextmanager
def errors_become_sentences(
    *, verbose: bool = False, on_error: Callable[[BtvReportError], None] | None = None
) -> Iterator[None]:
    """
    Run a command's body; whatever it raises becomes a sentence on stderr and an exit code of the design.

    `on_error` is called with a deliberate error before the sentence is printed, for commands that answer in JSON.
    """
    try:
        yield
    except BtvReportError as error:
        if on_error is not None:
            on_error(error)
        if verbose:
            say(traceback.format_exc())
        say(f"Error: {error}")
        stop(error.exit_code)
    except KeyboardInterrupt:
        _interrupted()
    except BrokenPipeError:
        # The reader of stdout has gone; what was to be recorded is recorded.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        stop(exit_codes.DONE)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and _current_folder_is_gone():
            say(f"Error: {folder_gone()}")
            stop(exit_codes.LOCAL_ENVIRONMENT)
        if error.errno not in _LOCAL_ERRNOS:
            _bug(verbose=verbose)
        where = f" at {error.filename}" if error.filename else ""
        say(f"Error: {error.strerror}{where}. Free space or change permissions there, then run again.")
        stop(exit_codes.LOCAL_ENVIRONMENT)
    except RuntimeError as error:
        if "home directory" in str(error):  # pathlib, about ~name where nobody has that name
            say("Error: a path begins with `~` and a user who is not known here. Write the whole path.")
            stop(exit_codes.USAGE)
        if "interrupted" not in str(error).lower():  # DuckDB turns Ctrl-C into an error of its own
            _bug(verbose=verbose)
        _interrupted()
    except Exception:  # the edge of the program: a bug is reported as such
        _bug(verbose=verbose)


def folder_gone() -> LocalEnvironmentError:
    """What is said where the folder that we stand in has been removed, and something is to be found from there."""
    return LocalEnvironmentError(
        "The current folder has been removed.", hint="Change into a folder that exists and run the command again."
    )


def _current_folder_is_gone() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - only whether it can be told
    except FileNotFoundError:
        return True
    return False


def _interrupted() -> NoReturn:
    say("Interrupted. What was recorded before stays; the next run finishes what this one had begun to record.")
    stop(exit_codes.INTERRUPTED)


def _bug(*, verbose: bool) -> NoReturn:
    kind = sys.exc_info()[0]
    say(traceback.format_exc() if verbose else f"{kind.__name__ if kind else 'Error'}: {sys.exc_info()[1]}")
    say("Error: this is a bug in btv-report. Please report it with the output of the same command and -v.")
    stop(exit_codes.BUG)
