"""Turns: a message is accepted, taken together with its neighbours, answered once, and delivered once.

``turn.py`` is the file to read first. Does not own how a message arrives or leaves on a channel
(channels/), how the agent runs (agent/), or how work survives a kill (engine/).
"""
