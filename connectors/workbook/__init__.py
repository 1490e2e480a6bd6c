"""Workbook: the rows of a local .xlsx, .csv or .yaml file, the milestone plan that every office keeps.

`cells` says what headers and cells mean, `document` what the formats have in common, `spreadsheet`, `delimited` and
`structured` are the three, `file` reads and replaces a file that people work on too, and `connector` has the verbs of
`connectors.base.Connector`.
"""

from connectors.base import ConnectorType
from connectors.workbook.connector import WorkbookConnector, connect

__all__ = ["TYPE", "WorkbookConnector", "connect"]

TYPE = ConnectorType("workbook", connect, needs=("collection",), mapping="workbook.toml")
