"""`tagsight check`: every fault of a configuration, or what it means."""

from pathlib import Path

import click

from tagsight.commands.options import file_argument


@click.command(help="Report every fault of a configuration; connects to nothing.")
@file_argument
@click.pass_context
def command(context: click.Context, file: Path) -> None:
    """Exit code 2 on faults."""
    from tagsight.configuration import check_file
    from tagsight.summary import summary

    checked = check_file(file)
    if checked.plan is None:
        count = len(checked.faults)
        click.echo(f"{file}: {count} fault{'s' if count != 1 else ''}", err=True)
        for fault in checked.faults:
            click.echo(f"  {fault}", err=True)
        context.exit(2)
    for line in summary(checked.plan):
        click.echo(line)
    for warning in checked.warnings:
        click.echo(f"warning: {warning}", err=True)
