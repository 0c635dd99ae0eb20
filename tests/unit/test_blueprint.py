"""The blueprint is sound: heads load, sizes stay in budget, what it names exists, it says nothing sloppy."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from runtime.tenant import frontmatter

BLUEPRINT = Path(__file__).parents[2] / "blueprint"
MARKDOWN = sorted(BLUEPRINT.rglob("*.md"))
PLAIN = {"CLAUDE.md", "directives/README.md"}  # read by the model as they stand: a head would only cost tokens
HEADED = [path for path in MARKDOWN if path.relative_to(BLUEPRINT).as_posix() not in PLAIN]
LIFE = [path for path in HEADED if path.is_relative_to(BLUEPRINT / "life")]
DIRECTIVES = [path for path in HEADED if path.is_relative_to(BLUEPRINT / "directives")]

# Bytes. CLAUDE.md and README.md are in every first request, a directive is read when its topic comes up.
BUDGETS = {"CLAUDE.md": 3_800, "directives/README.md": 1_500, "directives/": 5_000, "life/": 2_500}

# Named by the texts, and made by the runtime, by `tenant add` or by the first write.
MADE_LATER = {"tenant.yaml", "state/recent_messages.json", "state/messages/", "life/events/YYYY-MM.md"}
PLACEHOLDER = "directives/rules/<directive>/"

SLOPPY = ["lorem", "todo", "tbd", "fixme", "as an ai", "language model", "delve", "utilize", "feel free", "!!", "@"]


def name(path: Path) -> str:
    return path.relative_to(BLUEPRINT).as_posix()


def budget(path: Path) -> int:
    found = [size for place, size in BUDGETS.items() if name(path) == place or name(path).startswith(place)]
    return found[0]


def head(path: Path) -> dict[str, object]:
    return frontmatter.parse(path.read_text(encoding="utf-8"), path=name(path))[0]


def test_the_layout_is_the_designs() -> None:
    found = {path.relative_to(BLUEPRINT).as_posix() for path in BLUEPRINT.rglob("*") if path.is_file()}
    life = {"identity", "boundaries", "patterns", "questions", "onboarding", "relationships/people"}
    knowledge = {"knowledge/business", "knowledge/contacts", "knowledge/procedures"}
    assert {f"life/{part}.md" for part in life | knowledge} <= found
    assert {"CLAUDE.md", ".gitignore", "directives/README.md", "execution/tool_manifest.json"} <= found
    assert {"state/schedules.yaml", "life/events/.gitkeep", "directives/rules/.gitkeep"} <= found
    assert not any(part.startswith((".secrets", ".git/")) for part in found)


@pytest.mark.parametrize("path", MARKDOWN, ids=name)
def test_a_file_keeps_its_budget(path: Path) -> None:
    size = len(path.read_bytes())
    print(f"{name(path)}: {size} bytes, about {size // 4} tokens")
    assert 0 < size <= budget(path)


def test_what_every_first_request_carries_is_small() -> None:
    sizes = {one: len((BLUEPRINT / one).read_bytes()) for one in sorted(PLAIN)}
    print(f"in every first request: {sum(sizes.values())} bytes, about {sum(sizes.values()) // 4} tokens: {sizes}")
    assert sum(sizes.values()) <= 5_300


@pytest.mark.parametrize("path", MARKDOWN, ids=name)
def test_nothing_sloppy_is_said(path: Path) -> None:
    text = path.read_text(encoding="utf-8").lower()
    assert not [word for word in SLOPPY if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)]


@pytest.mark.parametrize("path", HEADED, ids=name)
def test_a_head_is_read_and_written_back_the_same(path: Path) -> None:
    meta, body = frontmatter.parse(path.read_text(encoding="utf-8"), path=name(path))
    assert frontmatter.parse(frontmatter.dump(meta, body)) == (meta, body)
    assert meta["version"] == 1


@pytest.mark.parametrize("path", LIFE, ids=name)
def test_a_life_file_is_an_empty_template(path: Path) -> None:
    meta, body = frontmatter.parse(path.read_text(encoding="utf-8"), path=name(path))
    assert meta["kind"] == path.stem
    assert meta["title"] == path.stem.capitalize()
    assert re.fullmatch(r"<!-- .+ -->\n", body), "one comment line that says what belongs here, and no fact"


def test_git_sees_the_committed_parts_and_nothing_else(tmp_path: Path) -> None:
    tenant = tmp_path / "tenant"
    shutil.copytree(BLUEPRINT, tenant)
    noise = ["state/recent_messages.json", "state/messages/2026-11.jsonl", "state/claude/x.json", ".secrets/TOKEN"]
    noise += ["execution/__pycache__/send.pyc", "life/.identity.md.swp", "directives/showings.md~"]
    for one in noise:
        (tenant / one).parent.mkdir(parents=True, exist_ok=True)
        (tenant / one).write_text("x")
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=tenant, env=environment, check=True)
    done = subprocess.run(["git", "ls-files"], cwd=tenant, env=environment, check=True, capture_output=True, text=True)
    seen = set(done.stdout.split())
    assert not seen & set(noise)
    of_the_runtime = BLUEPRINT / "state/annealing"
    files = [path for path in BLUEPRINT.rglob("*") if path.is_file() and not path.is_relative_to(of_the_runtime)]
    assert seen == set(map(name, files))


def test_onboarding_starts_with_discovery() -> None:
    assert head(BLUEPRINT / "life/onboarding.md")["phase"] == "DISCOVERY"


def test_no_question_is_asked_yet() -> None:
    questions = head(BLUEPRINT / "life/questions.md")["questions"]
    assert isinstance(questions, list)
    assert len({one["id"] for one in questions}) == len(questions)
    assert sum(one["core"] for one in questions) >= 5
    for one in questions:
        assert set(one) == {"id", "question", "core", "asked", "answered"}
        assert (one["asked"], one["answered"]) == (None, None)
        assert one["question"].endswith("?")


@pytest.mark.parametrize("path", DIRECTIVES, ids=name)
def test_a_directive_says_when_to_read_it(path: Path) -> None:
    meta, body = frontmatter.parse(path.read_text(encoding="utf-8"), path=name(path))
    assert list(meta) == ["name", "description", "triggers", "owner", "version"]
    assert meta["name"] == path.stem
    assert meta["owner"] == "admin"
    assert len(meta["description"]) <= 160
    assert len(set(meta["triggers"])) == len(meta["triggers"]) >= 5
    assert 30 <= len(body.splitlines()) <= 60
    assert "## Never\n" in body
    assert "## Hand over to the realtor now\n" in body


def test_the_index_lists_every_directive_once() -> None:
    index = (BLUEPRINT / "directives/README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^- `([\w-]+\.md)`: .+$", index, re.MULTILINE)
    assert sorted(listed) == [path.name for path in DIRECTIVES]


@pytest.mark.parametrize("path", MARKDOWN, ids=name)
def test_every_path_that_is_named_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:CLAUDE\.md|tenant\.yaml|(?:life|directives|execution|state)/[^`\s]*))`", text))
    assert not [one for one in named - MADE_LATER - {PLACEHOLDER} if not (BLUEPRINT / one).exists()]
    assert (BLUEPRINT / PLACEHOLDER.split("<", maxsplit=1)[0]).is_dir()


def test_no_tool_and_no_schedule_yet() -> None:
    assert json.loads((BLUEPRINT / "execution/tool_manifest.json").read_text()) == {"version": 1, "tools": []}
    assert YAML(typ="safe").load(BLUEPRINT / "state/schedules.yaml") == {"version": 1, "schedules": []}
