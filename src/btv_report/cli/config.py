"""`btv-report config`: every setting, its value, and where it comes from."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from btv_report.cli.outcome import errors_become_sentences, printable
from btv_report.cli.workspaces import settings_folder


@click.command("config")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.option(
    "--workspace", type=click.Path(path_type=Path, readable=False), metavar="DIR", help="Whose btv-report.toml is read."
)
def config_command(*, as_json: bool, workspace: Path | None) -> None:
    """
    Show every setting, its value and where it comes from: a variable, btv-report.toml, or the default.

    A flag of the command line counts more than any of them. Nothing is written, no socket is opened. A value that no command
    can use is marked.
    """
    with errors_become_sentences():
        from btv_report.settings import load_settings, shown
        from btv_report.settings_doubts import doubts

        values = load_settings(os.environ, settings_folder(workspace))
        wrong = doubts(values)
        if as_json:
            answer = {
                value.setting.name: {
                    "value": shown(value),
                    "origin": value.origin,
                    "variable": value.setting.variable,
                    "meaning": value.setting.meaning,
                    **({"problem": wrong[value.setting.name]} if value.setting.name in wrong else {}),
                }
                for value in values
            }
            click.echo(json.dumps({"schema_version": 1, "settings": answer}))
        else:
            width = max(len(value.setting.name) for value in values)
            remarks = {name: f"  CANNOT BE USED: {sentence}" for name, sentence in wrong.items()}
            lines = [
                f"{value.setting.name:<{width}}  {shown(value)}  ({value.origin}){remarks.get(value.setting.name, '')}"
                for value in values
            ]
            click.echo(printable("\n".join(lines)))
