"""The command group: `report` is what runs when no other command is named. Commands are imported when they are used."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

import click

from btv_report._version import __version__

DEFAULT_COMMAND = "report"
# name -> (module and attribute, one line for --help); a command's module is imported only when it runs
COMMANDS = {
    "report": ("btv_report.cli.report:report_command", "Make the dossier of a target (the default command)."),
    "demo": ("btv_report.cli.demo:demo_command", "Make the dossiers of four simulated scenes; no network, no data."),
    "check": ("btv_report.cli.check:check_command", "Run the pixel checks on files; nothing is written."),
    "simulate": ("btv_report.cli.simulate:simulate_command", "Write a simulated star as FITS files."),
    "calibrate": (
        "btv_report.cli.calibrate:calibrate_command",
        "Hold the checks against injected truth: the truth tables.",
    ),
    "dv": ("btv_report.cli.dv:dv_command", "Fit the difference images of SPOC DV reports beside SPOC's own answers."),
    "exofop": (
        "btv_report.cli.exofop:exofop_group",
        "Fetch what observers have uploaded to ExoFOP: files, tables, notes.",
    ),
    "cache": ("btv_report.cli.cache:cache_group", "List and clean the cache of fetched products."),
    "config": ("btv_report.cli.config:config_command", "Show every setting, its value and where it comes from."),
    "doctor": ("btv_report.cli.doctor:doctor_command", "Check this machine: versions, folders, rights, disk, network."),
    "render": ("btv_report.cli.render:render_command", "Render the site again from the store."),
    "store": ("btv_report.cli.store:store_group", "Look after the DuckDB store."),
    "verify": ("btv_report.cli.verify:verify_command", "Hold records, ledger, store and site against each other."),
}
OWN_OPTIONS = {"--help", "-h", "--version"}


class CommandGroup(click.Group):
    """A group whose commands are imported on use, and whose unnamed command is `report`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - a slip in the table above
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `report` before anything that is neither a command nor an option of the group."""
        if args and args[0] not in COMMANDS and args[0] not in OWN_OPTIONS:
            _refuse_slip(args)
            args = [DEFAULT_COMMAND, *args]
        return super().parse_args(ctx, args)


def _refuse_slip(args: list[str]) -> None:
    """A lone word that is nearly a command is a slip, and no star's name to ask the archive about."""
    word = args[0]
    if not word.isalpha() or (len(args) > 1 and not args[1].startswith("-")):
        return
    near = get_close_matches(word.lower(), list(COMMANDS), n=1, cutoff=0.75)
    if near:
        raise click.UsageError(f"{word!r} is no command. Did you mean `btv-report {near[0]}`?")


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 a bug, 2 usage, 3 dossier with gaps, 4 nothing usable, 5 damaged data, "
    "6 disk, permission or lock, 130 interrupted.",
)
@click.version_option(__version__, prog_name="btv-report")
def cli() -> None:
    """
    Make one dossier of a TESS planet candidate: pixel checks, provenance, a page that opens anywhere.

    \b
    Examples:
      btv-report demo
      btv-report TIC 188646744 --mirror ~/tess --offline
      btv-report 188646744 --mirror ~/tess --period 14.2423724 --epoch 3540.26317 --duration 4.046
    """
