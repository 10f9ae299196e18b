"""`btv-report doctor`: is this machine fit for it?"""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from btv_report import exit_codes
from btv_report.cli.outcome import errors_become_sentences, printable, stop
from btv_report.cli.workspaces import find_workspace, settings_folder


@click.command("doctor")
@click.option("--online", is_flag=True, help="Also ask MAST and ExoFOP one small question each; nothing is fetched.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.option(
    "--workspace", type=click.Path(path_type=Path, readable=False), metavar="DIR", help="Which workspace to look at."
)
def doctor_command(*, online: bool, as_json: bool, workspace: Path | None) -> None:
    """
    Check this machine: versions, settings, folders and their rights, free disk, TLS, the store; --online: the archive.

    Nothing is written to workspace or cache. It ends with 0 where all is well, 6 where this machine has a problem, 3 where
    only a service does.
    """
    with errors_become_sentences():
        from btv_report.stages.diagnosis import diagnose

        place, _ = find_workspace(workspace)
        findings = diagnose(place, os.environ, settings_folder(workspace), online=online)
        if as_json:
            answer = [
                {"topic": f.topic, "grade": f.grade, "finding": f.finding, "remedy": f.remedy, "local": f.local}
                for f in findings
            ]
            click.echo(json.dumps({"schema_version": 1, "findings": answer}))
        else:
            width = max(len(finding.topic) for finding in findings)
            for finding in findings:
                remedy = f" {finding.remedy}" if finding.remedy else ""
                line = f"{finding.grade:<7}  {finding.topic:<{width}}  {finding.finding}{remedy}"
                click.echo(printable(line))
    problems = [finding for finding in findings if finding.grade == "problem"]
    if any(finding.local for finding in problems):
        stop(exit_codes.LOCAL_ENVIRONMENT)
    stop(exit_codes.GAPS if problems else exit_codes.DONE)
