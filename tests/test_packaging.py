"""What is packed is all that is needed: the wheel's files, the versions that are locked, the container's ingredients.

Nothing is built here, because building needs the network: `.ci/run` installs the wheel into a bare environment.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = ("bridge", "connectors", "mappings")


def files_of(folder: str) -> list[Path]:
    return [path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"]


def requirements() -> list[Requirement]:
    project = PYPROJECT["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    return [Requirement(line) for line in [*project["dependencies"], *extras]]


def locked() -> dict[str, str]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def container_takes() -> set[str]:
    """What the container's file copies from the checkout."""
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    return {name for names in copied for name in names.split()}


def test_every_file_that_is_not_python_is_packed() -> None:
    data = PYPROJECT["tool"]["setuptools"]["package-data"]
    for folder in FOLDERS:
        packed = {path for pattern in data.get(folder, []) for path in (ROOT / folder).glob(pattern)}
        others = {path for path in files_of(folder) if path.suffix != ".py"}
        assert others - packed == set()


def test_every_folder_with_python_is_a_package() -> None:
    found = PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    assert sorted(found) == sorted(f"{folder}*" for folder in FOLDERS)
    folders = {path.parent for folder in FOLDERS for path in files_of(folder) if path.suffix == ".py"}
    assert folders
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_every_dependency_is_locked_at_a_version_that_is_allowed() -> None:
    versions = locked()
    wanted = requirements()
    assert wanted
    assert [
        str(one) for one in wanted if not one.specifier.contains(versions.get(canonicalize_name(one.name), "0"))
    ] == []


def test_the_container_is_handed_what_it_copies_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert lines[0] == "*"  # whatever is not named stays outside: .env, ledgers, history
    assert {line[1:] for line in lines if line.startswith("!")} == container_takes()
    assert [name for name in container_takes() if not (ROOT / name).exists()] == []


def test_the_container_takes_what_the_build_reads() -> None:
    project = PYPROJECT["project"]
    assert {"pyproject.toml", project["readme"], *project["license-files"], *FOLDERS} <= container_takes()
    # A link inside a package leads to a file that has to come along.
    links = {path.resolve().relative_to(ROOT).parts[0] for folder in FOLDERS for path in files_of(folder)}
    assert links <= container_takes()


def test_the_container_runs_the_program_as_nobody_in_particular() -> None:
    last = (ROOT / "Dockerfile").read_text(encoding="utf-8").rsplit("\nFROM ", 1)[1]
    (user,) = re.findall(r"^USER (\d+):\d+$", last, re.MULTILINE)
    assert int(user) > 0
    assert '\nCMD ["strategy-bridge", "run"]' in last
    assert "pip" not in last
