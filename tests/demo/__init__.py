"""The demo: a real strategy, a real CalDAV server, two departments with different words for the same things.

``python -m tests.demo`` shows it from beginning to end and checks every promise that it makes;
``python -m tests.demo play`` keeps the server running, to be played with. Read `strategy` (the data), `people` (the
two departments and what they do in their tools), `stories` (the edits and what must come of them), `place` (folder,
server, settings), then `__main__`.
"""
