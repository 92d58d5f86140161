"""What an engineer would set up before the first start: a configuration, a user, certificates trusted on both sides."""

import secrets
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tagsight.clocks import SECOND
from tagsight.data_folder import DataFolder
from tagsight.demo.historian import HOST, USER, PlantHistorian
from tagsight.demo.plant import HISTORY_MINUTES, UNIT_FOLDER
from tagsight.historians import connection_of
from tagsight.plan import HistorianPlan
from tagsight.secrets import Secrets
from tagsight.users import Users
from tagsight_connectors.connection import Connection
from tagsight_connectors.opcua.session import own_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.serving import UserRole

ASSET: Final = "Reactor"
NAME: Final = "Health"
MODEL: Final = f"{ASSET}/{NAME}"
VIEWER: Final = "viewer"
ON_DELAY_S: Final = 10
EVERY_S: Final = 5


def configuration(url: str, port: int, live_from_ns: int) -> str:
    """The file that the demo runs: an ordinary one, but for its durations."""
    return f"""\
# The demo's plant is recorded with one plant minute stamped as one second, so all durations are short.
timezone: UTC
historian: {{url: "{url}", user: {USER}}}
results: {{to: server, listen: "{HOST}:{port}"}}
models:
  - name: {NAME}
    asset: {ASSET}
    inputs: ["{UNIT_FOLDER}/*"]
    train: {{from: "{_moment(live_from_ns - HISTORY_MINUTES * SECOND)}", to: "{_moment(live_from_ns)}"}}
    score: {{every: {EVERY_S}s, grid: 1s, wait: 2s}}
    alarm: {{at_most: 4 per day, on_delay: {ON_DELAY_S}s, off_delay: {ON_DELAY_S}s}}    # 2 in a plant month
"""


def _moment(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def free_port() -> int:
    """A TCP port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@dataclass
class Site:
    """One installation of TagSight below a folder, and a viewer beside it: the separate OPC UA client."""

    folder: Path
    historian: PlantHistorian
    port: int = field(default_factory=free_port)
    viewer_password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)

    @property
    def data(self) -> DataFolder:
        """TagSight's data folder."""
        return DataFolder(self.folder / "tagsight")

    @property
    def file(self) -> Path:
        """The configuration."""
        return self.folder / "tagsight.yaml"

    @property
    def results_url(self) -> str:
        """Where OPC UA clients read the results."""
        return f"opc.tcp://{HOST}:{self.port}/tagsight/"

    def prepare(self) -> None:
        """Write, add, trust. The historian must be listening."""
        self.data.create()
        url = self.historian.server.url
        self.file.write_text(configuration(url, self.port, self.historian.feed.live_from_ns), encoding="utf-8")
        Users(self.data.users).add(VIEWER, self.viewer_password, UserRole.OPERATOR)
        client = own_certificate(Connection(url, certificates=self.data.certificates))
        TrustList(self.historian.certificates).add(client.certificate)
        TrustList(self.data.certificates).add(self.historian.server.certificate.certificate)
        viewer = own_certificate(self.viewer_connection())
        TrustList(self.data.certificates).add(viewer.certificate)

    def viewer_connection(self) -> Connection:
        """How the viewer connects to TagSight's tag server."""
        return Connection(
            self.results_url, VIEWER, self.viewer_password, certificates=self.folder / "viewer" / "certificates"
        )

    def trust_tag_server(self) -> bool:
        """Let the viewer trust the tag server's certificate; False while that is not made yet."""
        certificate = self.data.certificates / "own" / "server.der"
        if not certificate.exists():
            return False
        TrustList(self.folder / "viewer" / "certificates").add(certificate)
        return True

    def historian_connection(self, plan: HistorianPlan) -> Connection:
        """How TagSight connects to the plant's historian: for the look at its tags before the start."""
        return connection_of(plan, self.data, Secrets(self.data, self.environment()))

    def environment(self) -> dict[str, str]:
        """Passwords for TagSight's processes, as an engineer without a key store gives them."""
        return {"TAGSIGHT_PASSWORD_DEFAULT": self.historian.password}
