"""CalDAV task lists.

`wire` speaks WebDAV, `discovery` finds the calendar, `objects` reads and writes what lies in it, `cursors` says what is
remembered between two pulls, `ics` cuts an object into lines, `records` makes native fields of them and back,
`connector` is the whole.
"""

from connectors.base import ConnectorType
from connectors.caldav.connector import CalDavConnector

TYPE = ConnectorType("caldav", CalDavConnector, needs=("url",), mapping="caldav.toml", asks=("user", "password"))

__all__ = ["TYPE", "CalDavConnector"]
