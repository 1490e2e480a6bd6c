"""A file in each of its formats keeps the contract of all connectors."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.testing import ConnectorContract
from tests.workbook_person import CsvPerson, ExcelPerson, YamlPerson


class TestExcel(ConnectorContract):
    @pytest.fixture
    def platform(self, tmp_path: Path) -> ExcelPerson:
        return ExcelPerson(tmp_path / "Plan.xlsx")


class TestCsv(ConnectorContract):
    @pytest.fixture
    def platform(self, tmp_path: Path) -> CsvPerson:
        return CsvPerson(tmp_path / "Plan.csv")


class TestYaml(ConnectorContract):
    @pytest.fixture
    def platform(self, tmp_path: Path) -> YamlPerson:
        return YamlPerson(tmp_path / "plan.yaml")
