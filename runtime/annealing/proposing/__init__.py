"""From signals to a proposal: evidence by directive, a model that proposes, and code that checks what it says."""
