"""What the assistant learned to do: one rule a file, beside the directive it belongs to. See docs/annealing.md."""
