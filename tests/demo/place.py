"""Where the demo happens: a work folder with the server's storage, settings, a mapping file and the ledger."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from tests.demo.people import Department
from tests.radicale_server import Radicale

ROOT = Path(__file__).parents[2]
MAPPING = Path(__file__).with_name("it-dienstleister.toml")

FB02 = ("fb02", "Fachbereich FB 02")
IT = ("dienstleister", "IT-Dienstleister")
"""The two connectors: their names in the settings, and the titles of their task lists."""


_PORT = re.compile(r"^(\w+_URL=http://127\.0\.0\.1:)(\d+)(/)", re.MULTILINE)


class Busy(Exception):
    """Another demo is at work in this folder."""


class Server(Radicale):
    """The same Radicale as in the tests, but its folder is ours and stays."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        super().__init__()
        self.folder.rmdir()
        self.folder, self.port = folder, port
        folder.mkdir(exist_ok=True)

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._session.close()

    def wait(self) -> None:
        """Wait until the server ends by itself, or we are told to go."""
        assert self._process is not None
        self._process.wait()


class Place:
    """The work folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._storage = self.folder / "radicale"

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Nobody else works here meanwhile. The lock dies with its holder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy(str(self.folder)) from None
            yield

    def wipe(self) -> None:
        """Take away what an earlier demo left, and nothing else."""
        for path in (self.folder / ".env", self.folder / MAPPING.name, *self.folder.glob("bridge.db*")):
            path.unlink(missing_ok=True)
        shutil.rmtree(self._storage, ignore_errors=True)

    @property
    def left(self) -> bool:
        """Whether a demo left its data here."""
        return (self._storage / "data").is_dir() and self.port > 0

    @property
    def port(self) -> int:
        """The port that the settings name; 0 if there are none."""
        try:
            settings = (self.folder / ".env").read_text(encoding="utf-8")
        except FileNotFoundError:
            return 0
        found = _PORT.search(settings)
        return int(found[2]) if found else 0

    def server(self) -> Server:
        """The server of this folder: on the port of last time, if nobody else has taken it meanwhile."""
        return Server(self._storage, self.port if _is_free(self.port) else 0)

    def departments(self, server: Server) -> tuple[Department, Department]:
        """The two task lists on it."""
        return Department(server, *FB02), Department(server, *IT)

    def write_settings(self, server: Server, language: str) -> None:
        """Write the settings, as a person would who followed the example, and the mapping that they name."""
        lines = [
            "# Written by the demo. `make demo` writes it anew.",
            f"BRIDGE_CONNECTORS={FB02[0]},{IT[0]}",
            f"BRIDGE_LANGUAGE={language}",
        ]
        for name, title in (FB02, IT):
            prefix = name.upper()
            lines += [
                "",
                f"{prefix}_TYPE=caldav",
                f"{prefix}_URL={server.url}/",
                f"{prefix}_USER={server.user}",
                f"{prefix}_PASSWORD={server.password}",
                f"{prefix}_COLLECTION={title}",
            ]
        lines += [f"{IT[0].upper()}_MAPPING={MAPPING.name}", ""]
        (self.folder / ".env").write_text("\n".join(lines), encoding="utf-8")
        shutil.copyfile(MAPPING, self.folder / MAPPING.name)

    def move_settings(self, port: int) -> None:
        """Name another port in the settings, and leave what people changed there."""
        path = self.folder / ".env"
        path.write_text(_PORT.sub(rf"\g<1>{port}\g<3>", path.read_text(encoding="utf-8")), encoding="utf-8")

    def shown(self) -> str:
        """The folder as a person in the project's folder would name it."""
        return str(self.folder.relative_to(ROOT)) if self.folder.is_relative_to(ROOT) else str(self.folder)

    def command(self) -> str:
        """How the bridge is called from this folder in a terminal."""
        program = Path(sys.executable).with_name("strategy-bridge")
        if program.is_file():
            return os.path.relpath(program, self.folder)
        return "strategy-bridge"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are just ending do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
