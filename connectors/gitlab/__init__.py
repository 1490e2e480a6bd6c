"""GitLab: the issues and milestones of one project (REST version 4; facts: platform-apis, A1 to A6).

`shapes` says what the answers look like and what of them is read, `text` keeps what is copied from being carried
out or announced, `wire` is the requests and what a refusal means, `binding` what is chosen and remembered,
`project` the project and its labels as they are now, `listing` what changed, `writing` what is sent, and
`connector` the verbs of `connectors.base.Connector`.
"""

from connectors.base import ConnectorType
from connectors.gitlab.connector import GitLabConnector, connect

__all__ = ["TYPE", "GitLabConnector", "connect"]

TYPE = ConnectorType("gitlab", connect, needs=("url", "token", "collection"), mapping="gitlab.toml")
