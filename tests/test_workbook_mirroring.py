"""A sheet on a server and a table of text here: whose time counts, and what stops a pass but deletes nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge import commands, config
from bridge.ledger import open_ledger
from bridge.sync import Outcome, run_pass
from tests.fakes.nextcloud_files import PASSWORD, USER, Cloud
from tests.office import GONE, Row, SheetOffice, TextOffice, here

NAME = "Plan.xlsx"


class Town:
    """Two offices and the bridge between them. Times are seconds ago, so that every save has come to rest."""

    def __init__(self, folder: Path, cloud: Cloud) -> None:
        self.cloud, self.path = cloud, folder / "plan.csv"
        self.ago = 1_000.0
        load, store = here(self.path)
        self.amt = TextOffice(load, lambda content: (store(content), self.aged()))
        self.sheet = SheetOffice(
            lambda: cloud.files[NAME].content, lambda content: cloud.save(NAME, content, ago=self.ago)
        )
        said = {
            "BRIDGE_CONNECTORS": "amt,cloud",
            "AMT_TYPE": "workbook",
            "AMT_COLLECTION": str(self.path),
            "CLOUD_TYPE": "workbook",
            "CLOUD_URL": cloud.url(NAME),
            "CLOUD_USER": USER,
            "CLOUD_PASSWORD": PASSWORD,
        }
        self.settings = config.load(said, folder)

    def aged(self) -> None:
        os.utime(self.path, (time.time() - self.ago,) * 2)

    def sync(self, *, accept: bool = True) -> Outcome:
        """A pass with connectors of its own, as the command has them."""
        with open_ledger(self.settings.database_url) as store:
            outcome = run_pass(store, commands.peers_of(self.settings), accept=accept)
        for save in (self.aged, lambda: self.cloud.save(NAME, self.cloud.files[NAME].content, ago=self.ago)):
            save()
        return outcome

    def rows(self) -> tuple[dict[str, Row], dict[str, Row]]:
        return {row["Titel"]: row for row in self.amt.rows()}, {row["Titel"]: row for row in self.sheet.rows()}

    def add(self, *titles: str) -> None:
        for title in titles:
            self.amt.add({"Titel": title, "Schlagworte": f"tag-{title}", "Status": "Geplant"})


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with Cloud() as cloud:
        yield Town(tmp_path, cloud)


def test_everything_that_has_a_column_goes_over_and_comes_to_rest(town: Town) -> None:
    town.add("Eins", "Zwei")
    town.amt.add({"Titel": "Drei", "Schlagworte": "tag-Drei", "Abhängig von": "Eins; Zwei", "Fällig": "1.12.26"})
    town.sync()
    sheet = town.rows()[1]
    assert set(sheet["Drei"]["Abhängig von"].split("; ")) == {"Eins", "Zwei"}
    assert sheet["Drei"]["Fällig"] == "2026-12-01"
    town.sync()
    outcome = town.sync()
    assert sum(one.created + one.updated for one in outcome.connectors.values()) == 0


def test_the_time_of_a_file_is_the_time_of_those_rows_alone_that_changed(town: Town) -> None:
    """The sheet is saved last, for another row: what it says of the first one is no newer for that (R1, R4)."""
    town.add("Eins", "Zwei")
    town.sync()
    town.sync()
    town.ago = 500
    town.amt.edit("tag-Eins", "Fällig", "2026-05-04")
    town.ago = 100
    town.sheet.edit("tag-Zwei", "Fällig", "2026-06-08")
    town.sync()
    amt, sheet = town.rows()
    assert {one["Eins"]["Fällig"] for one in (amt, sheet)} == {"2026-05-04"}
    assert {one["Zwei"]["Fällig"] for one in (amt, sheet)} == {"2026-06-08"}


@pytest.mark.parametrize(("amt", "sheet", "stands"), [(500, 100, "2026-06-08"), (100, 500, "2026-05-04")])
def test_of_two_edits_of_one_row_that_of_the_later_file_stands(town: Town, amt: int, sheet: int, stands: str) -> None:
    town.add("Eins")
    town.sync()
    town.sync()
    town.ago = amt
    town.amt.edit("tag-Eins", "Fällig", "2026-05-04")
    town.ago = sheet
    town.sheet.edit("tag-Eins", "Fällig", "2026-06-08")
    town.sync()
    assert {one["Eins"]["Fällig"] for one in town.rows()} == {stands}


def test_a_restored_version_of_the_file_is_not_taken_for_edits(town: Town) -> None:
    """Restoring sets the time of the file back (measured on Nextcloud 32.0.1), under a new ETag (R5)."""
    titles = [f"Nr. {number}" for number in range(6)]
    town.add(*titles)
    town.sync()
    town.sync()
    old = town.cloud.files[NAME].content
    town.ago = 500
    for title in titles:
        town.amt.edit(f"tag-{title}", "Fällig", "2026-05-04")
    town.sync()
    town.sync()
    town.cloud.save(NAME, old, ago=900)
    outcome = town.sync(accept=False)
    assert {row["Fällig"] for row in town.amt.rows()} == {"2026-05-04"}
    assert outcome.exit_code != 0
    assert "older" in str(outcome)


def test_a_file_that_is_gone_or_broken_stops_itself_and_deletes_nothing(town: Town) -> None:
    town.add("Eins", "Zwei", "Drei", "Vier")
    town.sync()
    before = town.amt.load()
    file = town.cloud.files.pop(NAME)
    with open_ledger(town.settings.database_url) as store:
        outcome = run_pass(store, commands.peers_of(town.settings), accept=True)
    assert "PLAN" not in str(outcome.connectors["amt"].error)
    assert "CLOUD_URL" in str(outcome.connectors["cloud"].error)
    town.cloud.files[NAME] = file
    town.cloud.save(NAME, file.content[: len(file.content) // 2])
    with open_ledger(town.settings.database_url) as store:
        outcome = run_pass(store, commands.peers_of(town.settings), accept=True)
    assert "cannot be opened" in str(outcome.connectors["cloud"].error)
    assert town.amt.load() == before


def test_a_locked_file_is_written_when_it_is_free_again(town: Town) -> None:
    town.add("Eins", "Zwei")
    town.sync()
    town.sync()
    town.ago = 500
    town.amt.edit("tag-Eins", "Fällig", "2026-05-04")
    town.amt.edit("tag-Zwei", "Fällig", "2026-05-04")
    town.cloud.files[NAME].locked = True
    outcome = town.sync()
    assert "locked" in str(outcome.connectors["cloud"].error)
    assert {row["Fällig"] for row in town.sheet.rows()} == {""}
    town.cloud.files[NAME].locked = False
    town.sync()
    assert {row["Fällig"] for row in town.sheet.rows()} == {"2026-05-04"}


def test_a_row_that_was_deleted_is_archived_elsewhere(town: Town) -> None:
    town.add("Eins", "Zwei", "Drei")
    town.sync()
    town.sync()
    town.sheet.remove("tag-Zwei")
    town.sync()
    amt, sheet = town.rows()
    assert (amt["Zwei"]["Status"], "Zwei" in sheet) == (GONE, False)
    assert (amt["Eins"]["Status"], amt["Drei"]["Status"]) == ("Geplant", "Geplant")
