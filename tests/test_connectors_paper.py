"""docs/connectors.md is carried out: its blocks become somebody else's package, which keeps the contract and syncs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.mirror import PROJECT, Desk, environment

PAPER = PROJECT / "docs" / "connectors.md"


def blocks() -> dict[str, str]:
    """The files that the paper shows: blocks with a name, several of one name put together."""
    files: dict[str, list[str]] = {}
    for name, body in re.findall(r"^```\w+ (\S+)\n(.*?)^```$", PAPER.read_text(encoding="utf-8"), re.M | re.S):
        files.setdefault(name, []).append(body)
    return {name: "\n".join(bodies) for name, bodies in files.items()}


def lines(text: str) -> int:
    return sum(bool(line.strip()) for line in text.splitlines())


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The package as its author has it before her."""
    folder = tmp_path / "package"
    for name, text in blocks().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def installed(package: Path) -> dict[str, str]:
    """An environment in which the package is installed: its folder, and what an installer writes beside it."""
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = package / f"strategy_bridge_notes-{project['version']}.dist-info"
    told.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (told / "METADATA").write_text(metadata, encoding="utf-8")
    groups = [
        "\n".join([f"[{group}]", *(f"{name} = {place}" for name, place in entries.items()), ""])
        for group, entries in project["entry-points"].items()
    ]
    (told / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")
    return among(package)


def among(folder: Path) -> dict[str, str]:
    return environment() | {"PYTHONPATH": os.pathsep.join([str(folder), environment()["PYTHONPATH"]])}


def runs(env: dict[str, str], folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def builds() -> bool:
    """Whether setuptools is here, and makes wheels by itself or with the package that once did."""
    if find_spec("setuptools") is None:
        return False
    return find_spec("setuptools.command.bdist_wheel") is not None or find_spec("wheel") is not None


def test_it_takes_no_more_lines_than_it_says() -> None:
    files = blocks()
    assert lines(files["notes/__init__.py"]) + lines(files["notes/notes.toml"]) < 100
    assert len(files["test_notes.py"].splitlines()) == 10


def test_the_toy_keeps_the_contract(package: Path, installed: dict[str, str]) -> None:
    done = runs(installed, package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_notes.py")
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 40


@pytest.mark.parametrize(
    ("promise", "broken"),
    [
        (
            "test_somebody_elses_edit_is_not_overwritten",
            ("record = self.compare(ref, if_version)", "record = self.read(ref.native_id)"),
        ),
        ("test_known_versions_are_left_out", ("if record.version != known.get(id)", "if True")),
        ("test_an_update_changes_only_the_fields_named", ("{**record.fields, **fields})", "{**EMPTY, **fields})")),
        ("test_a_deleted_record_is_gone", ("return Gone()", "return None")),
    ],
)
def test_the_contract_notices_a_toy_that_breaks_it(
    package: Path, installed: dict[str, str], promise: str, broken: tuple[str, str]
) -> None:
    path = package / "notes" / "__init__.py"
    text = path.read_text(encoding="utf-8")
    assert broken[0] in text
    path.write_text(text.replace(*broken), encoding="utf-8")
    done = runs(installed, package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_notes.py", "-k", promise)
    assert done.returncode == 1, done.stdout


def test_the_contract_needs_nothing_but_pytest(tmp_path: Path) -> None:
    """Whoever writes a connector need not have what our own connectors need."""
    ours = (
        "requests rich pydantic sqlalchemy alembic icalendar openpyxl ruamel dotenv apscheduler bridge mappings tests"
    )
    blocked = f"import sys; sys.modules.update(dict.fromkeys({ours.split()!r})); import connectors.testing"
    assert runs(environment(), tmp_path, "-c", blocked).returncode == 0
    assert runs(environment(), tmp_path, "-c", blocked.replace("connectors.testing", "connectors.http")).returncode == 1


@pytest.mark.skipif(not builds(), reason="no setuptools that makes wheels is installed, and nothing may be fetched")
def test_the_package_can_be_built_and_brings_its_mapping(package: Path, tmp_path: Path) -> None:
    offline = ["--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check", "-q"]
    env = environment() | {"PYTHONWARNINGS": "default"}
    done = runs(env, tmp_path, "-m", "pip", "install", *offline, "--target", str(tmp_path / "site"), str(package))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "notes" / "notes.toml").is_file()
    asked = "from bridge.registry import load_type; print(load_type('notes').mapping)"
    assert runs(among(tmp_path / "site"), tmp_path, "-c", asked).stdout.strip().endswith("site/notes/notes.toml")


@pytest.mark.radicale
def test_the_program_syncs_with_it(tmp_path: Path, installed: dict[str, str], rathaus: Desk) -> None:
    rathaus.adds("Straßen", "DUE;VALUE=DATE:20261201", "CATEGORIES:Presse")
    here = tmp_path / "here"
    notes = here / "notizen"
    notes.mkdir(parents=True)
    (notes / "portal.json").write_text(json.dumps({"title": "Portal", "state": "doing"}), encoding="utf-8")
    said = {"https://dav.example.org/anna/strategie/": rathaus.url, "bitte-ersetzen": rathaus.server.password}
    said["KALENDER_USER=anna"] = f"KALENDER_USER={rathaus.server.user}"
    text = blocks()[".env"]
    for ours, theirs in said.items():
        assert ours in text
        text = text.replace(ours, theirs)
    (here / ".env").write_text(text, encoding="utf-8")

    commands = re.findall(r"^    strategy-bridge ((?:check|plan|sync).*)$", PAPER.read_text(encoding="utf-8"), re.M)
    assert commands == ["check", "plan", "sync --accept"]
    ended = {words: runs(installed, here, "-m", "bridge", *words.split()) for words in commands}
    assert [done.returncode for done in ended.values()] == [0, 3, 0], [
        done.stdout + done.stderr for done in ended.values()
    ]

    found = [json.loads(path.read_text(encoding="utf-8")) for path in notes.glob("*.json")]
    made = {note["title"]: note for note in found}
    assert made["Straßen"] == {
        "title": "Straßen",
        "text": "",
        "state": "open",
        "due": "2026-12-01",
        "tags": ["Presse"],
        "kind": "task",
    }
    assert rathaus.task("Portal")["STATUS"] == "IN-PROCESS"
    rathaus.edits("Portal", "STATUS:COMPLETED", "COMPLETED:20261120T100000Z")
    assert runs(installed, here, "-m", "bridge", "sync").returncode == 0
    assert json.loads((notes / "portal.json").read_text(encoding="utf-8"))["state"] == "done"
    quiet = json.loads(runs(installed, here, "-m", "bridge", "sync", "--json").stdout)
    assert [one["updated"] + one["created"] for one in quiet["connectors"].values()] == [0, 0]
