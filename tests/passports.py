"""Makes the passports in docs/passports/: `make passports`. Each platform runs on loopback and is thrown away.

A passport of a real program says which; one of a stand-in says so in its first line, since it shows only what our
papers about that platform say. What may differ from run to run is left out by `without_chance`.
"""

from __future__ import annotations

import contextlib
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl

from bridge import config
from bridge.passport import paper
from bridge.passport.bench import Bench
from bridge.passport.command import take
from bridge.passport.manners import traffic
from bridge.passport.report import Passport
from bridge.texts import texts
from tests import redmine_server
from tests.fakes.deck import Deck
from tests.fakes.gitlab import GitLab
from tests.fakes.openproject import OpenProject
from tests.radicale_server import Radicale
from tests.redmine_server import Redmine
from tests.workbook_person import HEADERS

FOLDER = Path(__file__).parents[1] / "docs" / "passports"
STAND_IN = "a **stand-in on loopback**, not a live server: it does what our papers say of the real one"

Place = tuple[dict[str, str], str]
"""The settings of a connector called ``probe``, and on what it is measured."""


@contextlib.contextmanager
def radicale() -> Iterator[Place]:
    with Radicale() as server:
        path = server.calendar("test", "Test")
        settings = {"TYPE": "caldav", "URL": server.url + path, "USER": server.user, "PASSWORD": server.password}
        yield settings, f"Radicale {version('radicale')}, a real server on loopback"


@contextlib.contextmanager
def redmine() -> Iterator[Place]:
    with Redmine() as server:
        project = server.project(name="Test")["identifier"]
        settings = {"TYPE": "redmine", "URL": server.url, "TOKEN": server.keys["bruecke"], "COLLECTION": project}
        yield settings, "Redmine 5.0.4 with German default data and Textile, a real server on loopback"


@contextlib.contextmanager
def excel() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "Test.xlsx"
        book = openpyxl.Workbook()
        book.worksheets[0].append([head for name, head in HEADERS.items() if name != "id"])
        book.save(path)
        yield {"TYPE": "workbook", "COLLECTION": str(path)}, "an .xlsx file with a column for every field"


@contextlib.contextmanager
def table() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "Test.csv"
        heads = [head for name, head in HEADERS.items() if name != "id"]
        path.write_text(";".join(heads) + "\r\n", encoding="utf-8")
        yield {"TYPE": "workbook", "COLLECTION": str(path)}, "a .csv file with a column for every field"


@contextlib.contextmanager
def deck() -> Iterator[Place]:
    with Deck() as server:
        server.board("Test")
        login, password = "bridge", server.accounts["bridge"][1]
        settings = {"TYPE": "nextcloud-deck", "URL": server.url, "USER": login, "PASSWORD": password}
        yield settings | {"COLLECTION": "Test"}, STAND_IN


@contextlib.contextmanager
def gitlab() -> Iterator[Place]:
    with GitLab() as server:
        server.project("amt/test")
        settings = {"TYPE": "gitlab", "URL": server.url, "TOKEN": "glpat-bridge", "COLLECTION": "amt/test"}
        yield settings, STAND_IN


@contextlib.contextmanager
def openproject() -> Iterator[Place]:
    with OpenProject() as server:
        server.project("test")
        settings = {"TYPE": "openproject", "URL": server.url, "TOKEN": "opapi-bridge", "COLLECTION": "test"}
        yield settings, STAND_IN


PLACES: dict[str, Callable[[], contextlib.AbstractContextManager[Place]]] = {
    "caldav-radicale": radicale,
    "redmine": redmine,
    "workbook-xlsx": excel,
    "workbook-csv": table,
    "nextcloud-deck": deck,
    "gitlab": gitlab,
    "openproject": openproject,
}


def measured(settings: dict[str, str]) -> Passport:
    """The passport of what these settings point to; everything that was made there is gone again."""
    given = {"BRIDGE_CONNECTORS": "probe", **{f"PROBE_{name}": value for name, value in settings.items()}}
    with tempfile.TemporaryDirectory() as folder:
        (one,) = config.load(given, Path(folder)).connectors
    bench = Bench(one, ZoneInfo("Europe/Berlin"))
    found = bench.identify()
    result = Passport(one.name, found.type, found.host, found.title)
    take(bench, result, records=3)
    result.left = bench.clean()
    result.facts["requests"] = traffic(bench)
    result.facts.pop("clock", None)  # on loopback there is one clock; a stand-in has any
    return result


def without_chance(text: str) -> str:
    """A passport without what differs from run to run, or from one version of a server to the next."""
    t = texts("en")
    requests = re.escape(t("passport.fact.requests"))
    return re.sub(rf"^(\| {requests} \||Measured on: ).*\n", "", text, flags=re.MULTILINE)


def main(*names: str) -> None:
    """Make those that are named, or all that this machine can make."""
    FOLDER.mkdir(exist_ok=True)
    for name in names or PLACES:
        if name == "redmine" and redmine_server.lacking():
            print(f"{name}: {redmine_server.lacking()}")
            continue
        with PLACES[name]() as (settings, where):
            result = measured(settings)
        (FOLDER / f"{name}.md").write_text(paper.markdown(texts("en"), result, where), encoding="utf-8")
        print(f"{name}: {paper.summary(texts('en'), result)} {'' if result.ok else result.left or result.failure}")


if __name__ == "__main__":
    main(*sys.argv[1:])
