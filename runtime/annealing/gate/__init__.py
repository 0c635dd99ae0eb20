"""Whether a self-change may land, before it does."""
