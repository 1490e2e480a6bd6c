"""``init``: two platforms connected without reading anything, by a person at a real terminal and by a script."""

from __future__ import annotations

import getpass
import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.screen import Screen
from bridge.setup.ask import Person, Stop
from bridge.setup.connect import Connecting, Given
from bridge.setup.draft import Draft, complete, suggested
from bridge.texts import texts
from connectors.base import Access, Connector, ConnectorType
from connectors.memory import TYPE as MEMORY
from connectors.memory import MemoryConnector, platform_at
from tests.fakes.deck import Deck
from tests.fakes.gitlab import GitLab
from tests.go_between import GoBetween
from tests.mirror import Answer, Desk, environment, run_in
from tests.radicale_server import Radicale
from tests.terminal import Terminal

pytestmark = pytest.mark.radicale


@pytest.fixture(scope="module")
def radicale() -> Iterator[Radicale]:
    """A server of its own: to list what is there takes long where hundreds of tests have left their calendars."""
    with Radicale() as server:
        yield server


@pytest.fixture(scope="module")
def server() -> Iterator[Radicale]:
    """A Radicale of our own: what it lists is what this file made."""
    with Radicale() as one:
        one.calendar("digital", "Digitale Strategie")
        one.calendar("it", "Entwicklung")
        one.calendar("termine", "Termine", components=("VEVENT",))
        one.share_read_only("leserecht", "Archiv")
        yield one


def script(folder: Path, *words: str, stdin: str = "", **env: str) -> Answer:
    """The command without a terminal, in this process."""
    before, sys.stdin = sys.stdin, io.StringIO(stdin)
    try:
        return run_in(folder, "init", *words, **{"BRIDGE_LANGUAGE": "en", **env})
    finally:
        sys.stdin = before


def test_the_program_itself_asks_nobody_without_a_terminal(tmp_path: Path, server: Radicale) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bridge", "init", *calendar(server), "--password-file=-"],
        cwd=tmp_path,
        env=environment(),
        input=server.password.encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert run_in(tmp_path, "check").code == 0


def calendar(server: Radicale, **options: str) -> list[str]:
    """The options that connect a calendar."""
    given = {"type": "caldav", "name": "amt", "url": server.url, "user": server.user, "collection": "Entwicklung"}
    return [f"--{name}={value}" for name, value in {**given, **options}.items() if value]


def lines(folder: Path) -> dict[str, str]:
    text = (folder / ".env").read_text(encoding="utf-8")
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


# ---- a person at a terminal ----------------------------------------------------------------------------------------


def test_two_calendars_are_connected_at_a_terminal(tmp_path: Path, radicale: Radicale) -> None:
    """Everything goes wrong once on the way: address, password, choice."""
    rathaus, it = Desk(radicale, "Digitale Strategie"), Desk(radicale, "Entwicklung im IT-Amt")
    rathaus.adds("Straßen")
    before = [rathaus.picture(), it.picture()]
    with Terminal(tmp_path, "init") as terminal:
        terminal.answers("Nummer oder Name: ", "kalender")
        terminal.until("kalender ist keine Art von Plattform")
        terminal.answers("Nummer oder Name: ", "1")
        terminal.answers("[caldav]: ", "mein rathaus")
        terminal.until("So kann ein Anschluss nicht heißen")
        terminal.answers("[caldav]: ", "rathaus")
        terminal.answers("Adresse des Servers: ", "http://127.0.0.1:1")
        terminal.answers("Benutzername (leer: keiner): ", radicale.user)
        terminal.answers("wird nicht angezeigt", "falsch")
        terminal.until("127.0.0.1:1 ist nicht zu erreichen")
        terminal.answers("Adresse des Servers [http://127.0.0.1:1]: ", radicale.url)
        terminal.until("nimmt die Anmeldung nicht an")
        assert not (tmp_path / ".env").exists()
        terminal.answers(f"keiner) [{radicale.user}]: ", "")
        terminal.answers("wird nicht angezeigt", radicale.password)
        listed = terminal.answers("Titel oder Kennung: ", "Gibt es nicht")
        assert listed.index("Digitale Strategie") < listed.index("Entwicklung im IT-Amt")
        terminal.until("gibt es keinen Kalender »Gibt es nicht«")
        terminal.answers("Titel oder Kennung: ", "digitale  strategie")
        terminal.until("rathaus ist mit »Digitale Strategie« verbunden")
        assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
        terminal.answers("Noch eine anschließen? [J/n]: ", "")
        terminal.answers("Nummer oder Name: ", "caldav")
        terminal.answers("[caldav]: ", "")
        terminal.answers("Adresse des Servers: ", radicale.url)
        terminal.answers("Benutzername (leer: keiner): ", radicale.user)
        terminal.answers("wird nicht angezeigt", radicale.password)
        listed = terminal.until("Titel oder Kennung: ")
        (number,) = [line.split()[0] for line in listed.splitlines() if "Entwicklung im IT-Amt" in line]
        terminal.types(number)
        terminal.answers("Noch eine anschließen? [j/N]: ", "n")
        terminal.until("Alles ist bereit.")
        terminal.until("anlegen: Aufgabe Straßen")
        terminal.until("strategy-bridge sync --accept")
        assert terminal.ends() == 0
    assert radicale.password not in terminal.raw.decode()
    assert "falsch" not in terminal.raw.decode()
    assert [rathaus.picture(), it.picture()] == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env"]
    assert run_in(tmp_path, "sync", "--accept").code == 0
    assert set(it.tasks()) == {"Straßen"}


