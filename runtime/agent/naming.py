"""How things are called inside a session. Apart from what they are: who only reads a log needs no SDK for it."""

TENANT = "/tenant"
"""The tenant's folder in a sandbox."""

SERVER = "staff"


def named(tool: str) -> str:
    """A tool of ours as the CLI names it."""
    return f"mcp__{SERVER}__{tool}"
