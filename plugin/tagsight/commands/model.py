"""`tagsight model`: which trained models there are, what they are worth, and which of them run."""

import getpass
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option
from tagsight.data_folder import DataFolder
from tagsight_explain.language import ENGLISH, languages

if TYPE_CHECKING:
    from tagsight_models.model_register import ModelRegister

name_argument = click.argument("name", metavar="ASSET/MODEL")


@click.group(help="List, show, approve and roll back trained models.")
def command() -> None:
    """The group."""


@command.command("list")
@data_option
def list_models(data: DataFolder) -> None:
    """List all models with their versions; the one that runs is marked."""
    register = _register(data)
    names = register.names()
    if not names:
        click.echo("no models yet: `tagsight train FILE` makes the first")
    for name in names:
        approved = register.approved(name)
        for version in register.versions(name):
            click.echo(f"{name}\t{version}\t{_state(register, name, version, runs=version == approved)}")


@command.command()
@name_argument
@click.option("--version", "version", type=click.IntRange(min=1), help="Which; default: the one that runs.")
@data_option
def show(name: str, version: int | None, data: DataFolder) -> None:
    """Show the card of a model: data, limit, comparison, what it cannot see."""
    from tagsight.averages import in_words

    register = _register(data)
    chosen = version or register.approved(name) or (register.versions(name) or [1])[-1]
    card = register.card(name, chosen)
    runs = chosen == register.approved(name)
    click.echo(f"Model          {name}, version {chosen}{', runs' if runs else ''}")
    click.echo(card.words())
    if read := in_words(card.gates, card.grid_ns):
        click.echo(f"Inputs read    {read}")
    if runs and (drifted := _drift(data, name)):
        click.echo(f"Now            {drifted}")
    if (page := register.page(name, chosen)).is_file():
        click.echo(f"Page           {page}")
    for approval in register.approvals(name).history:
        done = "rolled back to" if approval.rollback else "approved"
        click.echo(f"History        {done} {approval.version} by {approval.who}")


@command.command()
@name_argument
@click.option("--version", "version", type=click.IntRange(min=1), help="Which; default: the one that runs.")
@click.option("--language", "code", type=click.Choice(languages()), default=ENGLISH, show_default=True)
@data_option
def page(name: str, version: int | None, code: str, data: DataFolder) -> None:
    """Tell where the page of a model is: structure, weights, what matters.

    Where it is missing it is written anew, without what only the training data can show.
    """
    from tagsight.model_page import Named, model_page
    from tagsight_models.model_store import ModelStore

    store = ModelStore(data.models, data.signing_key)
    chosen = version or store.approved(name) or (store.versions(name) or [1])[-1]
    target = store.page(name, chosen)
    if not target.is_file():
        loaded = store.load(name, chosen)
        text = model_page(loaded.model, loaded.card, None, Named(name, chosen, code))
        target.write_text(text, encoding="utf-8", newline="\n")
    click.echo(str(target))


@command.command()
@name_argument
@click.argument("version", type=click.IntRange(min=1))
@data_option
def approve(name: str, version: int, data: DataFolder) -> None:
    """Let a version run from the next scoring on."""
    _register(data).approve(name, version, getpass.getuser())
    click.echo(f"{name}: version {version} runs from the next scoring on")


@command.command()
@name_argument
@data_option
def compare(name: str, data: DataFolder) -> None:
    """Compare the newest version, in the shadow, with the one that runs: alarms of both on the same live data."""
    from tagsight.clocks import SystemClock
    from tagsight.ledger.ledger import Ledger
    from tagsight.promotion import challenge

    register = _register(data)
    found = None
    if data.ledger.exists():
        with Ledger.open_reader(data.ledger, SystemClock()) as ledger:
            found = challenge(ledger, register, name)
    if found is None:
        click.echo(f"{name}: no later version waits in the shadow")
        return
    one = found.contest
    click.echo(f"{name}: version {found.champion} runs, version {found.challenger} in its shadow")
    click.echo(f"Together       {one.scores} scores in {one.days:.1f} days")
    click.echo(f"Alarms         {one.champion} of version {found.champion}, {one.challenger} of {found.challenger}")
    click.echo(f"Called true    {one.true_alarms}: {one.true_found[0]} and {one.true_found[1]} of them found")
    click.echo(f"Verdict        {one.verdict}")
    if found.against:
        click.echo(f"Against it     {found.against}")
    click.echo(
        f"To let it run: `tagsight model approve {name} {found.challenger}`; back: `tagsight model rollback {name}`"
    )


@command.command()
@name_argument
@data_option
def rollback(name: str, data: DataFolder) -> None:
    """Go back to the version that was approved before."""
    version = _register(data).rollback(name, getpass.getuser())
    click.echo(f"{name}: version {version} runs from the next scoring on")


def _drift(data: DataFolder, name: str) -> str:
    from tagsight.clocks import SystemClock
    from tagsight.drift_outputs import drift_line
    from tagsight.ledger.ledger import Ledger

    if not data.ledger.exists():
        return ""
    with Ledger.open_reader(data.ledger, SystemClock()) as ledger:
        return drift_line(ledger, name)


def _register(data: DataFolder) -> "ModelRegister":
    from tagsight_models.model_register import ModelRegister

    return ModelRegister(data.models, data.signing_key)


def _state(register: "ModelRegister", name: str, version: int, *, runs: bool) -> str:
    from tagsight_models.errors import ModelFileDamaged

    try:
        card = register.card(name, version)
    except ModelFileDamaged as error:
        return f"damaged: {error.cause}"
    words = ["runs" if runs else "stands by", *(["trial"] if card.trial else [])]
    return ", ".join([*words, card.provisional]) if card.provisional else ", ".join(words)
