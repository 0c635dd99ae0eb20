"""Taking an improvement back: always by a new commit that keeps every later edit. In words: docs/annealing.md."""
