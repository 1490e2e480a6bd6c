"""A real Redmine on loopback, for tests: Debian's packages, SQLite, one process of Puma, a free port.

Nothing of the machine's own Redmine is used or touched: the program is copied from where the package `redmine` puts
it, with an instance of its own beside it, so that it runs as whoever runs the tests. Wanted are the packages
`redmine`, `redmine-sqlite` and `puma`; whether the first one got as far as making a database does not matter.
It takes about ten seconds to prepare and five to start (measured on two busy cores).

Raw requests go through `Redmine.call`; the rest are the few words that tests need to act as people do, behind the
bridge's back.
"""

from __future__ import annotations

import functools
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

Json = Any

PROGRAM = Path("/usr/share/redmine")
NEEDED = {"redmine": PROGRAM / "config.ru", "redmine-sqlite": Path("/usr/share/doc/redmine-sqlite")}
MANAGER, DEVELOPER, REPORTER = 1, 2, 3
PEOPLE = {
    "admin": None,
    "bruecke": MANAGER,  # the bridge's own account
    "anna": MANAGER,
    "dora": DEVELOPER,
    "rolf": REPORTER,
    "gast": None,
}
"""Who there is, and the role that each has in every project that `Redmine.project` makes."""

_DATABASE = """
production:
  adapter: sqlite3
  database: {folder}/redmine.db
  timeout: 20000
  encoding: utf8
"""


def lacking() -> str:
    """Why no Redmine can be started here, "" if one can."""
    missing = [name for name, place in NEEDED.items() if not place.exists()]
    missing += [name for name in ("ruby", "puma") if shutil.which(name) is None]
    return f"Debian's packages are not installed: {', '.join(missing)}" if missing else ""


