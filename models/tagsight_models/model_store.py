"""The models of an installation, to store and to load; cards and approvals are in `model_register`."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from tagsight_models import model_file
from tagsight_models.card import ModelCard
from tagsight_models.errors import ModelFileDamaged, NoSuchModel
from tagsight_models.frame import Floats
from tagsight_models.job_model import JobModel
from tagsight_models.model_register import ModelRegister, sync


@dataclass(frozen=True, slots=True)
class Loaded:
    """A verified model.

    `refused` are newer approved versions that were damaged, in words: record and show them. `normal` are normal windows
    of its training, (m, window_steps, roles); None: it was stored without.
    """

    model: JobModel
    card: ModelCard
    version: int
    refused: tuple[str, ...] = ()
    normal: Floats | None = None


class ModelStore(ModelRegister):
    """A register that stores and loads models too."""

    def add(self, name: str, model: JobModel, card: ModelCard, normal: Floats | None = None) -> int:
        """Store a new version, with normal windows of its training, and return its number. It runs once approved."""
        folder = self.folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        approvals = self.approvals(name)
        version = max([approvals.highest, *self.versions(name)]) + 1
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder, ignore_cleanup_errors=True) as temporary:
            made = Path(temporary) / str(version)
            made.mkdir()
            model_file.write(made, model, card, self.key, name=name, version=version, normal=normal)
            made.rename(folder / str(version))
        sync(folder)
        self.write_approvals(name, replace(approvals, highest=version))
        return version

    def load(self, name: str, version: int) -> Loaded:
        """Load one version, verified.

        Raises:
            NoSuchModel: not there.
            ModelFileDamaged: not as it was written.
        """
        found = model_file.read(self.existing(name, version), self.key, name=name, version=version)
        return Loaded(found.model, found.card, version, normal=found.normal)

    def load_approved(self, name: str) -> Loaded:
        """The approved version; where it is damaged, the one that was approved before it, with what was refused.

        Raises:
            NoSuchModel: none was approved.
            ModelFileDamaged: `approved.json` or every approved version is damaged.
        """
        approvals = self.approvals(name)
        if approvals.current is None:
            msg = f"{name} with an approved version"
            raise NoSuchModel(msg)
        refused: list[str] = []
        for version in self.fallbacks(approvals):
            try:
                return replace(self.load(name, version), refused=tuple(refused))
            except (ModelFileDamaged, NoSuchModel) as error:
                refused.append(str(error))
        raise ModelFileDamaged(str(self.folder(name)), "; ".join(refused))