@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_an_interrupted_session_writes_nothing(tmp_path: Path, key: bytes) -> None:
    with Terminal(tmp_path, "init", BRIDGE_LANGUAGE="en") as terminal:
        terminal.answers("Number or name: ", "caldav")
        terminal.answers("[caldav]: ", "amt")
        terminal.until("Address of the server: ")
        terminal.presses(key, "nothing was written")
        assert terminal.ends() == 130
    assert list(tmp_path.iterdir()) == []


def test_what_was_given_as_an_option_is_not_asked_for(tmp_path: Path, server: Radicale) -> None:
    with Terminal(tmp_path, "init", *calendar(server), BRIDGE_LANGUAGE="en") as terminal:
        asked = terminal.answers("Password (not shown", server.password)
        assert "Number or name" not in asked
        terminal.until("amt is connected with “Entwicklung”")
        terminal.answers("Connect another one? [Y/n]: ", "n")
        assert terminal.ends() == 0


def test_a_name_that_is_taken_can_be_used_anew(tmp_path: Path, server: Radicale) -> None:
    (tmp_path / "geheim").write_text(server.password, encoding="utf-8")
    assert script(tmp_path, *calendar(server, **{"password-file": "geheim"})).code == 0
    with Terminal(tmp_path, "init", *calendar(server, collection=""), BRIDGE_LANGUAGE="en") as terminal:
        terminal.answers("There is a connector amt already. Put new settings in place of its own? [y/N]: ", "y")
        terminal.answers("Password (not shown", server.password)
        terminal.answers("title or id: ", "Digitale Strategie")
        terminal.answers("Connect another one? [Y/n]: ", "n")
        assert terminal.ends() == 0
    assert lines(tmp_path) == {
        "BRIDGE_CONNECTORS": "amt",
        "AMT_TYPE": "caldav",
        "AMT_URL": server.url,
        "AMT_USER": server.user,
        "AMT_PASSWORD": server.password,
        "AMT_COLLECTION": "/anna/digital/",
    }


# ---- a script ------------------------------------------------------------------------------------------------------


def test_a_script_connects_two_and_sees_the_plan(tmp_path: Path, server: Radicale) -> None:
    (tmp_path / "geheim").write_text(f"{server.password}\n", encoding="utf-8")
    first = script(tmp_path, *calendar(server, **{"password-file": "geheim"}))
    assert first.code == 0, first.said
    assert "Connect a second platform" in first.said
    second = script(
        tmp_path, *calendar(server, name="rat", collection="/anna/digital/"), "--password-file=-", stdin=server.password
    )
    assert second.code == 0, second.said
    assert "first contact with “Digitale Strategie”" in second.said
    found = lines(tmp_path)
    assert found["BRIDGE_CONNECTORS"] == "amt,rat"
    assert found["AMT_PASSWORD_FILE"] == "geheim"
    assert found["RAT_PASSWORD"] == server.password
    assert "AMT_PASSWORD" not in found
    assert server.password not in first.said + second.said
    assert run_in(tmp_path, "check").code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "geheim"]


