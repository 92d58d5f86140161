"""`tagsight init`: a first configuration file."""

from pathlib import Path

import click

from tagsight.commands.options import file_argument


@click.command(help="Write a first configuration file.")
@file_argument
@click.option(
    "--url", prompt="Address of the historian (opc.tcp://host:4840 or file:export.csv)", help="The historian."
)
@click.option("--user", default="", help="User name at the historian.")
@click.option("--asset", prompt="Name of the machine or unit", help="The machine or unit.")
@click.option("--inputs", multiple=True, help="Path or pattern of tags; may be given more than once.")
@click.option("--running", default="", help="Condition: scores only while it holds.")
@click.option("--timezone", default="", help="Time zone of dates and schedules; default: this machine's.")
def command(
    file: Path, *, url: str, user: str, asset: str, inputs: tuple[str, ...], running: str, timezone: str
) -> None:
    """Never overwrites a file, and writes none that `check` would refuse."""
    from tagsight.configuration import check_text
    from tagsight.errors import ConfigurationError, NotAllowed, StorageError
    from tagsight.first_file import first_file
    from tagsight.platform import local_timezone

    if not inputs:
        inputs = (click.prompt("Tags (path or pattern)", default=f"**/{asset}/*"),)
    text = first_file(url, asset, inputs, user=user, running=running, timezone=timezone or local_timezone())
    checked = check_text(text, file)
    if checked.plan is None:
        raise ConfigurationError(str(file), checked.faults)
    try:
        with file.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise NotAllowed(what=f"{file} exists already", mend="Give another name: `tagsight init FILE`.") from None
    except OSError as error:
        raise StorageError(what=f"{file} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {file}; next: `tagsight check {file}`, `tagsight probe {file}`, `tagsight train {file}`")
