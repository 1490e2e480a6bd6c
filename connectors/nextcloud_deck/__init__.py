"""Nextcloud Deck: the cards of one board (facts: nextcloud, sections 1 to 6 and 10).

`shapes` says what the answers look like and what of them is read, `wire` is the requests and what a refusal means,
`binding` what is chosen and remembered, `board` the board as it was last seen with its lists and labels, and
`connector` the verbs of `connectors.base.Connector`.
"""

from connectors.base import ConnectorType
from connectors.nextcloud_deck.connector import DeckConnector, connect

__all__ = ["TYPE", "DeckConnector", "connect"]

TYPE = ConnectorType(
    "nextcloud-deck", connect, needs=("url", "user", "password", "collection"), mapping="nextcloud-deck.toml"
)
