import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tagsight_models.networks.registry import network
from tagsight_models.training import FitSettings, Fitted, fit
from tagsight_models.training_state import Snapshot, TrainingState, fingerprint, forget

KEPT = FitSettings(epochs=6, patience=6, batch=16, rate=1e-3, seed=3, at_most_seconds=600.0, kept_every_seconds=0.0)


class Killed(Exception):
    pass


def windows(seed: int, rows: int) -> tuple[Tensor, Tensor]:
    inputs = torch.randn(rows, 8, 3, generator=torch.Generator().manual_seed(seed))
    return inputs, inputs[:, -1, :1] * inputs[:, 0, 1:2]


def loss(made: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.mse_loss(made(inputs), targets)


def jitter(inputs: Tensor, targets: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    return inputs + 0.1 * torch.randn(inputs.shape, generator=random), targets


def run(settings: FitSettings, *, kill_after: int = 10**9, seed: int = 0) -> tuple[nn.Module, Fitted, int]:
    """A fit with dropout and augmentation; also how many epochs it ran itself."""
    made = network("tcn", 8, 3, 1, seed, channels=6, dropout=0.3)
    calls = 0

    def progress(_share: float, words: str) -> None:
        nonlocal calls
        calls += not words.startswith("epoch 0")
        if calls > kill_after:
            raise Killed

    fitted = fit(made, loss, windows(1, 64), windows(2, 32), settings, progress=progress, augment=jitter)
    return made, fitted, calls


def weights(made: nn.Module) -> bytes:
    return b"".join(value.numpy().tobytes() for value in made.state_dict().values())


def without_seconds(fitted: Fitted) -> Fitted:
    return replace(fitted, seconds=0.0)


@pytest.mark.parametrize("kill_after", [1, 2, 5])
def test_a_killed_fit_goes_on_and_ends_with_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, kill_after: int
) -> None:
    whole, wanted, _ = run(KEPT)
    with pytest.raises(Killed):
        run(replace(KEPT, kept_in=tmp_path), kill_after=kill_after)
    made, fitted, epochs = run(replace(KEPT, kept_in=tmp_path))
    assert wanted.best_epoch == KEPT.epochs  # so the weights are those of the last epoch
    assert weights(made) == weights(whole)
    assert without_seconds(fitted) == without_seconds(wanted)
    assert epochs == KEPT.epochs - (kill_after + 1)


def test_a_process_that_dies_leaves_what_the_next_one_goes_on_from(tmp_path: Path) -> None:
    dying = (
        "import os, sys, torch; torch.set_num_threads(int(sys.argv[4])); sys.path.insert(0, sys.argv[1])\n"
        "import test_training_state as own; from dataclasses import replace; from pathlib import Path\n"
        "class Killed(Exception):\n    def __init__(self): os._exit(9)\n"
        "own.Killed = Killed\n"
        "own.run(replace(own.KEPT, kept_in=Path(sys.argv[2])), kill_after=int(sys.argv[3]))\n"
    )
    here, threads = str(Path(__file__).parent), str(torch.get_num_threads())
    done = subprocess.run([sys.executable, "-c", dying, here, str(tmp_path), "3", threads], check=False, env=os.environ)
    assert done.returncode == 9
    made, _, epochs = run(replace(KEPT, kept_in=tmp_path))
    assert weights(made) == weights(run(KEPT)[0])
    assert epochs == KEPT.epochs - 4


def test_a_finished_fit_is_not_done_again(tmp_path: Path) -> None:
    first, wanted, _ = run(replace(KEPT, kept_in=tmp_path))
    again, fitted, epochs = run(replace(KEPT, kept_in=tmp_path))
    assert epochs == 0
    assert weights(again) == weights(first)
    assert without_seconds(fitted) == without_seconds(wanted)


@pytest.mark.parametrize(
    "other", [replace(KEPT, seed=4), replace(KEPT, rate=2e-3), replace(KEPT, epochs=7)], ids=["seed", "rate", "epochs"]
)
def test_what_was_kept_of_other_settings_is_ignored(tmp_path: Path, other: FitSettings) -> None:
    run(replace(KEPT, kept_in=tmp_path))
    made, _, epochs = run(replace(other, kept_in=tmp_path))
    assert epochs == other.epochs
    assert weights(made) == weights(run(other)[0])


def test_what_was_kept_of_other_first_weights_is_ignored(tmp_path: Path) -> None:
    run(replace(KEPT, kept_in=tmp_path))
    assert run(replace(KEPT, kept_in=tmp_path), seed=1)[2] == KEPT.epochs


def test_a_damaged_file_is_ignored(tmp_path: Path) -> None:
    run(replace(KEPT, kept_in=tmp_path))
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:200])
    made, _, epochs = run(replace(KEPT, kept_in=tmp_path))
    assert epochs == KEPT.epochs
    assert weights(made) == weights(run(KEPT)[0])


def test_a_fit_leaves_the_random_numbers_of_its_caller_alone_when_it_goes_on(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(replace(KEPT, kept_in=tmp_path), kill_after=2)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run(replace(KEPT, kept_in=tmp_path))
    torch.testing.assert_close(torch.rand(3), expected)


def test_time_spent_before_the_kill_counts(tmp_path: Path) -> None:
    settings = replace(KEPT, epochs=1000, patience=1000, at_most_seconds=50.0, kept_in=tmp_path)
    with pytest.raises(Killed):
        run(settings, kill_after=2)
    (path,) = tmp_path.iterdir()
    state = TrainingState(tmp_path, path.stem)
    before = state.read()
    assert before is not None
    state.write(replace(before, said={**before.said, "seconds": 51.0}))
    _, fitted, epochs = run(settings)
    assert fitted.stopped_by_time
    assert epochs <= 2


def test_a_snapshot_is_due_only_after_its_time(tmp_path: Path) -> None:
    now = [100.0]
    state = TrainingState(tmp_path, "one", now=lambda: now[-1], every_seconds=3.0)
    before = state.due
    now.append(103.0)
    assert (before, state.due) == (False, True)
    state.write(Snapshot({}, {}, {}, {}, {}))
    assert not state.due


def test_nothing_is_read_where_nothing_was_kept(tmp_path: Path) -> None:
    assert TrainingState(tmp_path / "none", "one").read() is None


def test_a_disk_that_takes_nothing_does_not_end_a_fit(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    made, _, epochs = run(replace(KEPT, kept_in=in_the_way / "state"))
    assert epochs == KEPT.epochs
    assert weights(made) == weights(run(KEPT)[0])


def test_what_was_kept_can_be_forgotten(tmp_path: Path) -> None:
    run(replace(KEPT, kept_in=tmp_path / "state"))
    forget(tmp_path / "state")
    forget(tmp_path / "state")
    forget(None)
    assert not (tmp_path / "state").exists()


def test_a_fingerprint_tells_texts_and_tensors_apart() -> None:
    one = torch.zeros(2)
    assert len({fingerprint(parts) for parts in ([one], [one.double()], [one, one], ["ab", "c"], ["a", "bc"])}) == 5
