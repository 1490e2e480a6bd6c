"""The passport of a connector: what survives a round trip to its platform, measured there and not assumed.

`bench` works on the live platform and takes away what it made, `measure` says what is tried, `report` what came of it,
`paper` shows that to people and machines, and `command` is ``strategy-bridge passport``. No ledger is opened.
"""
