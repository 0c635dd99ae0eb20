"""Faults: what broke, in the reader's words, and the next thing to do about it.

One class per thing a *caller* does differently, nothing finer. They are caught at
four borders only: the job, the request, the command line, the agent call.
"""


class Fault(Exception):
    """What broke, and the next thing to do about it.

    ``problem`` is one line in the words of who will read it; ``hint`` is the next step.
    """

    def __init__(self, problem: str, *, hint: str) -> None:
        super().__init__(f"{problem}\n  next: {hint}")
        self.problem = problem
        self.hint = hint


class Refused(Fault):
    """Something was asked for that is not allowed here; asking again changes nothing."""


class NotFound(Fault):
    """What was named does not exist here."""


class BadInput(Fault):
    """What came in cannot be understood; the problem names the place and what was wanted."""


class ConfigFault(Fault):
    """One or more settings are wrong. ``faults`` holds a line for each, with file and line."""

    def __init__(self, faults: list[str], *, hint: str) -> None:
        super().__init__("\n".join(faults), hint=hint)
        self.faults = faults


class Broken(Fault):
    """A file, folder or database is damaged; work with it stops, work with others goes on."""


class Unavailable(Fault):
    """A part that is needed does not answer just now; the same request may work later."""
