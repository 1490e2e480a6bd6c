"""Redmine: the issues and versions of one project (facts: redmine, measured on Redmine 5.0.4).

`shapes` says what the answers look like, `words` what the instance calls its trackers, statuses and priorities, `texts`
what becomes of text on the way, `wire` is the requests and what a refusal means, `binding` what is chosen and
remembered, `records` turns answers into records and fields into bodies, and `connector` has the verbs of
`connectors.base.Connector`.
"""

from connectors.base import ConnectorType
from connectors.redmine.connector import RedmineConnector, connect

__all__ = ["TYPE", "RedmineConnector", "connect"]

TYPE = ConnectorType("redmine", connect, needs=("url", "token", "collection"), mapping="redmine.toml")
