"""OpenProject: the work packages of one project (API v3; facts: platform-apis, B; ADR 0018).

`shapes` says what the answers look like and what of them is read, `text` keeps what is copied from calling people or
showing what it does not mean, `wire` is the requests and what a refusal means, `words` what the project calls its
types, statuses, priorities and versions, `binding` what is chosen and remembered, `records` turns work packages into
records and fields into bodies, and `connector` has the verbs of `connectors.base.Connector`.
"""

from connectors.base import ConnectorType
from connectors.openproject.connector import OpenProjectConnector, connect

__all__ = ["TYPE", "OpenProjectConnector", "connect"]

TYPE = ConnectorType("openproject", connect, needs=("url", "token", "collection"), mapping="openproject.toml")
