"""The house stays as it is drawn: who may import whom, how large a file may grow, and what is written where.

bridge/ imports mappings/ and connectors/, mappings/ imports connectors.base only, connectors/ nothing of ours.
Imports inside functions count as well: a circle hidden by a late import is a circle.
"""

from __future__ import annotations

import ast
import graphlib
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge import config, registry
from bridge.environment import read

ROOT = Path(__file__).parents[1]
PACKAGES = ("bridge", "mappings", "connectors")
LONGEST = {"bridge": 400, "mappings": 400, "connectors": 400, "tests": 500}
LONGER = {
    "bridge/state.py": "the glossary of the bridge: types only, read from top to bottom",
    "connectors/testing.py": "the contract: one short test per promise, read like a list",
    "tests/sabotages.py": "a list: one entry per deliberate breakage, nothing else",
}
"""Files that may be longer, and why."""


def modules(*folders: str) -> dict[str, Path]:
    """Every module of these folders, by its dotted name."""
    found = {}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = path
    return found


PRODUCT = modules(*PACKAGES)


def imports(name: str, path: Path) -> Iterator[str]:
    """The dotted names that a module imports, wherever in the file, relative ones resolved."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            source = ".".join(part for part in (above, node.module) if part)
            for alias in node.names:
                whole = f"{source}.{alias.name}"
                yield whole if whole in PRODUCT else source


def graph() -> dict[str, set[str]]:
    return {name: set(imports(name, path)) - {name} for name, path in PRODUCT.items()}


def test_the_graph_is_seen() -> None:
    """The other tests would pass on an empty graph."""
    found = graph()
    assert "bridge.state" in found["bridge.plan"]
    assert "connectors.base" in found["bridge.state"]
    assert "bridge.words" in found["bridge.render"]
    assert len(found) > 40


def test_no_arrow_points_upwards() -> None:
    allowed = {"connectors": ("connectors",), "mappings": ("mappings", "connectors"), "bridge": PACKAGES}
    upwards = [
        f"{name} imports {other}"
        for name, others in graph().items()
        for other in sorted(others)
        if other.split(".")[0] in (*PACKAGES, "tests") and other.split(".")[0] not in allowed[name.split(".")[0]]
    ]
    assert upwards == []


def test_the_mappings_know_of_the_connectors_only_their_contract() -> None:
    strays = [
        f"{name} imports {other}"
        for name, others in graph().items()
        for other in sorted(others)
        if name.split(".")[0] == "mappings" and other.split(".")[0] == "connectors" and other != "connectors.base"
    ]
    assert strays == []


def test_no_two_files_need_each_other() -> None:
    edges = {name: {other for other in others if other in PRODUCT} for name, others in graph().items()}
    try:
        graphlib.TopologicalSorter(edges).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_the_product_stands_without_the_tests_and_their_tools() -> None:
    """What is imported is the standard library, ours, or a dependency that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {re.split(r"[<>=\[ ]", wanted)[0].lower() for wanted in project["dependencies"]}
    named |= {re.split(r"[<>=\[ ]", wanted)[0].lower() for wanted in project["optional-dependencies"]["postgresql"]}
    called = {
        "python-dotenv": "dotenv",
        "ruamel.yaml": "ruamel",
        "beautifulsoup4": "bs4",
        "markdown-it-py": "markdown_it",
    }
    known = {called.get(name, name) for name in named} | set(sys.stdlib_module_names) | set(PACKAGES)
    known |= {"urllib3", "dateutil"}  # come with requests and icalendar, which show them in their own interface
    tools = {"connectors.testing": {"pytest"}}  # the shipped contract: run by those who write connectors
    strays = {
        f"{name} imports {other}"
        for name, others in graph().items()
        for other in others
        if other.split(".")[0] not in known | tools.get(name, set())
    }
    assert strays == set()


def test_files_stay_short_enough_to_be_read() -> None:
    every = {path.relative_to(ROOT).as_posix(): path for path in (PRODUCT | modules("tests")).values()}
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in every.items()}
    long = {name for name, count in lines.items() if count > LONGEST[name.split("/")[0]]}
    assert long - set(LONGER) == set(), "look for a natural seam, or give the reason in LONGER"
    assert set(LONGER) - long == set(), "these are short enough now: take them out of LONGER"


def test_every_built_in_connector_comes_through_the_door_that_others_use() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"][registry.GROUP] == registry.BUILT_IN


# ---- settings are written down where people look -------------------------------------------------------------


def every_setting() -> list[str]:
    return [*config.BRIDGE_SETTINGS, *(f"NAME_{setting}" for setting in config.CONNECTOR_SETTINGS)]


def test_every_setting_is_described_and_none_that_does_not_exist() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `((?:BRIDGE|NAME)_[A-Z_]+)`", text, re.MULTILINE))
    assert described == set(every_setting())


def example() -> tuple[dict[str, str], dict[str, str]]:
    """The lines of .env.example that are set, and those that only show what could be."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return (
        dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE)),
        dict(re.findall(r"^# ([A-Z_]+)=(.*)$", text, re.MULTILINE)),
    )


def test_every_setting_stands_in_the_example_and_none_that_does_not_exist() -> None:
    shown = {re.sub(r"^(RATHAUS|ENTWICKLUNG|PLAN)_", "NAME_", name) for lines in example() for name in lines}
    assert shown == set(every_setting())


def load_example(folder: Path, changed: dict[str, str]) -> config.Settings:
    """The example as it is read from a folder where it lies as .env; an empty value takes a line out."""
    lines = example()[0] | changed
    (folder / ".env").write_text("\n".join(f"{name}={value}" for name, value in lines.items()), encoding="utf-8")
    return config.load({}, folder)


def test_the_example_loads_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text(encoding="utf-8"), encoding="utf-8")
    assert read({}, tmp_path).problems == []
    found = config.load({}, tmp_path)
    assert [connector.name for connector in found.connectors] == ["rathaus", "entwicklung"]
    assert found.warnings == ()


@pytest.mark.parametrize("name", sorted(example()[1]))
def test_each_line_that_the_example_only_shows_can_be_taken(name: str, tmp_path: Path) -> None:
    value = example()[1][name]
    changed = {name: value}
    if name.endswith("_FILE"):
        secret = tmp_path / "secret"
        secret.write_text("sqlite:///bridge.db\n", encoding="utf-8")
        changed = {name: str(secret), name.removesuffix("_FILE"): ""}
    elif name.endswith("_MAPPING"):
        mapping = ROOT / "mappings" / "caldav.toml"
        (tmp_path / value).write_text(mapping.read_text(encoding="utf-8"), encoding="utf-8")
    assert len(load_example(tmp_path, changed).connectors) == 2


def test_the_example_that_is_installed_is_the_one_at_the_top() -> None:
    assert (ROOT / "bridge" / "env.example").read_bytes() == (ROOT / ".env.example").read_bytes()
