"""Versions, which say what belongs to a milestone: made, chosen, renamed, and left alone (ADR 0018)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.base import Record, RenamesOptions
from connectors.errors import NotFound, Rejected
from connectors.openproject import OpenProjectConnector
from tests.fakes.openproject import OpenProject
from tests.fakes.openproject_model import Project, WorkPackage
from tests.openproject_tools import find, ready, shown


@pytest.fixture
def server() -> Iterator[OpenProject]:
    with OpenProject() as running:
        yield running


@pytest.fixture
def project(server: OpenProject) -> Project:
    return server.project()


@pytest.fixture
def made(server: OpenProject, project: Project) -> WorkPackage:
    return server.add(project, "eins")


@pytest.fixture
def connector(server: OpenProject, project: Project) -> OpenProjectConnector:
    return ready(server)


def write(connector: OpenProjectConnector, called: str, **fields: Any) -> Record:
    record = find(connector, called)
    return connector.update(record.ref, fields, record.version)


def test_a_version_is_made_where_there_is_none(
    server: OpenProject, project: Project, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    record = write(connector, "eins", versions=("+Portal",))
    [version] = server.world.versions.values()
    assert (version.name, version.project, made.versions) == ("Portal", project.id, [version.id])
    assert record.options == {"versions": {str(version.id): "Portal"}}
    assert connector.normalises("versions", ("+portal",), (str(version.id),))
    assert not connector.normalises("versions", ("+Anderes",), (str(version.id),))


def test_a_version_of_that_name_is_not_made_a_second_time(
    server: OpenProject, project: Project, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    record = find(connector, "eins")
    version = server.world.add_version(project.id, "portal")  # somebody made it since
    connector.update(record.ref, {"versions": ("+Portal",)}, record.version)
    assert made.versions == [version.id]
    assert len(server.world.versions) == 1


def test_two_at_once_make_one_version(server: OpenProject, project: Project) -> None:
    titles = [server.add(project, f"Nr. {number}").subject for number in range(2)]
    connector = ready(server)
    one, other = [find(connector, title) for title in titles]
    second = threading.Thread(
        target=connector.update, args=(other.ref, {"versions": ("+Portal",)}, other.version), daemon=True
    )

    def meanwhile() -> None:
        second.start()
        second.join(0.3)  # it would be done by then, did it not wait

    server.before("POST", "/versions$", meanwhile)
    connector.update(one.ref, {"versions": ("+Portal",)}, one.version)
    second.join()
    [version] = server.world.versions.values()
    assert all(one.versions == [version.id] for one in server.world.work_packages.values())


def test_who_may_make_no_versions_is_told(server: OpenProject, project: Project, made: WorkPackage) -> None:
    server.bridge.admin = False
    project.members[server.bridge.id] -= {"manage_versions"}
    with pytest.raises(Rejected, match="may not make the version “Portal”"):
        write(ready(server), "eins", versions=("+Portal",))
    version = server.world.add_version(project.id, "Portal")
    write(ready(server), "eins", versions=(str(version.id),))
    assert made.versions == [version.id]


def test_a_second_version_is_refused_where_there_is_room_for_one(
    server: OpenProject, project: Project, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    first, second = (server.world.add_version(project.id, name).id for name in ("Sprint 1", "Portal"))
    server.set(made, version=first)
    with pytest.raises(Rejected, match="room for one only"):
        write(connector, "eins", versions=tuple(sorted((str(first), str(second)))))
    assert made.versions == [first]
    server.world.several_versions = True
    write(connector, "eins", versions=tuple(sorted((str(first), str(second)))))
    assert set(made.versions) == {first, second}


def test_a_locked_version_is_refused(
    server: OpenProject, project: Project, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    version = server.world.add_version(project.id, "Portal", status="locked")
    with pytest.raises(Rejected, match="allowed values"):
        write(connector, "eins", versions=(str(version.id),))


def test_a_task_leaves_its_version(
    server: OpenProject, project: Project, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    server.set(made, version=server.world.add_version(project.id, "Portal").id)
    assert shown(write(connector, "eins", versions=()))["versions"] == ()
    assert made.versions == []


@pytest.mark.parametrize("title", ["Portal 2027", "PORTAL", "Portal"])
def test_a_version_is_renamed_and_no_work_package_is_touched(
    server: OpenProject, project: Project, made: WorkPackage, connector: OpenProjectConnector, title: str
) -> None:
    version = server.world.add_version(project.id, "Portal")
    server.set(made, version=version.id)
    assert isinstance(connector, RenamesOptions)
    for _ in range(2):  # the second time changes nothing
        assert connector.rename_option("versions", str(version.id), title) == {"versions": {str(version.id): title}}
    assert (version.name, made.lock_version) == (title, 1)
    assert len([one for one in server.requests if one.startswith("PATCH")]) == (0 if title == "Portal" else 1)


def test_a_version_that_is_not_ours_to_rename_keeps_its_name(server: OpenProject, project: Project) -> None:
    version = server.world.add_version(project.id, "Portal")
    server.world.add_version(project.id, "Haushalt")
    shared = server.world.add_version(server.project("anderes").id, "Geteilt")
    shared.shared = True
    server.bridge.admin = False
    connector = ready(server)
    with pytest.raises(NotFound):
        connector.rename_option("versions", "4711", "Neu")
    for option, title, reason in (
        (version.id, "haushalt", "another version"),
        (shared.id, "Neu", "another project"),
        (version.id, "x" * 61, "60 characters"),
    ):
        with pytest.raises(Rejected, match=reason):
            connector.rename_option("versions", str(option), title)
    with pytest.raises(Rejected, match="cannot be renamed"):
        connector.rename_option("status", "1", "Neu")
    project.members[server.bridge.id] -= {"manage_versions"}
    with pytest.raises(Rejected, match="may not rename"):
        connector.rename_option("versions", str(version.id), "Neu")
    assert (version.name, shared.name) == ("Portal", "Geteilt")
