"""Settings: everything that is wrong is said at once, in words, and no secret with it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.engine import make_url

from bridge import config, registry
from bridge.config import SettingsError, load
from bridge.scope import EVERYTHING
from connectors.base import Access, Connector, ConnectorType
from mappings import schema

SECRET = "geheim-Q7!x"

MAPPING = """
platform = "board"
[kinds]
native = "labels"
elements = { milestone = ["Meilenstein"], task = [] }
[fields]
title = { native = "title" }
"""


def never(access: Access) -> Connector:
    raise AssertionError(f"nobody may connect while settings are read: {access.name}")


BOARD = ConnectorType("board", never, needs=("url", "user", "password", "collection"), mapping="board.toml")
TRACKER = ConnectorType("tracker", never, needs=("url", "token"), mapping="board.toml")
NOTHING = "not a connector type"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, with two kinds of platform whose mapping lies there."""
    (tmp_path / "board.toml").write_text(MAPPING, encoding="utf-8")
    monkeypatch.setattr(
        registry,
        "BUILT_IN",
        {
            "board": "tests.test_config:BOARD",
            "tracker": "tests.test_config:TRACKER",
            "broken": "tests.no_such_module:TYPE",
            "wrong": "tests.test_config:NOTHING",
        },
    )
    return tmp_path


def settings(**changes: str) -> dict[str, str]:
    """Settings that do, with changes; an empty value takes a setting away."""
    found = {
        "BRIDGE_CONNECTORS": "rathaus,labor",
        "BRIDGE_LANGUAGE": "en",
        "RATHAUS_TYPE": "board",
        "RATHAUS_URL": "https://cloud.example.org",
        "RATHAUS_USER": "bruecke",
        "RATHAUS_PASSWORD": SECRET,
        "RATHAUS_COLLECTION": "Digitale Strategie",
        "RATHAUS_MAPPING": "board.toml",
        "LABOR_TYPE": "tracker",
        "LABOR_URL": "http://127.0.0.1:5232/",
        "LABOR_TOKEN": SECRET,
        "LABOR_MAPPING": "board.toml",
    }
    return found | changes


