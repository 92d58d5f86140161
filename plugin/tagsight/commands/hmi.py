"""`tagsight hmi`: displays and tag lists for the HMI that operators already have."""

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tagsight.commands.options import Command, data_option, file_argument
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from tagsight.plan import Plan
    from tagsight.tag_list import ListedTag


def _web_origin(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    from tagsight.hmi.addresses import is_web_origin

    if value and not is_web_origin(value):
        raise click.BadParameter("Write https://HOST:PORT, as operators' browsers reach the pages.")
    return value.rstrip("/")


def web_option(function: Command) -> Command:
    """`--web URL`: where the pages are."""
    words = "Where HMIs reach the pages: adds addresses of faceplates."
    option = click.option("--web", default="", metavar="https://HOST:8443", callback=_web_origin, help=words)
    return option(function)


def _listed(file: Path, data: DataFolder) -> "tuple[Plan, list[ListedTag]]":
    from tagsight.configuration import load
    from tagsight.tag_list import known_outputs, known_roles, listed_tags

    plan = load(file)
    return plan, list(listed_tags(plan, known_roles(data.ledger), known_outputs(data.ledger)))


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


@click.group(help="Write displays and tag lists for the HMI that operators already have.")
def command() -> None:
    """The group."""


@command.command(help="A project for FUXA: devices, tags, an overview and a faceplate for each model.")
@file_argument
@data_option
@web_option
@click.option("--host", default="", help="Name or address by which FUXA reaches TagSight; default: where it listens.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file, not to the screen.")
def fuxa(file: Path, data: DataFolder, web: str, host: str, out: Path | None) -> None:
    """Reads the configuration and the ledger; connects to nothing."""
    from tagsight.hmi.fuxa import project

    plan, tags = _listed(file, data)
    text = _json(project(plan, tags, host=host, web=web))
    if out is None:
        sys.stdout.write(text)
        return
    out.write_text(text, encoding="utf-8")
    click.echo(f"wrote {out}; in FUXA: Edit > Open project, then set user and security of the device")


@command.command(help="For Ignition: tags.json to be imported, and a Perspective view.")
@file_argument
@data_option
@web_option
@click.option(
    "--server", default="TagSight", show_default=True, help="Name of the OPC connection in Ignition's gateway."
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("tagsight-ignition"), show_default=True,
    help="Folder to write into.",
)  # fmt: skip
def ignition(file: Path, data: DataFolder, web: str, server: str, out: Path) -> None:
    """Reads the configuration and the ledger; connects to nothing."""
    from tagsight.hmi.ignition import tags_file
    from tagsight.hmi.perspective import RESOURCE, VIEW, view

    _plan, tags = _listed(file, data)
    folder = out / VIEW
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        out / "tags.json": tags_file(tags, server),
        folder / "view.json": view(web),
        folder / "resource.json": RESOURCE,
    }
    for path, content in files.items():
        path.write_text(_json(content), encoding="utf-8")
        click.echo(f"wrote {path}")


@command.command("csv", help="For any other HMI: as `tagsight tags --csv`, with the addresses of faceplates.")
@file_argument
@data_option
@web_option
def tag_list(file: Path, data: DataFolder, web: str) -> None:
    """Reads the configuration and the ledger; connects to nothing."""
    from tagsight.hmi.addresses import lines_with_pages
    from tagsight.tag_list import HEADER

    _plan, tags = _listed(file, data)
    csv.writer(sys.stdout, lineterminator="\n").writerows([(*HEADER, "faceplate"), *lines_with_pages(tags, web)])
