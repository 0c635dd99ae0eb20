"""Signals: evidence that a turn went well or badly, with words (first.py, second.py) and without (hard.py)."""
