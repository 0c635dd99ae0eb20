"""What is wrong with a file, with the line it is wrong in; and that nothing an agent writes keeps the reader busy."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ConfigFault
from runtime.tenant import blueprint
from runtime.tenant.checks import check, faults
from runtime.tenant.folder import Folder

SOP = """---json
{
  "name": "lead-follow-up",
  "description": "A lead.",
  "triggers": ["lead"],
  "owner": "admin",
  "version": 1
}
---

# Lead
"""
RULE = '---json\n{"id": "r-1", "evidence": ["a"]}\n---\n\nCall first.\n'
LIFE = '---json\n{\n  "title": "Identity",\n  "kind": "identity",\n  "version": 1,\n  "updated": null\n}\n---\n\n- A.\n'
TOOLS = """{
  "version": 1,
  "tools": [
    {
      "name": "send_email",
      "description": "Send it.",
      "script": "send_email.py",
      "input_schema": {"type": "object", "properties": {"to": {"type": "string"}}},
      "effect": "external",
      "timeout": 30
    }
  ]
}
"""
SCHEDULES = """version: 1
schedules:
  - id: morning
    text: Check the leads.
  - id: evening
"""
SETTINGS = (
    "name: Anden\ntimezone: UTC\npeople:\n  - {name: Anden, role: owner}\nchannels:\n  api: {key: secret:API_KEY}\n"
)
_TOOL = TOOLS[TOOLS.index("    {\n") : TOOLS.index("\n  ]")]
TWICE = TOOLS.replace(_TOOL, f"{_TOOL},\n{_TOOL}")


def wrong(rel: str, data: str | bytes | None) -> list[str]:
    try:
        check(rel, data.encode() if isinstance(data, str) else data)
    except ConfigFault as fault:
        return fault.faults
    return []


@pytest.mark.parametrize("path", [one for one in blueprint.BLUEPRINT.rglob("*") if one.is_file()], ids=str)
def test_everything_a_tenant_begins_with_is_good(path: Path) -> None:
    assert wrong(path.relative_to(blueprint.BLUEPRINT).as_posix(), path.read_bytes()) == []


@pytest.mark.parametrize(
    ("rel", "data"),
    [
        ("directives/lead-follow-up.md", SOP),
        ("directives/lead-follow-up.md", SOP.replace("\n", "\r\n")),
        ("directives/lead-follow-up.md", "\ufeff" + SOP),
        ("directives/lead-follow-up.md", SOP.replace('"version": 1', '"version": 7, "tags": ["a"]')),
        ("directives/lead-follow-up.md", SOP.replace('"A lead."', r'"A \ud83d\ude00 lead"')),
        ("directives/README.md", "No head."),
        ("directives/rules/README.md", "No head."),
        ("directives/rules/lead-follow-up/r-1.md", RULE),
        ("life/identity.md", LIFE),
        ("life/notes.md", "- A fact.\n"),
        ("life/photo.png", b"\x89PNG\xff"),
        ("life/table.csv", "a,b\n"),
        ("execution/tool_manifest.json", TOOLS),
        ("execution/send_email.py", "import nowhere\nprint('\u00e9')\n"),
        ("execution/data.bin", b"\xff"),
        ("state/schedules.yaml", SCHEDULES),
        ("tenant.yaml", SETTINGS),
        ("CLAUDE.md", "words"),
        ("directives/gone.md", None),
    ],
)
def test_what_is_good(rel: str, data: str | bytes | None) -> None:
    assert wrong(rel, data) == []


@pytest.mark.parametrize(
    ("rel", "data", "faults"),
    [
        ("directives/a.md", "", ["directives/a.md:1: wanted ---json in the first line"]),
        ("directives/a.md", "# Lead\n", ["directives/a.md:1: wanted ---json in the first line"]),
        ("directives/a.md", SOP[:60], ["directives/a.md:1: no line --- closes the head"]),
        (
            "directives/a.md",
            SOP.replace('"admin",', '"admin"'),
            ["directives/a.md:7: not JSON: Expecting ',' delimiter"],
        ),
        (
            "directives/a.md",
            SOP.replace('"triggers": ["lead"],\n', ""),
            ["directives/a.md:2: triggers: Field required"],
        ),
        (
            "directives/a.md",
            SOP.replace('["lead"]', '["lead", 3]').replace('"version": 1', '"version": "1"'),
            [
                "directives/a.md:5: triggers.1: input should be a valid string, got 3",
                "directives/a.md:7: version: input should be a valid integer, got '1'",
            ],
        ),
        ("directives/sub/a.md", SOP.replace("lead-follow-up", "Lead!"), ["directives/sub/a.md:3: name: string should"]),
        ("directives/rules/lead/r.md", "Call.\n", ["directives/rules/lead/r.md:1: wanted ---json in the first line"]),
        (
            "directives/rules/lead/r.md",
            RULE.replace('"id": "r-1", ', ""),
            ["directives/rules/lead/r.md:2: id: Field required"],
        ),
        ("life/identity.md", LIFE.replace('"identity"', '"patterns"'), ["life/identity.md:4: kind: input should be"]),
        ("life/identity.md", LIFE.replace("null", '"today"'), ["life/identity.md:6: updated: string should match"]),
        ("life/identity.md", "", ["life/identity.md:1: wanted ---json in the first line"]),
        ("life/identity.md", b"---json\n{}\n---\n\xff", ["life/identity.md:4: not UTF-8 text"]),
        ("life/notes.txt", b"\n\xff", ["life/notes.txt:2: not UTF-8 text"]),
        ("execution/tool_manifest.json", "[]", ["execution/tool_manifest.json:1: wanted one JSON object, got list"]),
        ("execution/tool_manifest.json", "", ["execution/tool_manifest.json:1: not JSON: Expecting value"]),
        (
            "execution/tool_manifest.json",
            TOOLS.replace('"external"', '"send"').replace("send_email.py", "../send.py").replace("30", "0"),
            [
                "execution/tool_manifest.json:7: tools.0.script: string should match",
                "execution/tool_manifest.json:9: tools.0.effect: input should be 'read', 'write' or 'external'",
                "execution/tool_manifest.json:10: tools.0.timeout: input should be greater than 0, got 0",
            ],
        ),
        (
            "execution/tool_manifest.json",
            TOOLS.replace('"string"', '"strin"'),
            ["execution/tool_manifest.json:8: tools.0.input_schema: no JSON Schema: properties.to.type: 'strin'"],
        ),
        (
            "execution/tool_manifest.json",
            TWICE,
            ["execution/tool_manifest.json:13: tools.1.name: send_email is there twice"],
        ),
        (
            "execution/tool_manifest.json",
            TOOLS.replace('"timeout"', '"timeuot"'),
            [
                "execution/tool_manifest.json:4: tools.0.timeout: Field required",
                "execution/tool_manifest.json:10: tools.0.timeuot: nobody knows this key",
            ],
        ),
        (
            "execution/tool_manifest.json",
            TOOLS.replace('"version": 1,', '"version": 1, "version": 1,'),
            ["execution/tool_manifest.json:1: not usable JSON: the key 'version' is there twice"],
        ),
        ("execution/a.py", "x = 1\ndef f(:\n", ["execution/a.py:2: not Python: invalid syntax"]),
        ("execution/a.py", "x = 1\0", ["execution/a.py:1: not Python: source code string cannot contain null bytes"]),
        ("execution/a.py", b"# \xff\n", ["execution/a.py:1: not UTF-8 text"]),
        (
            "state/schedules.yaml",
            SCHEDULES.replace("evening", "morning"),
            ["state/schedules.yaml:5: schedules.1.id: morning is there twice"],
        ),
        (
            "state/schedules.yaml",
            SCHEDULES.replace("version: 1", ""),
            ["state/schedules.yaml:1: version: Field required"],
        ),
        (
            "state/schedules.yaml",
            SCHEDULES.replace("id: ", "id "),
            ["state/schedules.yaml:4: not YAML: mapping values"],
        ),
        ("state/schedules.yaml", "[]\n", ["state/schedules.yaml:1: wanted keys with values, got CommentedSeq"]),
        ("tenant.yaml", SETTINGS.replace("UTC", "Mars"), ["tenant.yaml:2: timezone: there is no time zone Mars"]),
        ("tenant.yaml", None, ["tenant.yaml:1: there is no such file"]),
        ("life/a\nb.md", "---json\n", ["life/a\\nb.md:1: no line --- closes the head"]),
    ],
)
def test_what_is_wrong_is_said_with_its_line(rel: str, data: str | bytes | None, faults: list[str]) -> None:
    found = wrong(rel, data)
    assert len(found) == len(faults), found
    for said, wanted in zip(found, faults, strict=True):
        assert said.startswith(wanted), said


ALIASES = "a: &a [1,1]\n" + "".join(
    f"{n}: &{n} [*{m},*{m},*{m}]\n" for m, n in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("rel", "data"),
    [
        ("state/schedules.yaml", ALIASES),
        ("state/schedules.yaml", "a: " + "[" * 10_000),
        ("state/schedules.yaml", "version: 1\n" * 100_000),
        ("execution/tool_manifest.json", '{"tools": ' + "[" * 100_000),
        ("execution/tool_manifest.json", '{"version": 1, "tools": [], "x": ' + '{"a":' * 500 + "1" + "}" * 501),
        ("execution/tool_manifest.json", '{"a": ' + "9" * 10_000 + "}"),
        ("execution/tool_manifest.json", '{"a": "' + "x" * 1_000_000 + '"}'),
        ("execution/a.py", "-" * 100_000 + "1"),
        ("execution/a.py", "(" * 100_000),
        ("execution/a.py", "a" + ".b" * 100_000),
        ("execution/a.py", "#" * 1_000_001),
        ("life/identity.md", "---json\n" + "[" * 100_000 + "\n---\n"),
        ("life/identity.md", "---json\n{" + ", ".join('"a": 1' for _ in range(100_000)) + "}\n---\n"),
        ("directives/a.md", '---json\n{"name": ' + '{"a":' * 900 + "1" + "}" * 901 + "\n---\n"),
    ],
    ids=lambda value: value[:30],
)
def test_what_would_keep_the_reader_busy_is_refused(rel: str, data: str) -> None:
    (fault, *_) = wrong(rel, data)
    assert fault.startswith(f"{rel}:1:") or ":2:" in fault


@given(data=st.binary(max_size=300), rel=st.sampled_from(["life/identity.md", "directives/a.md", "execution/a.py"]))
def test_any_bytes_are_good_or_refused_and_never_a_defect(rel: str, data: bytes) -> None:
    for one in wrong(rel, data):
        assert one.startswith(f"{rel}:")


@given(text=st.text(max_size=200))
def test_any_text_of_schedules_is_good_or_refused(text: str) -> None:
    for one in wrong("state/schedules.yaml", text.encode("utf-8", "replace")):
        assert one.startswith("state/schedules.yaml:")


def test_the_faults_of_a_folder_are_those_of_its_files(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for rel, text in (("directives/a.md", "x"), ("directives/a.md~", "x"), ("life/b.md", "x"), ("execution/c.py", "(")):
        folder.write_text(rel, text)
    (tmp_path / "directives/out.md").symlink_to("/etc/passwd")
    found = [line for fault in faults(folder) for line in fault.problem.splitlines()]
    assert [line.split(": ")[0] for line in found] == ["directives/a.md:1", "execution/c.py:1"]
