"""Workbook: the rows of an .xlsx, .csv or .yaml file, the milestone plan that every office keeps.

`place` says what a file here (`file`) and one on a server (`webdav`) have in common, `desk` makes several writes one
save. `document` is what the formats have in common: `spreadsheet` (over `grid` and `package`), `delimited` and
`structured`. `cells` says what headers and cells mean, `words` which words are the same, `rows` who a row is, and
`connector` has the verbs of `connectors.base.Connector`.
"""

from connectors.base import ConnectorType
from connectors.workbook.connector import SharedWorkbook, WorkbookConnector, connect

__all__ = ["TYPE", "SharedWorkbook", "WorkbookConnector", "connect"]

TYPE = ConnectorType("workbook", connect, needs=(), mapping="workbook.toml", asks=("url", "user", "password"))
