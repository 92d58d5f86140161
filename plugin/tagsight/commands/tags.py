"""`tagsight tags`: the output tags, for import into a historian or an HMI."""

import csv
import sys
from pathlib import Path

import click

from tagsight.commands.options import data_option, file_argument
from tagsight.data_folder import DataFolder


@click.command(help="List the output tags, for import into a historian or HMI.")
@file_argument
@data_option
@click.option("--csv", "as_csv", is_flag=True, help="As CSV: name, NodeId, type, unit, range, description, access.")
def command(file: Path, data: DataFolder, *, as_csv: bool) -> None:
    """Reads the configuration and, for outputs per role, the ledger; connects to nothing."""
    from tagsight.configuration import load
    from tagsight.tag_list import HEADER, known_outputs, known_roles, tag_lines

    lines = tag_lines(load(file), known_roles(data.ledger), known_outputs(data.ledger))
    if as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows([HEADER, *lines])
        return
    for name, node_id, kind, unit, *_ in lines:
        click.echo(f"{name}  {kind}{' ' + unit if unit else ''}  {node_id}")
