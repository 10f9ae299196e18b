"""Entry point of `btv-report` and `python -m btv_report`."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from btv_report.cli.main import cli

    cli(prog_name="btv-report")


if __name__ == "__main__":
    main()