def test_a_secret_of_the_environment_stays_there(tmp_path: Path, server: Radicale) -> None:
    answer = script(tmp_path, *calendar(server), AMT_PASSWORD=server.password)
    assert answer.code == 0, answer.said
    assert "AMT_PASSWORD is not copied" in answer.said
    assert not [name for name in lines(tmp_path) if "PASSWORD" in name]


def test_a_machine_gets_one_value(tmp_path: Path, server: Radicale) -> None:
    answer = script(tmp_path, *calendar(server), "--json", AMT_PASSWORD=server.password)
    assert answer.code == 0
    assert answer.data["ok"] is True
    (one,) = answer.data["connected"]
    assert (one["name"], one["title"], one["collection"]) == ("amt", "Entwicklung", "/anna/it/")
    assert [each["title"] for each in one["found"]] == ["Archiv", "Digitale Strategie", "Entwicklung"]
    assert server.password not in answer.out + answer.err


@pytest.mark.parametrize(
    ("changes", "more", "code", "said"),
    [
        ({"type": "", "url": ""}, [], 2, "give --type"),
        ({"url": ""}, [], 2, "give --url"),
        ({"type": "nextcloud-deck", "url": "", "user": ""}, [], 2, "give --url, --user, --password-file"),
        ({"type": "kaldav"}, [], 2, "kaldav is no kind of platform: there is caldav"),
        ({"name": "ein amt"}, [], 2, "cannot be called “ein amt”"),
        ({"url": "http://dav.example.org"}, [], 2, "AMT_ALLOW_HTTP=true"),
        ({"url": "https://anna:geheim@dav.example.org"}, [], 2, "AMT_URL"),
        ({}, ["--password", "geheim-42"], 2, "does not belong on the command line"),
        ({}, ["--token=geheim-42"], 2, "does not belong on the command line"),
        ({}, ["--password-file", "gibt-es-nicht"], 2, "AMT_PASSWORD_FILE=gibt-es-nicht"),
    ],
)
def test_what_is_wrong_with_the_options_is_said_before_anything_is_sent(
    tmp_path: Path, server: Radicale, changes: dict[str, str], more: list[str], code: int, said: str
) -> None:
    with GoBetween(server.port) as way:
        given = changes if "url" in changes else {"url": way.url, **changes}
        answer = script(tmp_path, *calendar(server, **given), *more)
        assert way.seen == []
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.said
    assert "geheim-42" not in answer.said
    assert "anna:geheim" not in answer.said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "password", "said"),
    [
        ({}, "falsch", "does not accept our sign-in"),
        ({"url": "http://127.0.0.1:1"}, "", "127.0.0.1:1 cannot be reached"),
        ({"collection": "Gibt es nicht"}, "", "has no calendar “Gibt es nicht”; there are: Archiv, Digitale Strategie"),
        ({"collection": "Termine"}, "", "holds no tasks"),
        (
            {"collection": ""},
            "",
            "Choose one with --collection; there is: “Archiv”, “Digitale Strategie”, “Entwicklung”",
        ),
    ],
)
def test_what_a_platform_answers_ends_1_and_writes_nothing(
    tmp_path: Path, server: Radicale, changes: dict[str, str], password: str, said: str
) -> None:
    for form in ([], ["--json"]):
        answer = script(tmp_path, *calendar(server, **changes), *form, AMT_PASSWORD=password or server.password)
        assert answer.code == 1
        assert said in answer.said
        assert not form or json.loads(answer.out)["ok"] is False
        assert list(tmp_path.iterdir()) == []


def test_a_server_without_tls_is_told_in_a_sentence(tmp_path: Path, server: Radicale) -> None:
    secure = server.url.replace("http:", "https:")
    answer = script(tmp_path, *calendar(server, url=secure), AMT_PASSWORD=server.password)
    assert answer.code == 1
    assert "Traceback" not in answer.err
    assert server.password not in answer.said