def problems(folder: Path, **changes: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(settings(**changes), folder)
    said = "\n".join((*caught.value.problems, *caught.value.warnings, str(caught.value), repr(caught.value)))
    assert SECRET not in said
    return caught.value.problems


def only_problem(folder: Path, **changes: str) -> str:
    found = problems(folder, **changes)
    assert len(found) == 1, found
    return found[0]


# ---- what is right -------------------------------------------------------------------------------------------


def test_settings_that_do_are_read_with_their_defaults(folder: Path) -> None:
    found = load(settings(BRIDGE_LANGUAGE=""), folder)
    assert found.zone == ZoneInfo("Europe/Berlin")
    assert (found.language, found.interval, found.schedule) == ("de", 300, "")
    assert found.database_url == f"sqlite:///{folder}/bridge.db"
    assert found.warnings == ()
    rathaus, labor = found.connectors
    assert (rathaus.name, rathaus.type, rathaus.read_only) == ("rathaus", BOARD, False)
    assert rathaus.access == Access(
        "rathaus", "https://cloud.example.org", "bruecke", SECRET, collection="Digitale Strategie"
    )
    assert rathaus.mapping_path == folder / "board.toml"
    assert rathaus.mapping.platform == "board"
    assert labor.access.token == SECRET


def test_a_connectors_own_settings_are_read(folder: Path) -> None:
    changes = {"RATHAUS_MODE": "read-only", "RATHAUS_WRITES": "4", "RATHAUS_TIMEOUT": "5", "RATHAUS_ALLOW_HTTP": "true"}
    found = load(settings(RATHAUS_URL="http://intern.example.org", **changes), folder).connectors[0]
    assert found.read_only
    assert (found.access.writes, found.access.timeouts, found.access.allow_http) == (4, (10.0, 5.0), True)


def test_a_connector_has_everything_unless_a_scope_is_set(folder: Path) -> None:
    found = load(settings(), folder).connectors[0]
    assert (found.scope, found.release, found.access.confidential) == (EVERYTHING, "archive", False)


def test_a_scope_is_read_in_either_language(folder: Path) -> None:
    lines = ["RATHAUS_SCOPE='Art = Aufgabe und Schlagwort = \"Presse #1\"'", "RATHAUS_RELEASE=Delete"]
    (folder / ".env").write_text("\n".join([*lines, "RATHAUS_CONFIDENTIAL=ja"]), encoding="utf-8")
    found = load(settings(), folder).connectors[0]
    assert str(found.scope) == 'kind = task and label = "Presse #1"'
    assert (found.release, found.access.confidential) == ("delete", True)


def test_no_secret_is_in_the_repr(folder: Path) -> None:
    pytest.importorskip("psycopg")
    found = load(settings(BRIDGE_DATABASE_URL=f"postgresql://b:{SECRET}@db.example.org/bridge"), folder)
    assert make_url(found.database_url).password == SECRET
    assert SECRET not in repr(found)
    assert found.database_url not in repr(found)


def test_the_environment_goes_before_the_file_and_empty_is_not_set(folder: Path) -> None:
    lines = [f"{name}={value}" for name, value in settings(RATHAUS_USER="datei", RATHAUS_COLLECTION="Datei").items()]
    (folder / ".env").write_text("\n".join(lines), encoding="utf-8")
    found = load({"RATHAUS_USER": "umgebung", "RATHAUS_COLLECTION": ""}, folder)
    assert found.connectors[0].access.user == "umgebung"
    assert found.connectors[0].access.collection == "Datei"


def test_a_password_in_the_file_is_taken_as_it_is(folder: Path) -> None:
    (folder / ".env").write_text("RATHAUS_PASSWORD='a ${HOME} # \"b'\r\n", encoding="utf-8-sig")
    found = load(settings(RATHAUS_PASSWORD=""), folder)
    assert found.connectors[0].access.password == 'a ${HOME} # "b'


def test_secrets_come_from_files(folder: Path) -> None:
    (folder / "pw").write_text(" mit Leerzeichen \n", encoding="utf-8")
    (folder / "db").write_text("sqlite:///anderswo.db\r\n", encoding="utf-8")
    found = load(settings(RATHAUS_PASSWORD="", RATHAUS_PASSWORD_FILE="pw", BRIDGE_DATABASE_URL_FILE="db"), folder)
    assert found.connectors[0].access.password == " mit Leerzeichen "
    assert found.database_url == f"sqlite:///{folder}/anderswo.db"


@pytest.mark.parametrize("prefix", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_spelled_with_its_driver(folder: Path, prefix: str) -> None:
    pytest.importorskip("psycopg")
    found = load(settings(BRIDGE_DATABASE_URL=f"{prefix}://b:p%40ss@db.example.org:5433/bridge"), folder)
    assert found.database_url == "postgresql+psycopg://b:p%40ss@db.example.org:5433/bridge"


@pytest.mark.parametrize("url", ["http://127.0.0.7:80", "http://[::1]:5232/x/", "http://localhost", "memory"])
def test_plain_http_is_for_this_machine(folder: Path, url: str) -> None:
    assert load(settings(LABOR_URL=url.replace("memory", "tracker://lab?face=b")), folder).connectors[1].access.url


def test_a_schedule_means_what_cron_means(folder: Path) -> None:
    found = load(settings(BRIDGE_SCHEDULE="*/15 6-20 * * 1-5", BRIDGE_INTERVAL="60"), folder)
    assert found.schedule == "*/15 6-20 * * 1-5"
    assert any("BRIDGE_SCHEDULE counts" in warning for warning in found.warnings)


def test_two_users_may_have_a_collection_of_the_same_name(folder: Path) -> None:
    changes = {"LABOR_TYPE": "board", "LABOR_URL": "https://cloud.example.org/", "LABOR_PASSWORD": SECRET}
    assert load(settings(**changes, LABOR_USER="andere", LABOR_COLLECTION="Digitale Strategie"), folder)


# ---- what is wrong -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"BRIDGE_CONNECTORS": "rathaus,labor,büro"}, ["“büro”", "letters A to Z"]),
        ({"BRIDGE_CONNECTORS": "rathaus,labor,bridge"}, ["“bridge”", "Choose another"]),
        ({"BRIDGE_CONNECTORS": "rathaus,labor,bridge_database"}, ["“bridge_database”", "Choose another"]),
        ({"BRIDGE_CONNECTORS": "rathaus,labor,Labor"}, ["labor, Labor", "LABOR_"]),
        ({"BRIDGE_TIMEZONE": "Europe/Berlinn"}, ["BRIDGE_TIMEZONE=Europe/Berlinn", "Europe/Berlin?"]),
        ({"BRIDGE_TIMEZONE": "Europe"}, ["BRIDGE_TIMEZONE=Europe"]),
        ({"BRIDGE_TIMEZONE": "../../etc/passwd"}, ["BRIDGE_TIMEZONE=../../etc/passwd"]),
        ({"BRIDGE_INTERVAL": "0"}, ["BRIDGE_INTERVAL=0", "from 1"]),
        ({"BRIDGE_INTERVAL": "1_0"}, ["BRIDGE_INTERVAL=1_0"]),
        ({"BRIDGE_SCHEDULE": "täglich"}, ["BRIDGE_SCHEDULE=täglich", "five fields"]),
        ({"BRIDGE_SCHEDULE": "99 * * * *"}, ["BRIDGE_SCHEDULE=99 * * * *"]),
        ({"BRIDGE_DATABASE_URL": "bridge.db"}, ["BRIDGE_DATABASE_URL", "sqlite:///bridge.db"]),
        ({"BRIDGE_DATABASE_URL": f"mysql://b:{SECRET}@db/x?p={SECRET}"}, ["mysql", "sqlite or postgresql"]),
        ({"BRIDGE_DATABASE_URL": f"postgresql+psycopg2://b:{SECRET}@db/x"}, ["postgresql+psycopg2"]),
        ({"BRIDGE_DATABASE_URL": "sqlite://"}, ["outlast a pass"]),
        ({"BRIDGE_DATABASE_URL": "sqlite:///:memory:"}, ["outlast a pass"]),
        ({"BRIDGE_DATABASE_URL": "sqlite:///fehlt/bridge.db"}, ["fehlt/bridge.db", "create it"]),
        ({"BRIDGE_DATABASE_URL": "sqlite:///."}, ["cannot be written"]),
        ({"RATHAUS_TYPE": ""}, ["RATHAUS_TYPE is missing", "board, broken, "]),
        ({"RATHAUS_TYPE": "bord"}, ["RATHAUS_TYPE=bord", "“board”"]),
        ({"RATHAUS_TYPE": "jira"}, ["RATHAUS_TYPE=jira", "board, broken, "]),
        ({"RATHAUS_TYPE": "broken"}, ["RATHAUS_TYPE=broken", "no_such_module"]),
        ({"RATHAUS_TYPE": "wrong"}, ["RATHAUS_TYPE=wrong", "no ConnectorType"]),
        (
            {"RATHAUS_SCOPE": "Art = Aufgbe"},
            ["RATHAUS_SCOPE=Art = Aufgbe", "at 7, “Aufgbe”", 'Did you mean "Aufgabe"?'],
        ),
        ({"RATHAUS_SCOPE": "label in (a"}, ["RATHAUS_SCOPE", "at its end: expected here is “,” or a closing bracket"]),
        ({"RATHAUS_RELEASE": "forget"}, ["RATHAUS_RELEASE=forget", "archive, delete, leave"]),
        ({"RATHAUS_CONFIDENTIAL": "perhaps"}, ["RATHAUS_CONFIDENTIAL=perhaps", "true, false"]),
        ({"RATHAUS_URL": ""}, ["RATHAUS_URL is missing and board needs it"]),
        ({"RATHAUS_URL": "cloud.example.org"}, ["RATHAUS_URL=cloud.example.org", "https://"]),
        ({"RATHAUS_URL": "https://"}, ["RATHAUS_URL=https://"]),
        ({"RATHAUS_URL": "https://cloud.example.org:hundert"}, ["RATHAUS_URL"]),
        ({"RATHAUS_URL": "https://[::1"}, ["RATHAUS_URL"]),
        ({"RATHAUS_URL": "ftp://cloud.example.org"}, ["RATHAUS_URL=ftp://cloud.example.org"]),
        ({"RATHAUS_URL": f"https://b:{SECRET}@cloud.example.org"}, ["before the @", "RATHAUS_PASSWORD"]),
        ({"RATHAUS_URL": f"b:{SECRET}@cloud.example.org"}, ["before the @"]),
        ({"RATHAUS_URL": f"https://b:{SECRET}@cloud.example.org:x"}, ["RATHAUS_URL"]),
        ({"RATHAUS_URL": f"http://cloud.example.org/?t={SECRET}"}, ["RATHAUS_ALLOW_HTTP=true"]),
        ({"RATHAUS_URL": "http://127.0.0.1.example.org"}, ["RATHAUS_ALLOW_HTTP=true"]),
        ({"RATHAUS_USER": ""}, ["RATHAUS_USER is missing"]),
        ({"RATHAUS_PASSWORD": ""}, ["set RATHAUS_PASSWORD or RATHAUS_PASSWORD_FILE"]),
        ({"RATHAUS_PASSWORD_FILE": "pw"}, ["RATHAUS_PASSWORD and RATHAUS_PASSWORD_FILE are both set"]),
        ({"RATHAUS_PASSWORD": "", "RATHAUS_PASSWORD_FILE": "fehlt"}, ["RATHAUS_PASSWORD_FILE=fehlt", "No such file"]),
        ({"RATHAUS_PASSWORD": "", "RATHAUS_PASSWORD_FILE": "."}, ["RATHAUS_PASSWORD_FILE=.", "directory"]),
        ({"RATHAUS_MODE": "readonly"}, ["RATHAUS_MODE=readonly", "two-way, read-only"]),
        ({"RATHAUS_ALLOW_HTTP": "vielleicht"}, ["RATHAUS_ALLOW_HTTP=vielleicht"]),
        ({"RATHAUS_WRITES": "65"}, ["RATHAUS_WRITES=65", "1 to 64"]),
        ({"RATHAUS_WRITES": "-1"}, ["RATHAUS_WRITES=-1"]),
        ({"RATHAUS_TIMEOUT": "bald"}, ["RATHAUS_TIMEOUT=bald"]),
        ({"RATHAUS_GUARD_DESTROYED": "viele"}, ["RATHAUS_GUARD_DESTROYED=viele"]),
        ({"RATHAUS_MAPPING": "fehlt.toml"}, ["RATHAUS_MAPPING", "fehlt.toml"]),
        ({"BRIDGE_LANGUAGE": "fr"}, ["BRIDGE_LANGUAGE=fr", "de, en"]),
    ],
)
def test_each_mistake_is_named_with_its_remedy(folder: Path, changes: dict[str, str], words: list[str]) -> None:
    said = only_problem(folder, **changes)
    assert all(word in said for word in words), said


