"""Learning from what was said: the runs that nobody typed, when they are due, and what of them stays.

Owns the reflection at the end of a conversation, the periodic review, and the consolidation of a file that is over its
budget. Does not own how the agent is run, how a run's folder is made and landed (tenant/git/worktrees), nor what a fact
looks like (tenant/life). See docs/learning.md.
"""
