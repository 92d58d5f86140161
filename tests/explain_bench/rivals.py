"""Other ways to say which role is to blame: one number for each role of each window, the largest is the most suspect.

Each rival gives numbers for a row; they are read at the last row and as the mean over the newest `RECENT` rows.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from tagsight_models.estimates import expected_everywhere
from tagsight_models.frame import Floats
from tagsight_models.statistics.linear_algebra import Scaling, shrunk_covariance
from tagsight_models.statistics.pca import PcaSpe
from tests.explain_bench.cases import Cases

RECENT: Final = 10
BOUND: Final = 30.0  # standard deviations: farther values would leave the autoencoder's arithmetic
SPARSE: Final = 0.5  # ARCANA's weight between reconstruction and sparseness
ARCANA_STEPS: Final = 300

Rows = Callable[[Cases], Floats]
"""Cases -> shape (cases, RECENT, roles)."""


def _newest(cases: Cases) -> Floats:
    return cases.windows[:, -RECENT:]


def residual_share(cases: Cases) -> Floats:
    """Squared residual of TagSight's own model, in spreads of the residual."""
    spread = cases.model.parameters.scale * cases.model.parameters.spread
    expected = expected_everywhere(cases.model, cases.windows)[:, -RECENT:]
    return np.asarray(((_newest(cases) - expected) / spread) ** 2)


def pca_contributions(cases: Cases) -> Floats:
    """Complete decomposition of the squared prediction error, 90 % of the variance kept."""
    pca = PcaSpe.fit(cases.normal)
    standard = pca.scaling(_newest(cases))
    return np.asarray((standard @ pca.residual @ pca.residual.T) ** 2)


def reconstruction_based(cases: Cases) -> Floats:
    """Alcala and Qin: what the Mahalanobis distance loses at most by moving one role, (Mx)_i^2 / M_ii."""
    scaling = Scaling.of(cases.normal)
    precision = np.linalg.inv(shrunk_covariance(scaling(cases.normal)))
    return np.asarray((scaling(_newest(cases)) @ precision) ** 2 / np.diag(precision))


def arcana(cases: Cases) -> Floats:
    """The sparse correction of the inputs that lets an autoencoder reproduce them, by its size.

    From the description of ARCANA (Roelofs and others, Energy and AI, 2021): for each row x the bias b that minimises
    (1 - a)/2 |x + b - AE(x + b)|^2 + a |b|_1, by Adam from zero.
    """
    scaling = Scaling.of(cases.normal)
    coder = _autoencoder(scaling(cases.normal))
    rows = torch.as_tensor(np.clip(scaling(_newest(cases)), -BOUND, BOUND), dtype=torch.float32)
    bias = torch.zeros_like(rows, requires_grad=True)
    optimizer = torch.optim.Adam([bias], lr=0.05)
    for _ in range(ARCANA_STEPS):
        optimizer.zero_grad()
        moved = rows + bias
        error = ((moved - coder(moved)) ** 2).sum(dim=-1)
        loss = ((1 - SPARSE) / 2 * error + SPARSE * bias.abs().sum(dim=-1)).sum()
        loss.backward()
        optimizer.step()
    return np.asarray(bias.detach().abs().numpy(), dtype=np.float64)


def _autoencoder(normal: Floats) -> nn.Module:
    """Half and a quarter of the roles as hidden sizes; the same recipe for every plant."""
    torch.manual_seed(0)
    roles = normal.shape[1]
    wide, narrow = max(roles // 2, 3), max(roles // 4, 2)
    coder = nn.Sequential(
        nn.Linear(roles, wide), nn.Tanh(), nn.Linear(wide, narrow), nn.Linear(narrow, wide), nn.Tanh(),
        nn.Linear(wide, roles),
    )  # fmt: skip
    rows = torch.as_tensor(normal, dtype=torch.float32)
    optimizer = torch.optim.Adam(coder.parameters(), lr=3e-3)
    for _ in range(60):
        for batch in torch.randperm(len(rows)).split(128):
            optimizer.zero_grad()
            seen: Tensor = rows[batch]
            ((coder(seen) - seen) ** 2).mean().backward()
            optimizer.step()
    return coder.requires_grad_(requires_grad=False)


RIVALS: Final[Mapping[str, Rows]] = {
    "residual share": residual_share,
    "PCA contributions (SPE)": pca_contributions,
    "reconstruction-based, precision matrix": reconstruction_based,
    "ARCANA-style": arcana,
}


def rivals(cases: Cases) -> dict[str, list[Floats]]:
    """Contributions of each case by every rival, in both readings."""
    found = {}
    for name, rows in RIVALS.items():
        each = rows(cases)
        found[f"{name}, last row"] = list(each[:, -1])
        found[f"{name}, {RECENT} rows"] = list(each.mean(axis=1))
    return found
