import warnings
from pathlib import Path

import pytest
import torch

from tagsight_models.errors import TrainingInterrupted
from tagsight_models.networks.leave_role_out import LeaveRoleOut
from tagsight_models.training import FitSettings, Fitted, Progress, expectation_loss, fit

Pair = tuple[torch.Tensor, torch.Tensor]


def square(rows: int, seed: int) -> Pair:
    """Role 1 is the square of role 0."""
    first = torch.randn(rows, 1, generator=torch.Generator().manual_seed(seed))
    values = torch.cat([first, first**2], dim=1)
    return values, values


def quiet(_share: float, _words: str) -> None:
    """No progress."""


def run(settings: FitSettings, progress: Progress = quiet) -> tuple[LeaveRoleOut, Fitted]:
    network = LeaveRoleOut(roles=2, lags=1, hidden=8, seed=settings.seed)
    return network, fit(
        network, expectation_loss(torch.ones(2)), square(2000, 0), square(500, 1), settings, progress=progress
    )


def test_a_network_learns_what_is_not_linear() -> None:
    _, fitted = run(FitSettings(epochs=30))
    assert fitted.best_loss < 0.5 * fitted.start_loss
    assert fitted.best_epoch > 0


def test_the_same_data_and_seed_give_the_same_bytes_and_another_seed_others() -> None:
    def weights(seed: int) -> bytes:
        network, _ = run(FitSettings(epochs=3, seed=seed))
        return b"".join(value.numpy().tobytes() for value in network.state_dict().values())

    assert weights(1) == weights(1)
    assert weights(1) != weights(2)


def test_a_time_budget_ends_the_training_with_the_best_so_far() -> None:
    _, fitted = run(FitSettings(epochs=10_000, patience=10_000, at_most_seconds=0.0))
    assert fitted.stopped_by_time
    assert fitted.epochs <= 1


def test_training_stops_when_it_gets_no_better() -> None:
    _, fitted = run(FitSettings(epochs=500, patience=2, rate=0.0))
    assert (fitted.epochs, fitted.best_epoch) == (2, 0)


def test_the_global_random_state_is_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run(FitSettings(epochs=1))
    torch.testing.assert_close(torch.rand(3), expected)


def test_training_writes_nothing_to_disk_or_screen_and_warns_of_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(FitSettings(epochs=1))
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_progress_goes_up_to_the_end() -> None:
    shares: list[float] = []
    run(FitSettings(epochs=5, patience=9), lambda share, _words: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


def test_an_interrupt_says_after_which_epoch() -> None:
    def interrupt(share: float, _words: str) -> None:
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(TrainingInterrupted, match="after epoch 4"):
        run(FitSettings(epochs=10), interrupt)
