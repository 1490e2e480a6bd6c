"""The command line speaks the language that is set, without settings too."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import cli


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, so that no settings of somebody's are read, and a wide screen."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int) -> str:
    with pytest.raises(SystemExit) as end:
        cli.run(words)
    assert end.value.code == code
    printed = capsys.readouterr()
    return printed.out + printed.err


def test_help_is_german(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BRIDGE_LANGUAGE", "de")
    for words in (["--help"], ["show", "--help"], ["sync", "-h"]):
        text = said(capsys, *words, code=0)
        assert text.startswith("Aufruf: strategy-bridge")
        assert not [english for english in ("usage", "options:", "positional", "exit", "show this") if english in text]


def test_help_is_english(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BRIDGE_LANGUAGE", "en")
    text = said(capsys, "disconnect", "--help", code=0)
    for words in ("usage: strategy-bridge disconnect", "options:", "show this help", "the connector's name"):
        assert words in text


@pytest.mark.parametrize(
    ("words", "german", "english"),
    [
        (["quatsch"], "✗ COMMAND: 'quatsch' gibt es nicht. Möglich ist: ", "invalid choice: 'quatsch'"),
        (["show"], "✗ Es fehlt: ITEM", "the following arguments are required: ITEM"),
        (["sync", "--quatsch"], "✗ Unbekannte Angabe: --quatsch", "unrecognized arguments: --quatsch"),
        (["plan", "--json=3"], "✗ --json: Hier darf kein Wert folgen ('3')", "ignored explicit argument '3'"),
    ],
)
def test_what_is_wrong_with_the_arguments_is_said_in_both_languages(
    words: list[str],
    german: str,
    english: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for language, sentence in (("de", german), ("en", english)):
        monkeypatch.setenv("BRIDGE_LANGUAGE", language)
        assert sentence in said(capsys, *words, code=2)
