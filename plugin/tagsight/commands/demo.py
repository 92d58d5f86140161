"""`tagsight demo`: everything against an embedded plant, over real OPC UA."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

import click


@click.command()
@click.option("--once", is_flag=True, help="Run through, check what was seen, end with one line; 6 if it failed.")
@click.option("--data", "folder", type=click.Path(file_okay=False, path_type=Path),
              help="Keep everything in this folder, which must be empty; default: a temporary one.")  # fmt: skip
def command(folder: Path | None, *, once: bool) -> None:
    """Run everything against an embedded plant: history, training, live scores, a fault, its alarm."""
    from tagsight.errors import NotReady

    if folder is not None and folder.exists() and any(folder.iterdir()):
        msg = f"{folder} is not empty"
        raise NotReady(msg, "Give an empty folder, or none for a temporary one.")
    with contextlib.ExitStack() as stack:
        if folder is None:
            temporary = tempfile.TemporaryDirectory(prefix="tagsight-demo-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(temporary))
        folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(_play(folder.resolve(), once=once))


async def _play(folder: Path, *, once: bool) -> None:
    from rich.console import Console

    from tagsight.clocks import SystemClock
    from tagsight.commands.demo_screen import DemoScreen
    from tagsight.demo.play import Play
    from tagsight.platform import install_stop_signals

    screen = DemoScreen(Console())
    play = Play(folder, screen, SystemClock())
    task = asyncio.create_task(play.run(once=once))

    def stop() -> None:
        task.cancel()

    install_stop_signals(asyncio.get_running_loop(), stop)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    finally:
        screen.close()
    if once and not task.cancelled():
        click.echo(play.summary())
