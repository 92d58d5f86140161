"""Options and arguments that several commands share."""

from pathlib import Path
from typing import Any

import click

from tagsight.data_folder import DataFolder
from tagsight.platform import default_data_folder


def _as_data_folder(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> DataFolder:
    return DataFolder(value or default_data_folder())


data_option: Any = click.option(
    "--data",
    "data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="TAGSIGHT_DATA",
    callback=_as_data_folder,
    help="Folder of ledger, models, certificates, logs; default: the user's application data.",
)
"""`--data DIR`: gives the command a `data: DataFolder` (not yet created)."""

file_argument: Any = click.argument(
    "file", type=click.Path(dir_okay=False, path_type=Path), default=Path("tagsight.yaml"), required=False
)
"""`[FILE]`: gives the command a `file: Path` of a configuration; default `tagsight.yaml`."""
