"""The schema of the store: ordered SQL scripts, each committed together with the row that says it was."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from btv_report._version import __version__

if TYPE_CHECKING:
    import duckdb

_CREATE_VERSIONS = """
CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY, name VARCHAR NOT NULL, made_by VARCHAR);
COMMENT ON TABLE schema_version IS 'The scripts that made this schema';
COMMENT ON COLUMN schema_version.version IS 'Number of the script, from 1';
COMMENT ON COLUMN schema_version.name IS 'Name of the script';
COMMENT ON COLUMN schema_version.made_by IS 'Version of btv-report that ran it';
"""


@dataclass(frozen=True)
class Migration:
    """One script: `version` counts from 1 without gaps, `name` says what it brings."""

    version: int
    name: str
    sql: str


def packaged_migrations() -> tuple[Migration, ...]:
    """The scripts `schema/<version>_<name>.sql` of this package, in order."""
    found = []
    for file in resources.files("btv_report.store").joinpath("schema").iterdir():
        match = re.fullmatch(r"([0-9]{4})_(\w+)\.sql", file.name)
        if match:
            found.append(Migration(int(match.group(1)), match.group(2), file.read_text(encoding="utf-8")))
    return tuple(sorted(found, key=lambda migration: migration.version))


def newest_version() -> int:
    """Version of the schema that this program makes and reads."""
    return packaged_migrations()[-1].version


def migrate(connection: duckdb.DuckDBPyConnection, migrations: Sequence[Migration]) -> list[Migration]:
    """
    Bring a database to the newest schema.

    Each script commits together with its row in `schema_version`, so a crash leaves the schema of some version, whole.

    Returns
    -------
    list of Migration
        The scripts that ran.
    """
    connection.execute(_CREATE_VERSIONS)
    done = {row[0] for row in connection.execute("SELECT version FROM schema_version").fetchall()}
    pending = [migration for migration in migrations if migration.version not in done]
    for migration in pending:
        connection.execute("BEGIN")
        try:
            connection.execute(migration.sql)
            row = [migration.version, migration.name, __version__]
            connection.execute("INSERT INTO schema_version VALUES (?, ?, ?)", row)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    return pending