def test_a_calendar_that_may_only_be_read_is_set_so(tmp_path: Path, server: Radicale) -> None:
    answer = script(tmp_path, *calendar(server, collection="Archiv"), AMT_PASSWORD=server.password)
    assert answer.code == 0, answer.said
    assert lines(tmp_path)["AMT_MODE"] == "read-only"


def test_other_lines_stay_and_rights_are_tightened(tmp_path: Path, server: Radicale) -> None:
    old = "# von Hand\nBRIDGE_TIMEZONE=Europe/Berlin # Stadt\n"
    (tmp_path / ".env").write_text(old, encoding="utf-8")
    (tmp_path / ".env").chmod(0o644)
    answer = script(tmp_path, *calendar(server), AMT_PASSWORD=server.password)
    assert answer.code == 0
    assert "Others could read that file" in answer.said
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / ".env").read_text(encoding="utf-8").startswith(old)


def test_a_taken_name_is_refused_and_replaced_on_demand(tmp_path: Path, server: Radicale) -> None:
    assert script(tmp_path, *calendar(server), "--password-file=-", stdin=server.password).code == 0
    before = (tmp_path / ".env").read_bytes()
    refused = script(tmp_path, *calendar(server, collection="Archiv"), "--password-file=-", stdin=server.password)
    assert refused.code == 2
    assert (tmp_path / ".env").read_bytes() == before
    other = calendar(server, name="AMT", collection="Digitale Strategie")
    (tmp_path / "geheim").write_text(server.password, encoding="utf-8")
    assert script(tmp_path, *other, "--replace", "--password-file=geheim").code == 0
    found = lines(tmp_path)
    assert found["BRIDGE_CONNECTORS"] == "amt"
    assert found["AMT_COLLECTION"] == "/anna/digital/"
    assert found["AMT_PASSWORD_FILE"] == "geheim"
    assert "AMT_PASSWORD" not in found


def test_one_collection_belongs_to_one_connector(tmp_path: Path, server: Radicale) -> None:
    assert script(tmp_path, *calendar(server), AMT_PASSWORD=server.password).code == 0
    before = (tmp_path / ".env").read_bytes()
    env = {"AMT_PASSWORD": server.password, "RAT_PASSWORD": server.password}
    answer = script(tmp_path, *calendar(server, name="rat"), **env)
    assert answer.code == 2
    assert "amt and rat" in answer.said
    assert (tmp_path / ".env").read_bytes() == before


@pytest.mark.parametrize("name", ["BRIDGE_CONNECTORS", "AMT_URL"])
def test_the_environment_that_goes_before_is_told(tmp_path: Path, server: Radicale, name: str) -> None:
    other = {"BRIDGE_CONNECTORS": "x", "X_TYPE": "memory", "X_URL": "memory://x"}
    env = other if name == "BRIDGE_CONNECTORS" else {"AMT_URL": "https://anders.example.org"}
    answer = script(tmp_path, *calendar(server), AMT_PASSWORD=server.password, **env)
    assert answer.code == 2
    assert name in answer.said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["A='offen\n", "BRIDGE_CONNECTORS=x\n"])
def test_settings_that_are_wrong_already_come_first(tmp_path: Path, server: Radicale, text: str) -> None:
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    with GoBetween(server.port) as way:
        answer = script(tmp_path, *calendar(server, url=way.url), AMT_PASSWORD=server.password)
        assert way.seen == []
    assert (answer.code, answer.out) == (2, "")
    assert (tmp_path / ".env").read_text(encoding="utf-8") == text


