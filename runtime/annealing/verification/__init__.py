"""Whether a landed self-change helps, harms or shows nothing, who is to blame, and when an idea may come back. Pure.

Owns the decisions only; what they are fed from, and what follows from them, is done by others (watch, undoing).
"""
