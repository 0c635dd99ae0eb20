"""docs/schemas/ says what the checks check."""

import json

import jsonschema
import pytest

from runtime.tenant import blueprint, frontmatter
from runtime.tenant.schemas import FOLDER, schemas


def test_what_is_published_is_what_the_models_say() -> None:
    published = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert published == schemas(), "run scripts/docs"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_each_is_a_json_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schemas()[name]))


@pytest.mark.parametrize(
    ("rel", "name"),
    [
        ("directives/lead-follow-up.md", "directive"),
        ("life/identity.md", "life-identity"),
        ("life/questions.md", "life-questions"),
        ("life/onboarding.md", "life-onboarding"),
    ],
)
def test_a_head_of_the_blueprint_fits_its_schema(rel: str, name: str) -> None:
    head, _ = frontmatter.parse((blueprint.BLUEPRINT / rel).read_text(encoding="utf-8"), path=rel)
    schema = json.loads(schemas()[f"{name}.json"])
    jsonschema.validate(head, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**head, "version": "1"}, schema)
