"""What the documents say is what the program does: commands, examples, links."""

from __future__ import annotations

import argparse
import ast
import functools
import itertools
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from bridge.cli import parser
from mappings import schema
from mappings.canonical import FIELDS, PRIORITY, STATUS, VISIBILITY, Kind
from tests.sabotages import SABOTAGES

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


# ---- the rules ---------------------------------------------------------------------------------------------------

RULES = ROOT / "docs" / "rules.md"


def sections() -> dict[str, str]:
    """The text of every rule, by its number."""
    parts = re.split(r"^### (R\d+) · .+$|^## .+$", RULES.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {rule: text for rule, text in itertools.pairwise(parts) if rule and re.fullmatch(r"R\d+", rule)}


def cited(section: str, key: str) -> dict[str, list[str]]:
    """The files that a rule names after ``Code:`` or ``Tests:``, each with the names in it."""
    (line,) = re.findall(rf"^{key}: (.+?)(?=^(?:Code|Tests): |\Z)", section, re.MULTILINE | re.DOTALL) or [""]
    found: dict[str, list[str]] = {}
    for quoted in re.findall(r"`([^`]+)`", line):
        if "/" in quoted:
            found[quoted] = []
        else:
            found[list(found)[-1]].append(quoted)
    return found


@functools.cache
def names_in(path: Path) -> frozenset[str]:
    """What a Python file defines: functions, classes, methods as ``Class.method``, and names that get a value."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
        if isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return frozenset(found)


def missing(places: dict[str, list[str]]) -> list[str]:
    """Files that are not there, and names that their file does not define."""
    gone = [file for file in places if not (ROOT / file).is_file()]
    return gone + [
        f"{file}: {name}"
        for file, names in places.items()
        for name in (names if file not in gone else [])
        if name not in names_in(ROOT / file)
    ]


def test_all_rules_are_written_down_once_and_in_their_order() -> None:
    headings = re.findall(r"^### (R\d+) ", RULES.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == list(sections()) == [f"R{number}" for number in range(1, 34)]


@pytest.mark.parametrize("rule", [f"R{number}" for number in range(1, 34)])
def test_the_code_and_the_tests_that_a_rule_names_are_there(rule: str) -> None:
    code, tests = cited(sections()[rule], "Code"), cited(sections()[rule], "Tests")
    assert any(code.values())
    assert any(tests.values())
    assert missing(code) + missing(tests) == []
    assert [name for names in tests.values() for name in names if not name.startswith("test_")] == []


@pytest.mark.parametrize(
    ("line", "gone"),
    [
        ("Code: `bridge/no_such.py`: `merge`", ["bridge/no_such.py"]),
        ("Code: `bridge/merge.py`: `merge`, `no_such`", ["bridge/merge.py: no_such"]),
        ("Code: `bridge/merge.py`: `merge`; `bridge/book.py`: `Book.no_such`", ["bridge/book.py: Book.no_such"]),
        ("Code: `bridge/merge.py`: `merge`\nTests: `tests/no_such.py`: `test_it`", []),
    ],
)
def test_what_a_rule_names_and_is_not_there_is_noticed(line: str, gone: list[str]) -> None:
    assert missing(cited(f"Words.\n\n{line}\n", "Code")) == gone


@pytest.mark.parametrize("rule", sorted({one.rule for one in SABOTAGES if one.rule.startswith("R")}))
def test_a_rule_names_a_test_that_is_known_to_notice(rule: str) -> None:
    tests = cited(sections()[rule], "Tests")
    noticing = [test.split("::") for sabotage in SABOTAGES if sabotage.rule == rule for test in sabotage.tests]
    assert any(file in tests and (not name or name[0] in tests[file]) for file, *name in noticing)


def test_every_decision_is_linked_from_a_rule() -> None:
    written = {path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md")} - {"0000-template.md"}
    linked = set(re.findall(r"\]\(adr/([^)]+)\)", RULES.read_text(encoding="utf-8")))
    assert written == linked


def test_every_rule_that_the_code_cites_is_written_down() -> None:
    said = {
        rule
        for folder in ("bridge", "connectors", "mappings", "tests")
        for path in (ROOT / folder).rglob("*.py")
        for rule in re.findall(r"\b(R[1-9]\d?)\b", path.read_text(encoding="utf-8"))
    }
    assert said <= sections().keys()
