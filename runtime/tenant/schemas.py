"""docs/schemas/: what a tenant's files must hold, as JSON Schemas for editors: ``python -m runtime.tenant.schemas``.

Owns the list of what is published. Does not own the shapes: they are the models that the checks use.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from runtime.tenant.heads import Directive, Manifest, Rule, Schedules
from runtime.tenant.life.kinds import KINDS, kind_of

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


def schemas() -> Mapping[str, str]:
    """The text of each schema, by the name of its file."""
    kinds = [*KINDS.values(), kind_of("life/events/2026-11.md"), kind_of("life/note.md")]
    models: dict[str, tuple[type[BaseModel], str]] = {
        f"life-{kind.name}": (kind.head, f"The head of a file of life/: {kind.about}.") for kind in kinds
    }
    models |= {
        "directive": (Directive, "The head of directives/*.md."),
        "rule": (Rule, "The head of directives/rules/<directive>/*.md."),
        "tool_manifest": (Manifest, "execution/tool_manifest.json."),
        "schedules": (Schedules, "state/schedules.yaml."),
    }
    return {f"{name}.json": _text(model, about) for name, (model, about) in models.items()}


def _text(model: type[BaseModel], about: str) -> str:
    schema = model.model_json_schema()
    schema.pop("description", None)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "description": about}
    return json.dumps({**head, **schema}, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")
