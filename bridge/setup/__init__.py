"""Connecting a platform without reading the papers: ``strategy-bridge init``.

`draft` is what is to be set, `dotenv` puts it into `.env` and keeps everything else there, `ask` asks a person,
`connect` finds out whether it holds, and `command` is the whole.
"""
