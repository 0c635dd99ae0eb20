"""The durable engine: one database, its migrations, workflows with checkpoints, the lease of a home.

Owns how work survives a kill. Does not own what the work is: turns, schedules and runs bring their own
tables and bodies. Figures and pitfalls this room was built on: docs/adr/0002-dbos-behind-one-room.md.
"""
