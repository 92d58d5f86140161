"""Options and arguments that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tagsight.data_folder import DataFolder
from tagsight.platform import default_data_folder

Command = TypeVar("Command", bound=Callable[..., Any])


def _as_data_folder(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> DataFolder:
    return DataFolder(value or default_data_folder())


def data_option(function: Command) -> Command:
    """`--data DIR`: gives the command a `data: DataFolder` (not yet created)."""
    option = click.option(
        "--data",
        "data",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="TAGSIGHT_DATA",
        callback=_as_data_folder,
        help="Folder of ledger, models, certificates, logs; default: the user's application data.",
    )
    return option(function)


def file_argument(function: Command) -> Command:
    """`[FILE]`: gives the command a `file: Path` of a configuration; default `tagsight.yaml`."""
    argument = click.argument(
        "file", type=click.Path(dir_okay=False, path_type=Path), default=Path("tagsight.yaml"), required=False
    )
    return argument(function)
