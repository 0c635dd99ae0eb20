"""Tools offered to every tenant's agent: one small file a tool, its signature and docstring its schema.

The same function is offered to the agent and as a command (``python -m shared_tools.remember --help``). Nothing here
imports ``runtime``: what a tool works on is handed to it, and offered.py says what that has to be able to do.
"""
