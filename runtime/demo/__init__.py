"""``scripts/demo``: the product at work in the terminal. Each step says what it shows, and fails when it does not.

Everything but the model and the channels' two servers is the real thing (see stage).
"""
