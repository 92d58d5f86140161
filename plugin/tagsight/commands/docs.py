"""`tagsight docs`: the generated files of `docs/`. For developers; not shown in the help."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import click


@click.command(help="Write the generated reference files.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("docs"))
def command(folder: Path) -> None:
    """Writes the files that a test compares with the committed ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in generated_files().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
        click.echo(f"wrote {folder / name}")


def generated_files() -> dict[str, str]:
    """Name in `docs/` -> content."""
    from tagsight.documentation import json_schema, reference_page, sample

    return {
        "configuration.md": reference_page(),
        "sample.yaml": sample(),
        "tagsight.schema.json": json_schema(),
        "commands.md": commands_page(),
    }


def commands_page() -> str:
    """`docs/commands.md`, from the commands themselves."""
    from tagsight.__main__ import COMMANDS, Verbosity, cli

    lines = ["# Commands", "", "Generated; `tagsight docs` writes this page anew. `FILE` is a configuration.",
             "`--data DIR` (or the environment variable `TAGSIGHT_DATA`) names the folder of ledger, models,",
             "certificates and logs. Exit codes: 0 done, 1 unexpected, 2 configuration or usage, 3 not allowed,",
             "4 something must be there first, 5 storage, 6 a check failed, 7 historian, 8 model.", ""]  # fmt: skip
    with click.Context(cli, info_name="tagsight", obj=Verbosity()) as top:
        for name, listed in COMMANDS.items():
            if listed.hidden or importlib.util.find_spec(f"tagsight.commands.{listed.module}") is None:
                continue
            found = cli.get_command(top, name)
            if found is not None:
                lines += _of_command(found, name, top)
    return "\n".join(lines)


def _of_command(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    with click.Context(command, info_name=name, parent=parent, max_content_width=100, terminal_width=100) as context:
        yield from (f"## {context.command_path}", "", "```text", command.get_help(context), "```", "")
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                found = command.get_command(context, inner)
                if found is not None and not found.hidden:
                    yield from _of_command(found, inner, context)