@pytest.mark.parametrize("content", [b"", b"\n", f"{SECRET}\n{SECRET}\n".encode(), b"\xff\xfe" + SECRET.encode()])
def test_a_file_of_a_secret_holds_one_line_and_is_never_repeated(folder: Path, content: bytes) -> None:
    (folder / "pw").write_bytes(content)
    assert "RATHAUS_PASSWORD_FILE=pw" in only_problem(folder, RATHAUS_PASSWORD="", RATHAUS_PASSWORD_FILE="pw")


def test_every_problem_is_said_at_once(folder: Path) -> None:
    (folder / "wrong.toml").write_text(MAPPING + 'due = { nativ = "duedate" }\n', encoding="utf-8")
    (folder / ".env").write_text(f'RATHAUS_PASSWORD="{SECRET}\nnicht zu verstehen {SECRET}\n', encoding="utf-8")
    found = "\n".join(
        problems(
            folder,
            BRIDGE_TIMEZONE="Mond",
            BRIDGE_INTERVAL="nie",
            BRIDGE_DATABASE_URL="oracle://x/y",
            RATHAUS_PASSWORD="",
            RATHAUS_MAPPING="wrong.toml",
            LABOR_TYPE="trakcer",
            LABOR_URL="labor",
            LABOR_MODE="lesend",
        )
    )
    named = ("line 1", "line 2", "BRIDGE_TIMEZONE", "BRIDGE_INTERVAL", "BRIDGE_DATABASE_URL", "LABOR_TYPE", "LABOR_URL")
    for word in (*named, "LABOR_MODE", "RATHAUS_PASSWORD ", "wrong.toml", "nativ"):
        assert word in found, word


