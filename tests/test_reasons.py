"""Every sentence that the engine, a mapping or a connector writes in English is said in German as well.

The sentences are looked up in the source itself: text of several words that is no docstring. So whoever writes a
new one is told here to put it into ``bridge/locale``: whole sentences into the table [reason], words that are put
into another sentence into [part.NAME], where NAME is the placeholder in which they stand.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bridge.texts import Texts, texts

ROOT = Path(__file__).parents[1]

UNSPOKEN = (
    # mistakes of a programmer, which end the program
    r"identify(\(\))? comes first|the last try returns or raises|‹\d+› is no ConnectorType",
    r"‹\d+› has no field ‹\d+›|bridge/rows\.py does not say how .*",
    # what programs say to each other
    r"<.*|SELECT .*|strategy-bridge (pass|lease) .*|Operation not allowed|Card is deleted|‹\d+›:‹\d+›",
    r"copied the ledger to %s before its tables change|\(out of scope\)| *strategy-bridge sync --accept ‹\d+›",
    r"0 \(not installed\)",
    # texts that a passport writes and reads back
    r"am Ende zwei Blanks.*|Text mit leeren Zeilen am Ende\s+|‹\d+› äöü ß “Zitat”.*|„deutsche“.*",
    r"Fördermittel für .*|<b>&amp;.*",
    # texts that `check` translates and reads back, and the names of HTML's blocks
    r"Probe und Ziel|Mit `make test` prüfen|> So steht es .*|- Aufruf:.*|address article .*",
    # a comment in .env
    r"# Settings of Strategy Bridge: .*",
    # the two halves of sentences that are tested below as a whole
    r"did not answer within ‹\d+› seconds|broke off the connection|‹\d+› ‹\d+›: whether ‹\d+› was carried out is .*",
)


def spoken() -> Iterator[tuple[str, str]]:
    """Where a sentence stands, and the sentence with ‹1›, ‹2› … for what is put in."""
    for path in sorted(
        path for folder in ("bridge", "mappings", "connectors") for path in (ROOT / folder).rglob("*.py")
    ):
        if path.stem == "testing" or "migrations" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        inner |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
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


def has_german(german: Texts, said: str) -> bool:
    """Whether a sentence, or a part of one, is known; what is put in right behind a word may be nothing."""
    tables = {key.rpartition(".")[0] for key in german.sentences if key.startswith(("reason.", "part."))}
    ways = (said, re.sub(r"(?<=[\w›])‹\d+›", "", said))
    return any(german.reword(way, table) != way for way in ways for table in tables)


def test_every_sentence_has_its_german() -> None:
    german = texts("de")
    found = [(where, said) for where, said in spoken() if not any(re.fullmatch(p, said, re.DOTALL) for p in UNSPOKEN)]
    assert len(found) > 200, "the sentences are not found any more"
    lacking = [f"{where}: {said}" for where, said in found if not has_german(german, said)]
    assert lacking == [], "add them to [reason] or [part] of bridge/locale/en.toml and de.toml"


def test_a_sentence_that_nobody_translated_is_noticed() -> None:
    assert not has_german(texts("de"), "‹0› sings a song on ‹2›.")


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
    assert german.reword("The task a.ics on h cannot be read: PRIORITY is no number: hoch.") == (
        "Die Aufgabe a.ics auf h lässt sich nicht lesen: Priorität ist keine Zahl: hoch."
    )


def test_the_parts_of_a_sentence_are_said_again() -> None:
    german = texts("de")
    said = "h answered with a web page where an answer of Deck was expected: is R_URL right, and is the server in "
    assert german.reword(f"{said}maintenance?") == (
        "h antwortet mit einer Webseite, erwartet war eine Antwort von Deck: Stimmt R_URL, und wird der Server gerade "
        "gewartet?"
    )
    said = "h forbids GET on /a b/ (nope): check the rights of the account, R_URL, R_USER and R_PASSWORD."
    assert german.reword(said) == (
        "h verbietet GET auf /a b/ (nope): Prüfen Sie die Rechte des Kontos, R_URL, R_USER und R_PASSWORD."
    )
    who = " (process 7 on amt, since 2026-11-23 09:18:30 UTC) and did not end within 30 seconds"
    assert german.reword(f"Another pass is at work on this ledger{who}: try again when it has ended.") == (
        "An diesem Gedächtnis arbeitet schon ein Lauf (Prozess 7 auf amt, seit 2026-11-23 09:18:30 UTC) und war nach "
        "30 Sekunden noch nicht zu Ende: Versuchen Sie es wieder, wenn er zu Ende ist."
    )
    assert german.reword("h shows our account no board “Amt” (R_COLLECTION); there is: “A”, “B”.") == (
        "h zeigt unserem Konto keine Tafel »Amt« (R_COLLECTION); es gibt: »A«, »B«."
    )


def test_words_of_the_model_are_said_in_both_languages() -> None:
    german, english = texts("de"), texts("en")
    assert german.reword("nothing here stands for the status in_progress") == (
        "hier gibt es nichts, was für »in Umsetzung« steht (Status)"
    )
    assert german.reword("due decides for its group (R12)").startswith("Fällig entscheidet")
    assert german.reword("is goal, milestone at once, and taken as goal: keep one").startswith(
        "ist zugleich Ziel, Meilenstein, gilt als Ziel"
    )
    assert english.reword("the kind action_field is not mirrored here") == (
        "the kind field of action is not mirrored here"
    )


def test_what_people_wrote_is_not_taken_for_a_sentence() -> None:
    german = texts("de")
    assert german.reword("first contact with “new elsewhere”") == "erster Kontakt mit »new elsewhere«"
    assert german.reword("“lives again” stands for something else than a label here").startswith("»lives again«")
