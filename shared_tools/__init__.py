"""Tools offered to every tenant's agent: one small file a tool, its signature and docstring its schema.

Empty in 0.1. Nothing here imports ``runtime``.
"""
