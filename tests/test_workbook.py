"""A file in each of its formats keeps the contract of all connectors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.testing import ConnectorContract
from tests.fakes import nextcloud_files
from tests.fakes.nextcloud_files import Cloud
from tests.webdav_server import PASSWORD, USER, WebDav
from tests.workbook_person import CsvPerson, ExcelPerson, Shared, YamlPerson


class SharedExcel(Shared, ExcelPerson): ...


class SharedCsv(Shared, CsvPerson): ...


ACCOUNT = (nextcloud_files.USER, nextcloud_files.PASSWORD)


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


class TestExcelOnServer(ConnectorContract):
    @pytest.fixture
    def platform(self, tmp_path: Path, webdav: WebDav) -> SharedExcel:
        return SharedExcel(tmp_path / "Plan.xlsx", webdav.url(f"{tmp_path.name}.xlsx"), USER, PASSWORD)


class TestCsvOnServer(ConnectorContract):
    @pytest.fixture
    def platform(self, tmp_path: Path, webdav: WebDav) -> SharedCsv:
        return SharedCsv(tmp_path / "Plan.csv", webdav.url(f"{tmp_path.name}.csv"), USER, PASSWORD)


class TestExcelInNextcloud(ConnectorContract):
    @pytest.fixture
    def platform(self, tmp_path: Path) -> Iterator[SharedExcel]:
        with Cloud() as cloud:
            yield SharedExcel(tmp_path / "Plan.xlsx", cloud.url("Pläne/Plan.xlsx"), *ACCOUNT)
