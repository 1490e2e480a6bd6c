"""Every sentence that the engine or a connector says to people in English can be said in German as well.

The sentences are looked up in the source: text of several words that is no docstring, in the files that speak.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bridge.texts import texts

ROOT = Path(__file__).parents[1]
SILENT = {
    "bridge": {"cli", "config", "cron", "environment", "ledger", "place", "registry", "render", "rows", "schedule"}
    | {"screen", "tables", "texts", "views", "words", "memory_store", "sql_store", "lease", "__main__"},
    "connectors": {"testing", "memory_platform"},
    "mappings": {"schema", "sense"},
}
"""Files that say nothing of their own to staff, or whose sentences are for administrators only."""

UNSPOKEN = (
    r"identify(\(\))? comes first",  # mistakes of a programmer
    r"the last try returns or raises",
    r"‹\d+› ‹\d+›: whether ‹\d+› was carried out is unknown\.",  # put together from the two below
    r"did not answer within ‹\d+› seconds",
    r"broke off the connection",
    r"a web page|an answer of Deck|without a reason|title of the milestone",  # parts of other sentences
    r"there (is|are).*|the board “‹\d+›” on ‹\d+›",
    r"‹\d+› records would be ‹\d+› within a day, in a collection of ‹\d+›",
    r"Our account may (only read|not manage) ‹\d+›.*|There is no list on ‹\d+›: no card can be made there\.",
    r"‹\d+› is the same collection as .*",
    r"Operation not allowed|Card is deleted|database is locked|too many connections",  # servers say it
    r"it (is not|has no|does not) .*|there is no task in it|the END of .*|this line makes no sense.*",  # {reason}s
    r".* has no BEGIN|‹\d+› is no (number|date): ‹\d+›",
    r"<.*|SELECT .*|‹\d+›:‹\d+›",
)


def spoken() -> Iterator[tuple[str, str]]:
    """Where a sentence stands, and the sentence with ‹1›, ‹2› … for what is put in."""
    for folder, silent in SILENT.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.stem in silent or "migrations" in path.parts:
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
            inner |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                text = "" if id(node) in inner else sentence(node)
                if len(text.split()) >= 3 and re.search(r"[a-z]{2,} [a-z]", text):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", text  # type: ignore[attr-defined]


def sentence(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else f"‹{number}›"
            for number, part in enumerate(node.values)
        )
    return ""


def test_every_sentence_has_its_german() -> None:
    german = texts("de")
    found = [(where, said) for where, said in spoken() if not any(re.fullmatch(p, said, re.DOTALL) for p in UNSPOKEN)]
    assert len(found) > 80, "the sentences are not found any more"
    lacking = [f"{where}: {said}" for where, said in found if german.reword(said) == said]
    assert lacking == [], "add them to the tables [reason] of bridge/locale/en.toml and de.toml"


def test_a_reason_keeps_what_was_put_in() -> None:
    german = texts("de")
    assert german.reword("cloud.example.org does not accept our sign-in: check RATHAUS_TOKEN.") == (
        "cloud.example.org nimmt die Anmeldung nicht an: Prüfen Sie RATHAUS_TOKEN."
    )
    assert german.reword("4 of 20 records would be deleted, closed or blanked within a day") == (
        "4 von 20 Einträgen würden binnen eines Tages gelöscht, geschlossen oder geleert"
    )
    assert german.reword("h did not answer within 60 seconds: whether PUT was carried out is unknown.") == (
        "h hat nicht innerhalb von 60 Sekunden geantwortet: Ob PUT ausgeführt wurde, ist ungewiss."
    )


def test_a_sentence_within_a_sentence_is_said_again() -> None:
    german = texts("de")
    assert german.reword("archiv: h answered 503 to GET. (tried again later)") == (
        "archiv: h antwortete auf GET mit 503. (wird später wieder versucht)"
    )
    assert german.reword("rathaus: unheard of: nobody knows") == "rathaus: unheard of: nobody knows"
