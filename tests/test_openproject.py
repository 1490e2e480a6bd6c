"""The connector to OpenProject: the contract on a fake, for tasks and for milestones.

The traps have a test each in test_openproject_identity.py, test_openproject_lists.py, test_openproject_reads.py,
test_openproject_writes.py, test_openproject_versions.py, test_openproject_text.py and test_openproject_mirroring.py;
test_openproject_fake.py holds the fake itself to the facts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from connectors.base import Abilities, Alive, Connector, Fields, Hidden, Record
from connectors.testing import ConnectorContract, Platform, find
from tests.fakes.openproject import OpenProject
from tests.openproject_person import OpenProjectPerson

LIVE = tuple(os.environ.get(f"LIVE_OPENPROJECT_{name}", "") for name in ("URL", "TOKEN", "PROJECT"))


class TestTasksOnTheFake(ConnectorContract):
    """Every promise of the protocol, in both languages, on a new release, an old one and under a path."""

    @pytest.fixture(params=["en", "de", "old", "path"])
    def platform(self, request: pytest.FixtureRequest) -> Iterator[OpenProjectPerson]:
        language = request.param if request.param in ("en", "de") else "en"
        with OpenProject(language, "/openproject" if request.param == "path" else "") as server:
            server.old = request.param == "old"
            person = OpenProjectPerson(server.url, "opapi-anna", server.project().identifier, "opapi-bridge")
            yield person
            person.close()


class _MakesMilestones:
    """A connector that makes milestones where it is told nothing else; all the rest is the connector's own."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    @property
    def abilities(self) -> Abilities:
        own = self._connector.abilities
        return replace(own, defaults={**own.defaults, "type": "2"})

    def create(self, fields: Fields, mark: str) -> Record:
        return self._connector.create({"type": "milestone", **fields}, mark)


class MilestonePerson(OpenProjectPerson):
    """The same person at the milestones."""

    milestones = True

    def connect(self) -> Connector:
        return _MakesMilestones(super().connect())  # type: ignore[return-value]


class TestMilestonesOnTheFake(ConnectorContract):
    """The same promises, kept for work packages that have one date."""

    @pytest.fixture
    def platform(self) -> Iterator[MilestonePerson]:
        with OpenProject() as server:
            person = MilestonePerson(server.url, "opapi-anna", server.project().identifier, "opapi-bridge")
            yield person
            person.close()


class TestTasksOfAMember(ConnectorContract):
    """The same promises to an account that is no administrator, to whom nothing proves a deletion (R21)."""

    @pytest.fixture
    def platform(self) -> Iterator[OpenProjectPerson]:
        with OpenProject() as server:
            server.bridge.admin = False
            person = OpenProjectPerson(server.url, "opapi-anna", server.project().identifier, "opapi-bridge")
            yield person
            person.close()

    def test_a_deleted_record_is_gone(self, platform: Platform, connector: Connector) -> None:
        record, other = find(connector, platform.add("eins")), platform.add("zwei")
        connector.delete(record.ref, record.version)
        assert connector.probe(record.ref) == Hidden(unsure=True)
        assert connector.pull(None, {}).present == {other}

    def test_a_probe_proves_that_a_record_is_gone(self, platform: Platform, connector: Connector) -> None:
        record, other = find(connector, platform.add("eins")), find(connector, platform.add("zwei"))
        platform.remove(record.ref.native_id)
        assert connector.probe(record.ref) == Hidden(unsure=True)
        assert isinstance(connector.probe(other.ref), Alive)


if all(LIVE):

    @pytest.mark.live
    class TestOnALiveOpenProject(ConnectorContract):
        """The same promises, to an administrator, in an empty project of yours: what is in it is deleted."""

        @pytest.fixture
        def platform(self) -> Iterator[OpenProjectPerson]:
            person = OpenProjectPerson(*LIVE)
            found = person.call("GET", f"/projects/{LIVE[2]}/work_packages?filters=[]&pageSize=100")
            for one in found["_embedded"]["elements"]:
                person.remove(str(one["id"]))
            yield person
            person.close()

else:

    @pytest.mark.live
    def test_on_a_live_openproject() -> None:
        pytest.skip("LIVE_OPENPROJECT_URL, LIVE_OPENPROJECT_TOKEN and LIVE_OPENPROJECT_PROJECT are not set")
