"""The command line: which commands there are, and how errors end."""

import importlib
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import click

from tagsight import __version__
from tagsight.errors import exit_code_of, mend_of


class Listed(NamedTuple):
    """One command: its module in `tagsight.commands` and the line that `tagsight --help` shows."""

    module: str
    line: str
    hidden: bool = False


COMMANDS: Final[dict[str, Listed]] = {
    "init": Listed("init", "Write a first configuration file."),
    "check": Listed("check", "Report every fault of a configuration; connects to nothing."),
    "probe": Listed("probe", "Connect and examine: certificate, clock, rights, history of each tag."),
    "browse": Listed("browse", "List the tags of a historian."),
    "data": Listed("data", "Tell how good the history is that a training would learn from."),
    "train": Listed("train", "Train models on their history."),
    "rehearse": Listed("rehearse", "Replay history and tell which alarms it would have raised."),
    "explain": Listed("explain", "Tell of any moment of the past, or of a period, what a model says and why."),
    "run": Listed("run", "Run the service: score, explain, write back."),
    "apply": Listed("apply", "Let the running service take over an edited configuration."),
    "status": Listed("status", "Show what the service is doing."),
    "report": Listed("report", "Write the shift report of a period: alarms, figures, availability, drift."),
    "tags": Listed("tags", "List the output tags, for import into a historian or HMI."),
    "hmi": Listed("hmi", "Write displays and tag lists for HMIs: FUXA, Ignition, CSV."),
    "writes": Listed("writes", "Show and accept the tags that TagSight may write to."),
    "trust": Listed("trust", "Show, add and remove trusted certificates."),
    "model": Listed("model", "List, show, approve and roll back trained models."),
    "web": Listed("web", "Serve the pages for engineers and operators; tokens of HMIs."),
    "user": Listed("user", "Add, list and remove users of the tag server and the pages."),
    "password": Listed("password", "Store the password of a historian in the key store."),
    "demo": Listed("demo", "Run everything against an embedded plant."),
    "docs": Listed("docs", "Write the generated reference files.", hidden=True),
}


@dataclass
class Verbosity:
    """What the options before the command say."""

    debug: bool = False


class LazyGroup(click.Group):
    """A group that imports a command only when it is called or its own help is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, D102 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002, D102 - click's
        listed = COMMANDS.get(cmd_name)
        if listed is None:
            return None
        command = importlib.import_module(f"tagsight.commands.{listed.module}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002, D102 - click's
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.line) for name, listed in COMMANDS.items() if not listed.hidden])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tagsight")
@click.option("--debug", is_flag=True, help="Show where in the program an error arose.")
@click.pass_obj
def cli(verbosity: Verbosity, *, debug: bool) -> None:
    """Fault models for an industrial historian: tag histories in, scores and explanations back as tags."""
    verbosity.debug = debug


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code. Errors go to stderr as `error: ...` and their mend."""
    verbosity = Verbosity()
    try:
        result = cli.main(args=list(arguments), prog_name="tagsight", standalone_mode=False, obj=verbosity)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        return 130
    except BrokenPipeError:  # `tagsight tags FILE | head`
        sys.stderr.close()
        return 0
    except Exception as error:  # noqa: BLE001 - the last line before the user: everything ends in words
        _show(error, debug=verbosity.debug)
        return exit_code_of(error)
    return result if isinstance(result, int) else 0


def main() -> None:
    """Entry point of `tagsight` and `python -m tagsight`."""
    from tagsight.platform import forbid_memory_dumps  # noqa: PLC0415 - `tagsight` as a library needs it not

    forbid_memory_dumps()
    sys.exit(run(sys.argv[1:]))


def _show(error: Exception, *, debug: bool) -> None:
    if debug:
        traceback.print_exception(error)
    expected = exit_code_of(error) != 1 or mend_of(error)
    text = str(error) if expected else f"unexpected {type(error).__name__}: {error}"
    mend = mend_of(error) if expected else "`tagsight --debug COMMAND` shows where; please report it."
    click.echo(f"error: {text}", err=True)
    if mend:
        click.echo(f"       {mend}", err=True)


if __name__ == "__main__":
    main()
