"""Servers on loopback that do what was measured on the real ones."""
