"""Self-annealing: changes that prove themselves or are undone. The loop in words: docs/annealing.md."""