def test_one_collection_belongs_to_one_connector(folder: Path) -> None:
    changes = {"LABOR_TYPE": "board", "LABOR_URL": "HTTPS://Cloud.Example.org:443/", "LABOR_PASSWORD": SECRET}
    said = only_problem(folder, **changes, LABOR_USER="bruecke", LABOR_COLLECTION="  digitale STRATEGIE")
    assert "rathaus and labor point to the same collection" in said


def test_without_settings_the_file_to_copy_and_the_next_command_are_named(folder: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load({}, folder)
    (said,) = caught.value.problems
    copied = re.search(r"»cp (\S+) \.env«", said)
    assert copied, said
    assert (folder / copied[1]).is_file()
    assert "»strategy-bridge check«" in said


def test_the_example_in_the_folder_is_preferred(folder: Path) -> None:
    (folder / ".env.example").touch()
    with pytest.raises(SettingsError, match=r"cp \.env\.example \.env"):
        load({"BRIDGE_LANGUAGE": "en"}, folder)


def test_a_file_that_names_no_connectors_is_named(folder: Path) -> None:
    (folder / ".env").write_text("BRIDGE_LANGUAGE=en\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"BRIDGE_CONNECTORS is missing in .*\.env"):
        load({}, folder)


def test_a_file_in_another_encoding_is_named(folder: Path) -> None:
    (folder / ".env").write_bytes("RATHAUS_USER=brücke".encode("latin-1"))
    assert "UTF-8" in only_problem(folder)


def test_problems_are_said_in_german_too(folder: Path) -> None:
    assert "Möglich ist two-way, read-only" in only_problem(folder, BRIDGE_LANGUAGE="DE", RATHAUS_MODE="lesend")


# ---- what is doubtful ----------------------------------------------------------------------------------------


def test_a_setting_that_nothing_reads_is_hinted_at(folder: Path) -> None:
    (folder / ".env").write_text("RATHAUS_FARBE=blau\nANDERE_FARBE=rot\nRATHAUS_FARBE=rot\n", encoding="utf-8")
    found = load(settings(RATHAUS_COLECTION=SECRET, RATHAUS_KEY="x", BRIDGE_TIME_ZONE="UTC"), folder).warnings
    said = "\n".join(found)
    assert "RATHAUS_COLECTION is not known: did you mean RATHAUS_COLLECTION?" in found
    assert "BRIDGE_TIME_ZONE is not known: did you mean BRIDGE_TIMEZONE?" in found
    assert "RATHAUS_FARBE is not known" in said
    assert "more than once" in said
    assert "ANDERE_FARBE" not in said
    assert "RATHAUS_KEY" not in said
    assert SECRET not in said


def test_a_single_connector_has_nothing_to_mirror_to(folder: Path) -> None:
    assert "two connectors" in load(settings(BRIDGE_CONNECTORS="rathaus"), folder).warnings[0]


def test_no_setting_of_one_connector_can_be_read_as_anothers() -> None:
    names = config.CONNECTOR_SETTINGS
    assert not [(one, other) for one in names for other in names if one.endswith(f"_{other}")]


# ---- the kinds of platform -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(registry.BUILT_IN))
def test_each_built_in_type_loads_and_ships_its_mapping(name: str) -> None:
    found = registry.load_type(name)
    assert found.name == name
    assert set(found.needs) <= set(Access.__dataclass_fields__)
    assert schema.load(schema.shipped(found.mapping))


def test_a_third_partys_type_comes_in_by_the_same_door(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    info = tmp_path / "site" / "fremd-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fremd\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\nfremd = tests.test_config:TRACKER\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert "fremd" in registry.type_names()
    assert load(settings(LABOR_TYPE="fremd"), folder).connectors[1].type is TRACKER


def test_reading_settings_needs_no_scheduler() -> None:
    """APScheduler costs start-up time that only `run` needs."""
    code = "import sys, bridge.config; sys.exit('apscheduler' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[1]).returncode == 0


def test_what_others_say_of_a_mapping_and_a_schedule_is_said_in_german_too(folder: Path) -> None:
    (folder / "board.toml").write_text(MAPPING + 'farbe = { native = "x" }\n', encoding="utf-8")
    with pytest.raises(SettingsError) as failure:
        load(settings(BRIDGE_LANGUAGE="de", BRIDGE_SCHEDULE="* * * *"), folder)
    said = "\n".join(failure.value.problems)
    assert "ist hier kein Schlüssel. Bekannt sind:" in said
    assert "(4 Felder statt 5)" in said


@pytest.mark.parametrize(
    ("said", "meant"), [("20", (20, 0.0)), ("5 25%", (5, 0.25)), ("0, 100 %", (0, 1.0)), (None, (3, 0.1))]
)
def test_the_limits_of_the_guard(folder: Path, said: str | None, meant: tuple[int, float]) -> None:
    found = load(settings(RATHAUS_GUARD_DESTROYED=said or ""), folder).connectors[0]
    assert (found.thresholds.destroyed, found.thresholds.made) == (meant, (50, 0.5))