class Redmine:
    """One running server with default data in ``language``. Use it as a context manager."""

    def __init__(self, language: str = "de", formatting: str = "textile") -> None:
        self.language, self.formatting = language, formatting
        self.folder = Path(tempfile.mkdtemp(prefix="redmine-"))
        self.keys = {login: secrets.token_hex(20) for login in PEOPLE}
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._session = requests.Session()
        self._session.trust_env = False
        self._projects = 0

    @property
    def url(self) -> str:
        """The server's root, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    # ---- running ---------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Copy the program, and make a database with default data and people."""
        tree, place = self.folder / "redmine", self.folder / "redmine" / "instances" / "test"
        left_out = shutil.ignore_patterns("Gemfile.lock", "instances", "database.yml")
        shutil.copytree(PROGRAM, tree, symlinks=True, ignore=left_out)
        for name in ("config", "log", "tmp", "files"):
            (place / name).mkdir(parents=True)
        (place / "config" / "database.yml").write_text(_DATABASE.format(folder=place), encoding="utf-8")
        (place / "config" / "secret_key.txt").write_text(secrets.token_hex(32), encoding="utf-8")
        # Debian's Gemfile looks for databases in the machine's own instances, which are none of ours.
        gems = (tree / "Gemfile").read_text(encoding="utf-8").replace(f"{PROGRAM}/", f"{tree}/")
        (tree / "Gemfile").write_text(gems, encoding="utf-8")
        (tree / "Gemfile.local").write_text('gem "puma"\n', encoding="utf-8")
        people = {login: (role, self.keys[login]) for login, role in PEOPLE.items()}
        (place / "people.json").write_text(json.dumps(people), encoding="utf-8")
        self._run("rails runner", ["bin/rails", "runner", str(Path(__file__).with_name("redmine_setup.rb"))])

    def start(self) -> None:
        """Start, on the port of last time if there was one, and wait until it answers."""
        for _ in range(5):
            port = self.port or _free_port()
            command = ["/usr/bin/puma", "-e", "production", "-b", f"tcp://127.0.0.1:{port}", "-w", "0", "-t", "1:5"]
            with (self.folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    ["ruby", "-W0", *command, "config.ru"],
                    cwd=self.folder / "redmine",
                    env=self._environment(),
                    stdout=log,
                    stderr=log,
                )
            if self._answers(port):
                self.port = port
                return
            self.stop()
        raise RuntimeError("Redmine did not start:\n" + self.log())

    def stop(self) -> None:
        """End the process; the folder stays, so that `start` goes on where it was."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def log(self) -> str:
        """What the server wrote when it started."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def script(self, ruby: str) -> str:
        """Run a few lines of Ruby inside Redmine, for what no interface offers; takes seconds. What it printed."""
        return self._run("script", ["bin/rails", "runner", ruby])

    def __enter__(self) -> Redmine:
        self.prepare()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._session.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.folder),
            "RAILS_ENV": "production",
            "REDMINE_INSTANCE": "test",
            "REDMINE_LANG": self.language,
            "TEXT_FORMATTING": self.formatting,
            "PEOPLE": str(self.folder / "redmine" / "instances" / "test" / "people.json"),
            "TZ": "Europe/Berlin",
        }

    def _run(self, what: str, command: list[str]) -> str:
        done = subprocess.run(
            ["ruby", "-W0", *command],
            cwd=self.folder / "redmine",
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode:
            raise RuntimeError(f"{what} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        return done.stdout

    def _answers(self, port: int) -> bool:
        """Whether the process answers on ``port`` before it ends or two minutes are over."""
        assert self._process is not None
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                headers = {"X-Redmine-API-Key": self.keys["admin"]}
                answer = self._session.get(f"http://127.0.0.1:{port}/users/current.json", headers=headers, timeout=30)
            except requests.ConnectionError:
                time.sleep(0.1)
                continue
            return answer.status_code == 200  # someone else's server took the port between our look and the start
        return False

    # ---- what people do --------------------------------------------------------------------------------------

    def request(self, who: str, method: str, path: str, body: Json = None, **params: str) -> requests.Response:
        """Send one request as one of the people and return whatever comes."""
        headers = {"X-Redmine-API-Key": self.keys[who]}
        answer = self._session.request(
            method, self.url + path, json=body, params=params, headers=headers, timeout=60, allow_redirects=False
        )
        self._session.cookies.clear()
        return answer

    def call(self, who: str, method: str, path: str, body: Json = None, **params: str) -> Json:
        """One request as one of the people that has to succeed; what it answered, None if that was nothing."""
        answer = self.request(who, method, path, body, **params)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content.strip() else None

    def project(self, **settings: Json) -> Json:
        """A new, empty project in which everybody has their role."""
        self._projects += 1
        name = f"Vorhaben {self._projects}"
        wanted = {"name": name, "identifier": f"vorhaben-{self._projects}", "is_public": False, **settings}
        if "parent_id" not in wanted:
            wanted |= {"parent_id": self._stock(), "inherit_members": True}
        return self.call("admin", "POST", "/projects.json", {"project": wanted})["project"]

    def _stock(self) -> int:
        return int(self.call("admin", "GET", "/projects/stamm.json")["project"]["id"])

    @functools.cache  # noqa: B019 - there is one server, and it lives as long as the tests
    def shared_version(self) -> int:
        """A version that the project above all others shares with them."""
        body = {"version": {"name": "Gemeinsam", "sharing": "descendants"}}
        return int(self.call("anna", "POST", "/projects/stamm/versions.json", body)["version"]["id"])

    @functools.cache  # noqa: B019 - see above
    def shared_issue(self) -> int:
        """An issue of the project above all others, which may have subtasks in each of them."""
        body = {"issue": {"project_id": "stamm", "subject": "Über allem"}}
        return int(self.call("anna", "POST", "/issues.json", body)["issue"]["id"])

    def ids(self, path: str, key: str) -> dict[str, int]:
        """The ids of statuses, trackers or priorities by their names."""
        return {one["name"]: int(one["id"]) for one in self.call("admin", "GET", path)[key]}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
