"""
What is held of a target, as its manifest says; changed answer by answer, and written when something was asked.

The manifest is complete over all calls: a narrower one adds to it and takes nothing away.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from btv_report.answer_states import AnswerState
from btv_report.archive.stored_files import hash_file
from btv_report.atomic import rename_durable, sentences, write_atomic
from btv_report.errors import ProductCorruptError
from btv_report.exofop.asking.answers import Asked
from btv_report.exofop.asking.endpoints import FILES, SUMMARIES, TARGET_FILE, TOI_TABLE
from btv_report.exofop.cache import TargetFolder, is_below
from btv_report.exofop.manifest import MANIFEST_SCHEMA_VERSION, parse_manifest
from btv_report.exofop.payloads.file_names import shown_name
from btv_report.exofop.types import ExoFopFileRow, ExoFopTarget
from btv_report.utc import utc_now

FINAL = frozenset({AnswerState.OK, AnswerState.EMPTY, AnswerState.NOT_FOUND})
"""Knowledge; every other state is asked again by the next run."""

_OF_BYTES = ("path", "sha256", "bytes")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ROW_FIELDS = ("file_id", "filename", "type", "toi", "date_utc", "user", "group", "tag", "description")


class Holdings:
    """
    The manifest of one tree while it is worked on.

    Parameters
    ----------
    folder : the tree
    tic_id : the target
    base_url : where answers come from; what another host has answered is not held here

    Attributes
    ----------
    target : the star, as far as it is known
    answers : service to its answer, as in the manifest
    files : File ID to its entry, as in the manifest
    auth : what the manifest says of the login
    answered : services that answered in this call, and File IDs whose bytes came in it
    warnings : sentences of this call
    withdrawn : those about what ExoFOP does not list any more; it may be restricted now, so they go on no page
    other_host : whose answers the manifest holds that lies in the tree, where it is another's; nothing of them is taken
    """

    def __init__(self, folder: TargetFolder, tic_id: int, base_url: str) -> None:
        self.folder = folder
        self.base_url = base_url
        self.target = ExoFopTarget(tic_id)
        self.answers: dict[str, dict[str, Any]] = {}
        self.files: dict[int, dict[str, Any]] = {}
        self.auth: dict[str, Any] = {"cookie_jar_used": folder.private}
        self.answered: set[str | int] = set()
        self.warnings: list[str] = []
        self.withdrawn: list[str] = []
        self.generated_at: str | None = None
        self.other_host: str | None = None
        self._is_damaged = False
        self._load()
        self._written = self._words()

    def _load(self) -> None:
        """Read the manifest; of one that cannot be read nothing is taken."""
        path = self.folder.manifest_path
        with sentences("read", path):
            if not path.exists():
                return
        try:
            content = parse_manifest(path, tic_id=self.target.tic_id)
        except ProductCorruptError as error:
            self._is_damaged = True
            self.warnings.append(f"{error.message} Nothing of what it says is taken.")
            return
        host = content["sources"].get("base_url")
        if host != self.base_url:
            self.other_host = str(host)
            self.warnings.append(
                f"The manifest of TIC {self.target.tic_id} holds answers of another host, {shown_name(self.other_host)}; "
                "nothing of them is taken."
            )
            return
        stated = content["target"]
        aliases = {str(name): str(value) for name, value in (stated.get("aliases") or {}).items()}
        self.target = ExoFopTarget(self.target.tic_id, stated.get("toi"), aliases)
        self.answers = {name: _believed(answer) for name, answer in content["answers"].items()}
        self.files = {entry["file_id"]: _believed(entry) for entry in content["files"]}
        self.auth = {**content["auth"], "cookie_jar_used": self.folder.private}
        self.generated_at = content.get("generated_at")

    def put_aside(self) -> None:
        """Give a manifest that cannot be read another name, before a new one takes its place. Call it under the target's lock."""
        if self._is_damaged:
            path = self.folder.manifest_path
            aside = path.with_name(f"manifest-damaged-{_name_of(path)}.json")
            rename_durable(path, aside)
            self._is_damaged = False
            self.warnings.append(f"The manifest was put aside as {aside.name}, and everything is asked again.")

    def make_way(self) -> None:
        """Give another host's manifest another name, as soon as there is knowledge to take its place."""
        if self.other_host is not None:
            path = self.folder.manifest_path
            digest = hashlib.sha256(self.other_host.encode("utf-8", "surrogatepass")).hexdigest()
            aside = path.with_name(f"manifest-{digest[:12]}.json")
            rename_durable(path, aside)
            self.other_host = None
            self.warnings.append(
                f"It was put aside as {aside.name}; bytes that are replaced since are kept beside the new ones."
            )

    @property
    def holds_manifest(self) -> bool:
        """Whether no manifest lies in the tree but that of what is held here."""
        return not (self._is_damaged or self.other_host)

    # Answers.

    def state_of(self, name: str) -> AnswerState | None:
        """How a service's last question ended; None where it was never asked."""
        answer = self.answers.get(name)
        return AnswerState(answer["state"]) if answer else None

    def kept_answer(self, name: str, file: str, *, limit_bytes: int) -> bytes | None:
        """The last good answer of a service as it came; None where there is none, or its bytes have changed."""
        answer = self.answers.get(name, {})
        return self.folder.read(file, answer.get("sha256"), limit_bytes=limit_bytes)

    def had_something(self, name: str) -> bool:
        """Whether a service has given rows, or the page of the star, before."""
        old = self.answers.get(name, {})
        return bool(old.get("n_rows", "sha256" in old))

    def empty_since(self, name: str) -> str:
        """Since when a service that had given rows has answered without any, and nothing else; empty where it has not."""
        return str(self.answers.get(name, {}).get("empty_since", ""))

    def answered_at(self, name: str) -> str:
        """When a service gave what is held of it, UTC, ISO to the second; empty where nothing is."""
        old = self.answers.get(name, {})
        return str(old.get("answered_at", old.get("asked_at", "")))

    def note_answer(self, asked: Asked, file: str, *, is_proven: bool = False) -> AnswerState:
        """
        Take an answer down, and keep its bytes.

        A question that went wrong leaves an older good answer where it is; the state says then that it is old. So does "nothing"
        after there was something, unless it is proven: a busy server answers like that, too.

        Returns
        -------
        AnswerState
            As it was taken down.
        """
        entry: dict[str, Any] = {"state": str(asked.state), "asked_at": asked.asked_at}
        if asked.http_status is not None:
            entry["http_status"] = asked.http_status
        if asked.words:
            entry["detail"] = asked.words
        old = self.answers.get(asked.endpoint, {})
        is_loss = asked.state is not AnswerState.OK and self.had_something(asked.endpoint) and not is_proven
        if asked.state in FINAL and not is_loss:
            entry |= self._new_answer(asked, file, old)
        elif self.folder.restore({**old, "path": file}):
            entry |= _old_answer(asked, old)
        elif asked.state is AnswerState.EMPTY:
            words = f"nothing came where there were {old['n_rows']} rows, and those are not in the cache any more"
            entry |= {"state": str(AnswerState.THROTTLED), "detail": words}
        self.answers[asked.endpoint] = entry
        if asked.state is AnswerState.OK and entry.get("sha256") != old.get("sha256"):
            self.save()  # whoever reads in between, or is killed, finds the bytes that the manifest tells of
        return AnswerState(entry["state"])

    def _new_answer(self, asked: Asked, file: str, old: Mapping[str, Any]) -> dict[str, Any]:
        """Put an answer's bytes in their place; what the manifest says of them."""
        self.make_way()
        self.answered.add(asked.endpoint)
        older = self._older_answers(asked, file, old)
        new: dict[str, Any] = {}
        if asked.content:
            new |= {"sha256": self.folder.keep(file, asked.content), "bytes": len(asked.content)}
        if asked.table is not None:
            new |= {"n_rows": len(asked.table.rows), "n_rejected": len(asked.table.rejected)}
        return new | ({"superseded": older} if older else {})

    def _older_answers(self, asked: Asked, file: str, old: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What is kept of answers that are replaced by another one."""
        older = list(old.get("superseded", []))
        sha256 = old.get("sha256")
        new = hashlib.sha256(asked.content).hexdigest()
        if sha256 is None and asked.content:
            self.folder.keep_stranger(file, new)
        if sha256 in {None, new}:
            return older
        kept = self.folder.supersede({**old, "path": file})
        if kept is None:
            return older
        return [*older, {"path": kept, "sha256": sha256, "bytes": old["bytes"], "replaced_at": asked.asked_at}]

    # Files.

    def note_row(self, row: ExoFopFileRow) -> dict[str, Any]:
        """The entry of a file with what its row says now; a new one where there was none."""
        entry = self.files.setdefault(row.file_id, {"file_id": row.file_id})
        entry |= {name: getattr(row, name) for name in _ROW_FIELDS}
        return entry

    def note_absent(self, listed: Iterable[int]) -> list[int]:
        """Mark the files that the list does not name any more; they stay. Gives those that are new among them."""
        known = set(listed)
        gone = []
        for file_id, entry in self.files.items():
            if file_id not in known and entry.get("listed", True):
                entry["listed"] = False
                gone.append(file_id)
            elif file_id in known:
                entry.pop("listed", None)
        return sorted(gone)

    # The manifest.

    def save(self) -> None:
        """
        Write the manifest if anything has changed; same holdings, same bytes but for the time.

        That of another host stays where it is while nothing is known that could take its place.
        """
        if self.other_host is not None:
            return
        words = self._words()
        if words == self._written and self.folder.manifest_path.exists():
            return
        self._written = words
        self.generated_at = utc_now()
        data = json.dumps(self.as_manifest(), ensure_ascii=False, allow_nan=False, indent=1).encode() + b"\n"
        write_atomic(self.folder.manifest_path, data, private=True)

    def _words(self) -> str:
        """What the manifest says, but for the time and what was said on the way."""
        content = self.as_manifest()
        return json.dumps([content[name] for name in ("target", "auth", "answers", "files")], sort_keys=True)

    def as_manifest(self) -> dict[str, Any]:
        """The manifest, schema version 1."""
        answers = {name: self.answers[name] for name in sorted(self.answers)}
        return {
            "schema_version": MANIFEST_SCHEMA_VERSION,
            "generated_at": self.generated_at,
            "target": {"tic_id": self.target.tic_id, "toi": self.target.toi, "aliases": self.target.aliases},
            "auth": self.auth,
            "sources": {"base_url": self.base_url, "endpoints": sorted({*answers, *self._sources()})},
            "filelist": {"path": FILES.file, **_count_of(self.answers.get(FILES.name, {}))},
            "summaries": {
                endpoint.table: endpoint.file
                for endpoint in (*SUMMARIES, TOI_TABLE)
                if "sha256" in self.answers.get(endpoint.name, {})
            },
            "target_json": TARGET_FILE if "sha256" in self.answers.get("target.php", {}) else None,
            "files": [self.files[file_id] for file_id in sorted(self.files)],
            "answers": answers,
            "warnings": [*self.warnings, *self.withdrawn],
            "errors": self.errors(),
        }

    def _sources(self) -> set[str]:
        """Services that files came from."""
        return {entry["source"] for entry in self.files.values() if "source" in entry}

    def errors(self) -> list[str]:
        """A sentence for each answer and file that leaves a gap."""
        answers = [(name, self.answers[name]) for name in sorted(self.answers)]
        files = [
            (f"File {number} ({shown_name(self.files[number]['filename'])})", self.files[number])
            for number in sorted(self.files)
            if self.files[number].get("listed", True)
        ]
        return [
            f"{what}: {_why(entry)}."
            for what, entry in (*answers, *files)
            if AnswerState(entry.get("state", AnswerState.SKIPPED)).is_gap
        ]


def _old_answer(asked: Asked, old: Mapping[str, Any]) -> dict[str, Any]:
    """What the manifest says of an answer that is kept, because the last question did not bring a better one."""
    names = ("sha256", "bytes", "n_rows", "n_rejected", "superseded")
    answered_at = old.get("answered_at", old.get("asked_at"))
    words = f"{asked.state}: {asked.words}" if asked.words else str(asked.state)
    kept = {name: old[name] for name in names if name in old}
    if asked.state is AnswerState.EMPTY:
        since = old.get("empty_since", asked.asked_at)
        kept["empty_since"] = since
        words = f"nothing came since {since}, which is believed once it has lasted a day and is confirmed"
    return kept | {
        "state": str(AnswerState.STALE),
        "last_state": str(asked.state),
        "answered_at": answered_at,
        "detail": f"{words}; the answer of {answered_at} is kept",
    }


def _count_of(answer: Mapping[str, Any]) -> dict[str, int]:
    """How many rows there are; nothing where that is not known, which is not the same as none."""
    is_known = "n_rows" in answer and answer["state"] in {AnswerState.OK, AnswerState.EMPTY, AnswerState.STALE}
    return {"n_rows": answer["n_rows"]} if is_known else {}


def _why(entry: Mapping[str, Any]) -> str:
    return f"{entry['state']}, {entry['detail']}" if entry.get("detail") else str(entry["state"])


def _believed(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A file or answer without what it says of its bytes, where that is senseless or leads out of the tree: it is asked again."""
    path, older = entry.get("path", ""), entry.get("superseded", [])
    is_sound = _names_bytes(entry) and isinstance(path, str) and is_below(path)
    has_older = isinstance(older, list) and all(isinstance(old, dict) and _names_bytes(old) for old in older)
    doubted = {*(() if is_sound else _OF_BYTES), *(() if has_older else ("superseded",))}
    return {name: value for name, value in entry.items() if name not in doubted}


def _names_bytes(entry: Mapping[str, Any]) -> bool:
    sha256, n_bytes = entry.get("sha256"), entry.get("bytes")
    return isinstance(sha256, str) and bool(_SHA256.fullmatch(sha256)) and isinstance(n_bytes, int)


def _name_of(path: Any) -> str:
    """A short name by the bytes, so that two damaged manifests do not meet."""
    try:
        return hash_file(path)[0][:12]
    except OSError:  # a link or a folder
        return hashlib.sha256(utc_now().encode()).hexdigest()[:12]
