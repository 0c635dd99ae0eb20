"""A tenant's history: how what is in its folder becomes commits, and how one is taken back, landed or rewritten.

history.py is what others use; process.py starts git, and no other room does.
"""
