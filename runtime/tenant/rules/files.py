"""A rule as a file: ``directives/rules/<directive>/<id>.md``, a head in JSON and the rule's words below it.

Owns that form and a rule's name. Does not own which rules apply to a turn (composing.py), nor who may change one: they
are written by the runtime and by people, never by the agent (the sandbox shows them read-only).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from runtime import checked_json
from runtime.errors import BadInput
from runtime.tenant import frontmatter
from runtime.tenant.heads import Rule as Head

RULES = "directives/rules"

LONGEST = 400
"""Characters of a rule's words."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of ``directive``. ``text`` is what the assistant is told."""

    directive: str
    head: Head
    text: str

    @property
    def ref(self) -> str:
        """Its name within the tenant: ``<directive>/<id>``."""
        return f"{self.directive}/{self.head.id}"

    @property
    def path(self) -> str:
        return path_of(self.ref)

    @property
    def hash(self) -> str:
        """Names these words: what an operation on the rule says it has seen."""
        return hash_of(self.text)

    @property
    def rendered(self) -> str:
        """The file. ``parse(rule.path, rule.rendered) == rule``."""
        head = self.head.model_dump(mode="json", exclude_defaults=True) | {"id": self.head.id}
        return frontmatter.dump(head, f"{self.text.strip()}\n")


def path_of(ref: str) -> str:
    """The file of the rule ``<directive>/<id>``."""
    return f"{RULES}/{ref}.md"


def ref_of(path: str) -> str | None:
    """``<directive>/<id>`` of a rule's file; None when ``path`` is none."""
    parts = path.removeprefix(f"{RULES}/").split("/")
    is_rule = path.startswith(f"{RULES}/") and len(parts) == 2 and path.endswith(".md") and parts[1] != "README.md"
    return "/".join(parts).removesuffix(".md") if is_rule else None


def hash_of(text: str) -> str:
    return hashlib.sha256(text.strip().encode()).hexdigest()[:12]


def parse(path: str, text: str) -> Rule:
    """Raises ConfigFault or BadInput naming ``path`` and the line when it is no rule."""
    ref = ref_of(path)
    if ref is None:
        raise BadInput(f"{path}:1: no rule's file", hint=f"rules are {RULES}/<directive>/<id>.md")
    _, body = frontmatter.parse(text, path=path)
    head = checked_json.load(Path(path), Head, text=frontmatter.head(text), above=1)
    rule = Rule(ref.partition("/")[0], head, body.strip())
    if rule.ref != ref:
        raise BadInput(f"{path}:2: its id is {head.id}", hint="a rule's id is the name of its file, without .md")
    if not rule.text:
        raise BadInput(f"{path}: it says nothing", hint="write the rule's words below its head")
    return rule


def check(path: str, text: str) -> None:
    """Whether a rule may come into force. Raises as ``parse``, and BadInput for one that says too much."""
    size = len(parse(path, text).text)
    if size > LONGEST:
        problem = f"{path}: it has {size} characters, a rule has {LONGEST} at most"
        raise BadInput(problem, hint="say it shorter, or in two rules")