def test_a_deck_a_gitlab_and_a_file_are_connected_just_so(tmp_path: Path) -> None:
    (tmp_path / "plan.csv").write_text("Titel;Status\n", encoding="utf-8")
    os.utime(tmp_path / "plan.csv", (1e9, 1e9))
    with Deck() as deck, GitLab() as gitlab:
        deck.board("Digitale Strategie")
        gitlab.project("amt/strategie")
        url, password = deck.url, deck.accounts["bridge"][1]
        board = ["--type=nextcloud-deck", f"--url={url}", "--user=bridge", "--collection=digitale strategie"]
        answer = script(tmp_path, *board, "--password-file=-", stdin=password)
        assert answer.code == 0, answer.said
        answer = script(tmp_path, "--type=gitlab", f"--url={gitlab.url}", "--token-file=-", stdin="glpat-bridge")
        assert answer.code == 0, answer.said  # the one project that there is
        answer = script(tmp_path, "--type=workbook", "--name=plan")
        assert answer.code == 0, answer.said  # the one file that there is
        assert lines(tmp_path)["BRIDGE_CONNECTORS"] == "nextcloud_deck,gitlab,plan"
        assert lines(tmp_path)["GITLAB_COLLECTION"] == "amt/strategie"
        assert lines(tmp_path)["PLAN_COLLECTION"].endswith("plan.csv")
        assert run_in(tmp_path, "check").code == 0


# ---- small things --------------------------------------------------------------------------------------------------


class Scripted(Person):
    """A person who says these things, in this order."""

    def __init__(self, *answers: str) -> None:
        self.out = io.StringIO()
        super().__init__(Screen(texts("en"), out=self.out, err=self.out))
        self.left = list(answers)

    def _typed(self, prompt: str) -> str:
        print(prompt, file=self.out)
        return self.left.pop(0)

    def secret(self, question: str, option: str) -> str:
        return self.left.pop(0)


def talk(kind: ConnectorType, person: Scripted, monkeypatch: pytest.MonkeyPatch, **options: str) -> Draft:
    monkeypatch.setattr("bridge.setup.connect.load_type", lambda _: kind)
    given = Given({"type": kind.name, "name": "m", **options})
    return Connecting(person._screen, person, given, [], {}, lambda _: ()).connect().draft


def test_a_type_that_lists_nothing_is_asked_what_it_does_not_find(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mute:
        """No list, and a collection that has to be named."""

        def __init__(self, access: Access) -> None:
            self._access, self._inner = access, MemoryConnector(platform_at("memory://stumm"))

        def identify(self, remembered: str | None = None) -> object:
            from connectors.errors import NotACollection

            if self._access.collection != "links":
                raise NotACollection("There is none of that name.", found=("links", "rechts"))
            return self._inner.identify()

    kind = replace(MEMORY, connect=Mute, needs=("url", "collection"))  # type: ignore[arg-type]
    person = Scripted("falsch", "1")
    assert talk(kind, person, monkeypatch, url="memory://stumm").collection == "links"
    assert "“links”, “rechts”" in person.out.getvalue()


def test_plain_http_elsewhere_is_allowed_by_a_person_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(access: Access) -> Connector:
        return MemoryConnector(platform_at("memory://offen"))

    kind = replace(MEMORY, connect=connect)
    person = Scripted("n", "https://dav.example.org", "y")
    draft = talk(kind, person, monkeypatch, url="http://dav.example.org")
    assert (draft.url, draft.allow_http) == ("https://dav.example.org", False)
    draft = talk(kind, Scripted("y", "y"), monkeypatch, url="http://dav.example.org")
    assert draft.settings()["M_ALLOW_HTTP"] == "true"


def test_a_terminal_that_cannot_hide_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def visible(prompt: str) -> str:
        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
        return "sichtbar"

    monkeypatch.setattr(getpass, "getpass", visible)
    with pytest.raises(Stop, match="--password-file"):
        Person(Screen(texts("en"))).secret("Password", "--password-file")


def test_addresses_and_names_are_completed() -> None:
    assert complete(" cloud.example.org/x ") == "https://cloud.example.org/x"
    assert complete("http://localhost") == "http://localhost"
    assert complete("") == ""
    assert suggested("nextcloud-deck", ()) == "nextcloud_deck"
    assert suggested("caldav", ["CalDav", "caldav2"]) == "caldav3"
    assert suggested("bridge", ()) != "bridge"


def test_a_draft_shows_no_secret() -> None:
    draft = Draft("m", MEMORY, secrets={"password": "geheim-42"})
    assert "geheim-42" not in repr(draft) + repr(draft.access())
