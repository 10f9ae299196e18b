"""Entry point of `btv-report` and `python -m btv_report`."""

from __future__ import annotations

import sys

from btv_report import exit_codes


def main() -> None:
    """Run the command line; an interruption outside a command's own care ends with its code too."""
    try:
        import click

        from btv_report.cli.main import cli

        try:
            code = cli.main(prog_name="btv-report", standalone_mode=False)
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except click.Abort:
            code = exit_codes.INTERRUPTED
    except KeyboardInterrupt:
        code = exit_codes.INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    main()
