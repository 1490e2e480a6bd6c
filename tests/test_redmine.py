"""The connector to Redmine: the contract, on a real one.

The traps that were measured have a test each in test_redmine_reads.py and test_redmine_writes.py.
"""

from __future__ import annotations

import pytest

from connectors.testing import ConnectorContract
from tests.redmine_person import RedminePerson
from tests.redmine_server import Redmine

pytestmark = [pytest.mark.redmine, pytest.mark.xdist_group("redmine")]


class TestOnARealRedmine(ConnectorContract):
    """Every promise of the protocol; a project of its own for every test."""

    @pytest.fixture
    def platform(self, redmine: Redmine) -> RedminePerson:
        return RedminePerson(redmine)
