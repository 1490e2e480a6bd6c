"""What the documents say is what the program does: commands, examples, links."""

from __future__ import annotations

import argparse
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from bridge.cli import parser
from mappings import schema
from mappings.canonical import FIELDS, PRIORITY, STATUS, VISIBILITY, Kind

ROOT = Path(__file__).parents[1]
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def commands() -> set[str]:
    (chosen,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return set(chosen.choices)


def test_the_readme_names_every_command_and_no_other() -> None:
    rows = re.findall(r"^\| (`.+?`) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([a-z]+)", row)} == commands()


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_that_a_paper_shows_exists(path: Path) -> None:
    shown = re.findall(r"(?:^ +|`|»)strategy-bridge ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(shown) <= commands()


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_inside_the_project_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_make_target_that_a_paper_shows_exists(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    shown = re.findall(r"(?:^ +|`)make ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(shown) <= targets


def test_every_make_target_explains_itself() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)
    assert set(phony.split()) == set(re.findall(r"^([a-z]+):.*## \w", makefile, re.MULTILINE))


def test_every_program_that_make_runs_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    ours = re.findall(r"\$\(PY\) -m (tests\S*)", makefile)
    assert ours
    assert [name for name in ours if find_spec(name) is None] == []


def test_the_mapping_that_the_paper_shows_can_be_used(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "example.toml").write_text(example, encoding="utf-8")
    assert schema.load(tmp_path / "example.toml").platform == "nextcloud-deck"


def test_the_paper_on_mappings_knows_every_field_and_value() -> None:
    text = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")
    named = [*FIELDS, *STATUS, *VISIBILITY, *Kind]
    assert [name for name in named if f"`{name}`" not in text] == []
    assert all(f"{priority} " in text for priority in PRIORITY)


def test_every_rule_that_the_code_cites_is_written_down() -> None:
    written = set(re.findall(r"^- \*\*(R\d+) ", (ROOT / "docs" / "rules.md").read_text(encoding="utf-8"), re.MULTILINE))
    cited = {
        rule
        for folder in ("bridge", "connectors", "mappings", "tests")
        for path in (ROOT / folder).rglob("*.py")
        for rule in re.findall(r"\b(R[1-9]\d?)\b", path.read_text(encoding="utf-8"))
    }
    assert len(written) == 33
    assert cited - written == set()
