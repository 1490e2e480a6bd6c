"""`.env` with some lines changed: values to the letter, everything else as it was, for its owner alone."""

from __future__ import annotations

import os
import stat
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from bridge.environment import read
from bridge.setup.dotenv import Unwritable, changed, quoted, save, values

ODD = (
    "geheim",
    "mit Blank",
    " Blank davor",
    "Blank dahinter ",
    "a#b",
    "#b",
    "a #b",
    "a\t#b",
    "'einfach'",
    '"doppelt"',
    "it's",
    "'",
    '"',
    "\\",
    "\\\\",
    "ende\\",
    "ende'\\",
    "\\'",
    "\\n",
    " davor und \\",
    "a #\\' b",
    "'\\\\' #",
    "$HOME",
    "${HOME}",
    "$(id)",
    "`id`",
    "a=b=c",
    "äöüß€ 漢字 🚀",
    "!\"§$%&/()=?`´*+~'#-_.:,;<>|^°@€\\{}[]",
    "export X=1",
    "\u00a0nbsp\u00a0",
)


def read_back(text: str) -> dict[str, str | None]:
    return dict(dotenv_values(stream=StringIO(text), interpolate=False))


@pytest.mark.parametrize("value", ODD)
def test_a_value_is_read_back_to_the_letter(value: str, tmp_path: Path) -> None:
    text = changed("", {"A_PASSWORD": value, "B": "danach"})
    assert read_back(text) == {"A_PASSWORD": value, "B": "danach"}
    save(tmp_path / ".env", text)
    assert read({}, tmp_path).text("A_PASSWORD") == value
    again = changed(changed(text, {"A_PASSWORD": "anders"}), {"A_PASSWORD": value})
    assert read_back(again) == {"A_PASSWORD": value, "B": "danach"}


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_whatever_the_value_it_is_read_back_or_refused(value: str) -> None:
    if value.strip():
        assert read_back(changed("X=1\n", {"A_TOKEN": value, "X": "2"})) == {"X": "2", "A_TOKEN": value}


def test_a_plain_value_is_written_without_quotes() -> None:
    """Docker takes quotes literally."""
    for value in ("https://cloud.example.org/x?y=z", "Digitale Strategie", "geheim-ä-42", "a#b", "$x", "it's"):
        assert quoted(value) == value


@pytest.mark.parametrize("value", ["a\nb", "a\r", "\n"])
def test_what_no_line_can_hold_is_refused(value: str) -> None:
    with pytest.raises(Unwritable) as failure:
        changed("", {"A": value})
    assert value not in str(failure.value)


OLD = """# oben

export BRIDGE_CONNECTORS = 'a, b'   # zwei
A_URL="https://alt"
# A_URL=auskommentiert
A_PASSWORD=alt#1  # geheim
A_PASSWORD=alt
  LEER=
OHNE
\tB_URL=https://b
# unten"""


def test_everything_else_stays_as_it_was() -> None:
    new = changed(OLD, {"BRIDGE_CONNECTORS": "a,b,c", "A_PASSWORD": "neu #2", "LEER": "voll", "C_URL": "c"}, "# C")
    assert (
        new
        == OLD.replace("'a, b'   # zwei", "a,b,c # zwei")
        .replace("S = ", "S =")
        .replace("A_PASSWORD=alt\n", "A_PASSWORD='neu #2'\n")
        .replace("LEER=", "LEER=voll")
        + "\n\n# C\nC_URL=c\n"
    )


def test_a_line_that_must_go_goes_with_all_that_have_its_name() -> None:
    new = changed(OLD, {"A_PASSWORD": None, "A_URL": "x"})
    assert "A_PASSWORD" not in new
    assert "# A_URL=auskommentiert" in new
    assert values(new) == {"BRIDGE_CONNECTORS": "a, b", "A_URL": "x", "B_URL": "https://b"}


def test_a_key_is_never_doubled() -> None:
    text = ""
    for number in range(3):
        text = changed(text, {"A": str(number), "B": "b"}, "# oben")
    assert text == "# oben\nA=2\nB=b\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_stay(end: str) -> None:
    assert changed(f"A=1{end}", {"A": "2", "B": "3"}) == f"A=2{end}B=3{end}"


# ---- the file -----------------------------------------------------------------------------------------------------


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        saved = save(tmp_path / ".env", "A=1\n")
    finally:
        os.umask(before)
    assert saved.created
    assert rights(tmp_path / ".env") == 0o600


def test_rights_of_a_file_that_is_there_are_tightened_and_that_is_told(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\n", encoding="utf-8")
    path.chmod(0o644)
    assert save(path, "A=2\n").before == 0o044
    assert rights(path) == 0o600
    assert save(path, "A=3\n").before == 0
    assert path.read_text(encoding="utf-8") == "A=3\n"


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "echt").write_text("A=1\n", encoding="utf-8")
    (tmp_path / ".env").symlink_to("echt")
    save(tmp_path / ".env", "A=2\n")
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "echt").read_text(encoding="utf-8") == "A=2\n"


def test_a_failed_save_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\n", encoding="utf-8")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(path, "A=2\n")
    assert path.read_text(encoding="utf-8") == "A=1\n"
    assert [each.name for each in tmp_path.iterdir()] == [".env"]
