"""What the pages are started with: from the service as JSON, so that a broken configuration does not keep them down."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tagsight.plan import WebPlan
from tagsight_explain.language import ENGLISH


@dataclass(frozen=True, slots=True)
class Start:
    """Everything that a process of the pages needs to know.

    Attributes:
        data: the data folder.
        settings: as configured.
        file: the configuration; None without one.
        language: of what operators read.
    """

    data: Path
    settings: WebPlan
    file: Path | None = None
    language: str = ENGLISH

    def text(self) -> str:
        """For the command line of the process."""
        file = str(self.file.absolute()) if self.file is not None else None
        return json.dumps({"settings": asdict(self.settings), "file": file, "language": self.language})

    @classmethod
    def of(cls, data: str, text: str) -> "Start":
        """From the command line of the process."""
        given = json.loads(text)
        settings = given["settings"] | {"frames": tuple(given["settings"]["frames"])}
        file = Path(given["file"]) if given["file"] else None
        return cls(Path(data), WebPlan(**settings), file, given["language"])
