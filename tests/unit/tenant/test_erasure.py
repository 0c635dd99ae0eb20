"""Erasing a person: how they are found in a text, who is meant, and what becomes of files, logs and the history."""

import base64
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import BadInput, NotFound, Refused
from runtime.tenant import frontmatter
from runtime.tenant.config import load_config
from runtime.tenant.erasure import records
from runtime.tenant.erasure.looking import MARK, Finder, Marks, _mapped, as_marks, phones_in, reading, words_in
from runtime.tenant.erasure.texts import Cleaning
from runtime.tenant.erasure.whom import Known, identify, known_to, speaker
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import ADMIN, AGENT, History, Origin
from runtime.words import Role
from tests.erasure_house import git, left

PHONE = "13035550100"
JOSE = as_marks(["José García"], [PHONE, "jose.g@example.org", "555123456"], ["telegram:44", f"whatsapp:{PHONE}"])
FINDER = Finder(JOSE)
CLEANING = Cleaning(FINDER, b"salt")
WAMID = "wamid." + base64.b64encode(b"\x1c\x18\x0b" + PHONE.encode() + b"\x15\x02\x00\x12\x18\x14AB").decode()


# Finding a person in a text


@pytest.mark.parametrize(
    "text",
    [
        "José García",
        "JOSÉ GARCÍA",
        "Jose Garcia",
        unicodedata.normalize("NFD", "José García"),
        "José\n  García",
        "José\u00a0García",
        "José R. García",
        "García, José",
        "josé-garcía",
        "Jos\\u00e9 Garc\\u00eda",
        "Jos\\\\u00E9\\\\u0020Garc\\\\u00eda",
        "Jos\\303\\251 Garc\\303\\255a",
        "Jos%C3%A9%20Garc%C3%ADa",
        "Jos&eacute; Garc&#237;a",
        "Jos\u200dé García",
        "José\\nGarcía",
        "13035550100",
        "+1 (303) 555-0100",
        "303.555.0100",
        "jose.g@example.org",
        "jose.g%40example.org",
        "JOSE.G@Example.ORG",
        "555123456",
        WAMID,
        WAMID.replace(".", "_").replace("=", "_")[-40:],
    ],
)
def test_however_they_are_written_they_are_found_whole(text: str) -> None:
    assert FINDER.without(f"a {text}, b") == f"a {MARK}, b"
    assert FINDER.without(f"a {MARK}, b") == f"a {MARK}, b"


@pytest.mark.parametrize(
    "text",
    [
        "José",
        "García",
        "Maria José Garcíaz",
        "Xjosé García",
        "José met Ana García",
        "913035550100",
        "1555123456",
        "telegram:445",
        "telegram:4",
        "2026-11-20 13:03",
        "mojose.g@example.org",
        "",
    ],
)
def test_others_are_left_alone(text: str) -> None:
    assert FINDER.without(text) is text


def test_a_conversation_stands_in_many_names() -> None:
    for text in ("turn:anden:telegram:44:00000001", "turn%3Aanden%3Atelegram%3A44%3A1", "turn_anden_telegram_44_1"):
        assert "44" not in FINDER.without(text)
    assert JOSE.talk("telegram:44_7")
    assert JOSE.talk("telegram:-100123/44")
    assert not JOSE.talk("telegram:445")


@given(st.text('\\u0e9x%C3&;#nJosé Gracíaß\u0301İ\u200d\u2019"/ ', max_size=40))
def test_what_is_read_is_read_from_somewhere(text: str) -> None:
    read, starts, ends = _mapped(text)
    assert read == reading(text)
    assert len(read) == len(starts) == len(ends)


@given(st.text(max_size=30), st.text(max_size=30))
def test_nothing_is_left_and_nothing_else_is_lost(before: str, after: str) -> None:
    text = f"{before}\0 José García \0{after}"
    cleaned = FINDER.without(text)
    assert not FINDER.names(cleaned)
    assert cleaned == f"{before}\0 {MARK} \0{after}"


def test_addresses_in_a_text() -> None:
    text = "Cell 3035550100 or (720) 555-0199, +49 151 23456789; $550,000 on 2026-11-20 14:00. a.b@c.de, @annlee"
    assert phones_in(text) == ["4915123456789", "13035550100", "17205550199"]
    assert phones_in("MLS 3035550100, 2026-11-20 14:00") == []
    assert words_in(text) == ["a.b@c.de", "annlee"]


# Who is meant

KNOWN = [
    Known(name="Anden Wick", where="tenant.yaml", role=Role.OWNER, addresses=("111222333", "13035559999")),
    Known(name="Mia Stone", where="tenant.yaml", role=Role.MEMBER, addresses=("4441",)),
    Known(name="Ann Lee", where="people.md", addresses=("13035550100", "ann@lee.com", "13035559999")),
    Known(name="Ann Brown", where="people.md", addresses=("13035550177",)),
    speaker("Annie Bee", "state/messages", "whatsapp:13035550100"),
    Known(name="Madonna", where="people.md"),
    Known(name="Bo", where="people.md"),
    Known(name="Lead", where="people.md"),
]


def test_a_name_brings_its_addresses_and_other_names_but_not_what_is_somebody_elses() -> None:
    found = identify("ann  LEE", KNOWN)
    assert found.name == "Ann Lee"
    assert found.marks.names == ("Ann Lee", "Annie Bee")
    assert found.marks.phones == ("13035550100",)
    assert found.marks.words == ("ann@lee.com",)
    assert found.marks.conversations == ("whatsapp:13035550100",)
    assert found.shared == ("13035559999",)
    for said in ("+1 303 555 0100", "ann@lee.com", "whatsapp:13035550100", "Annie Bee"):
        assert set(identify(said, KNOWN).marks.names) == {"Ann Lee", "Annie Bee"}
    assert identify("Stone", KNOWN).role is Role.MEMBER
    assert identify("Madonna", KNOWN).marks.names == ("Madonna",)


@pytest.mark.parametrize(
    ("said", "fault", "says"),
    [
        ("Ann", Refused, "could be Ann Brown, Ann Lee"),
        ("Bo", Refused, "too common"),
        ("Lead", Refused, "too common"),
        ("the", NotFound, "nobody here"),
        ("Zoe", NotFound, "nobody here"),
        ("", BadInput, "not a name"),
        ("12", BadInput, "not a name"),
        ("Anden", Refused, "is an owner"),
        ("303-555-9999", Refused, "is an owner"),
        ("anden wick", Refused, "is an owner"),
    ],
)
def test_nobody_is_erased_on_a_guess(said: str, fault: type[Exception], says: str) -> None:
    with pytest.raises(fault, match=says):
        identify(said, KNOWN)


def test_somebody_only_spoken_of_is_looked_for_by_the_whole_name() -> None:
    assert identify("Tom Dick", KNOWN).marks == Marks(names=("Tom Dick",))


def test_a_name_that_the_files_would_lose_with_theirs_is_theirs() -> None:
    """A text is searched with a middle initial too, so whoever is written so is who is meant, with all their talks."""
    written = Known(
        name="Sarah Q. Leeson",
        where="tenant.yaml",
        role=Role.GUEST,
        addresses=("777000777",),
        conversations=("telegram:777000777",),
    )
    found = identify(
        "Sarah Leeson", [Known(name="Sarah Leeson", where="life/x.md", addresses=("13035550177",)), written]
    )
    assert found.role is Role.GUEST
    assert {"telegram:777000777", "whatsapp:13035550177"} <= set(found.marks.conversations)
    assert identify("Sarah Leeson", [written]).marks.names == ("Sarah Leeson", "Sarah Q. Leeson")
    other = identify("Sarah P. Leeson", [written])
    assert (other.role, other.marks.conversations) == (None, ())
    owner = Known(name="Anden Q. Wick", where="tenant.yaml", role=Role.OWNER)
    with pytest.raises(Refused, match="is an owner"):
        identify("Anden Wick", [owner])
    assert identify("555123456", KNOWN).marks.words == ("555123456",)


def test_people_are_found_in_settings_sections_and_logs(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write_text("tenant.yaml", "name: A\ntimezone: UTC\npeople:\n  - {name: A B, role: owner, telegram: 1}\n")
    folder.write_text(
        "life/relationships/people.md",
        frontmatter.dump({}, "## Ann Lee (buyer)\n- Cell: 303-555-0100 [2026-11-02; A; typed; 303-555-0177]\n"),
    )
    line = {"id": "1", "at": "2026-11-20T00:00:00Z", "channel": "telegram", "direction": "inbound", "person": "Zed Q"}
    lines = [line | {"conversation": "telegram:9_2"}, line | {"id": "2", "conversation": "api:x", "person": "A B"}]
    folder.write_text("state/messages/2026-11.jsonl", "".join(json.dumps(one) + "\n" for one in lines))
    found = {one.name: one for one in known_to(folder, load_config(folder)) if one.addresses or one.profile}
    assert found["Ann Lee"].addresses == ("13035550100",)
    assert found["Zed Q"].addresses == ("9",)
    assert found["A B"].addresses == ()


# What becomes of a file

PEOPLE = """\
---json
{"title": "People", "kind": "people", "version": 1}
---

Ask José García or Tom.

## José García (buyer)
- Budget: $1M.
### House
- Big.

## Tom Brown (sent by José García)
- Friend of José  García
  from school
- Wants a garden. [2026-11-20; José García; typed; 7]
- Sells in May. [2026-11-20; Anden; typed; 8]
"""


def cleaned(path: str, text: str, cleaning: Cleaning = CLEANING) -> str | None:
    data = cleaning.content(path, text.encode())
    if data is not None:
        assert cleaning.content(path, data) is data  # once more changes nothing
    return data.decode() if data is not None else None


def test_in_life_their_section_and_every_fact_about_them_goes() -> None:
    assert cleaned("life/relationships/people.md", PEOPLE) == (
        '---json\n{"title": "People", "kind": "people", "version": 1}\n---\n\nAsk [removed] or Tom.\n\n'
        "## Tom Brown (sent by [removed])\n- Sells in May. [2026-11-20; Anden; typed; 8]\n"
    )
    assert cleaned("life/note.md", '---json\n{"title": "José García", "x": 1}\n---\n\nTall.\n') is None
    assert CLEANING.name("life/josé-garcía.md") is None
    assert cleaned("life/note.md", "- nobody\r\n") == "- nobody\r\n"


def test_what_somebody_of_the_team_told_stays_without_their_name() -> None:
    ours = cleaned("life/relationships/people.md", PEOPLE, Cleaning(FINDER, b"", keeps_told=True))
    assert ours is not None
    assert "- Wants a garden. [2026-11-20; [removed]; typed; 7]" in ours
    assert "Friend of" not in ours


def test_an_admins_words_stay_with_a_mark() -> None:
    assert cleaned("directives/a.md", "Call José García.\nThen rest.\n") == "Call [removed].\nThen rest.\n"
    assert cleaned("state/schedules.yaml", f"- {{who: José García, tel: {PHONE}}}\n") == (
        "- {who: (removed), tel: (removed)}\n"
    )
    manifest = cleaned("execution/tool_manifest.json", json.dumps([{"n": "Jos\u00e9 Garc\u00eda", "id": int(PHONE)}]))
    assert manifest is not None
    assert json.loads(manifest) == [{"n": "[removed]", "id": "[removed]"}]
    assert CLEANING.path("execution/jose_garcia.py") == CLEANING.path("execution/jose_garcia.py")
    assert str(CLEANING.path("execution/jose_garcia.py")).startswith("execution/removed-")


@pytest.mark.parametrize(
    "people",
    [
        "  # the owner\n  - {name: A, role: owner}\n  - {name: José García, role: guest}\n  # the rest\n"
        "  - name: B\n    role: member\n",
        '  - {name: A, role: owner}\n  - name: Pepe\n    role: guest\n    whatsapp: "+1 303 555 0100" # his\n'
        "  - {name: B, role: member}\n",
        "  [{name: A, role: owner}, {name: J, role: guest, telegram: 44}, {name: B, role: member}]\n",
    ],
)
def test_their_entry_leaves_the_settings_in_order(tmp_path: Path, people: str) -> None:
    text = f"name: X # with José García\ntimezone: UTC\npeople:\n{people}# Below\nlimits: {{usd_per_day: 1.0}}\n"
    after = cleaned("tenant.yaml", text)
    assert after is not None
    folder = Folder(tmp_path)
    folder.write_text("tenant.yaml", after)
    assert [one.name for one in load_config(folder).people] == ["A", "B"]
    assert "# with (removed)" in after
    assert "# Below" in after
    assert ("# the rest" in after) == ("# the rest" in people)


def test_what_they_said_leaves_the_message_of_its_commit() -> None:
    text = (
        "Remember: people\n\nI can pay\na million\n\nActor: agent\nTenant: anden\nConversation: telegram:44\n"
        "Turn: turn:anden:telegram:44:00000001\nTrigger: message 7\nReason: I can pay a million\n"
    )
    assert CLEANING.message(text) == (
        "Remember: people\n\nActor: agent\nTenant: anden\nConversation: [removed]\n"
        "Turn: [removed]\nTrigger: [removed]\nReason: [removed]\n"
    )
    assert CLEANING.message(CLEANING.message(text)) == CLEANING.message(text)
    others = text.replace("telegram:44", "telegram:5").replace("I can", "José García can")
    assert "[removed] can pay" in CLEANING.message(others)
    assert "Turn: turn:anden:telegram:5:00000001" in CLEANING.message(others)


# The history


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "anden")
    for name, text in {"CLAUDE.md": "x\n", "directives/a.md": "Be kind.\n", "life/identity.md": "Anden\n"}.items():
        folder.root.mkdir(exist_ok=True)
        folder.write_text(name, text)
    History(folder).create(Origin(actor=ADMIN, tenant="anden"))
    return folder


def rewritten(folder: Folder) -> dict[str, str]:
    history = History(folder)
    rewriting = history.rewriting(CLEANING)
    found = rewriting.plan()
    rewriting.write([move[3] for move in found.moves])
    rewriting.move(found.moves)
    history.purge(lambda text: FINDER.without(text, "removed"))
    return found.commits


def test_each_commit_keeps_its_place_its_time_and_its_author(folder: Folder) -> None:
    history = History(folder)
    for number in range(40):
        folder.write_text("directives/a.md", f"Be kind.\nCall José García {number} times.\n")
        folder.write_text("life/identity.md", f"Anden {number // 10}\n")
        history.commit_agent(Origin(actor=AGENT, tenant="anden", reason=f"José García, {number}"))
    taken = history.revert(history.head(), Origin(actor=ADMIN, tenant="anden"))
    before = history.log(limit=100)
    moved = rewritten(folder)
    after = History(folder).log(limit=100)
    assert [(one.at, one.author, one.subject, one.files) for one in before] == [
        (one.at, one.author, one.subject, one.files) for one in after
    ]
    assert [moved.get(one.id, one.id) for one in before] == [one.id for one in after]
    assert after[-1].id == before[-1].id, "what never named them stays as it is"
    assert after[0].reverts == moved[str(taken.reverts)] == after[1].id
    assert git(folder.root, "show", "HEAD~3:directives/a.md").endswith(b"Call [removed] 37 times.\n")
    assert not left(folder.root / ".git", [b"jos\xc3\xa9"])
    git(folder.root, "fsck", "--strict")


def test_a_commit_of_which_nothing_is_left_stays_as_an_empty_one(folder: Folder) -> None:
    history = History(folder)
    folder.write_text("life/josé-garcía/note.md", "Tall.\n")
    folder.write_text("life/note.md", "- José García is tall\n")
    history.commit_agent(Origin(actor=AGENT, tenant="anden"))
    folder.write_text("life/note.md", "- José García is small\n")
    history.commit_agent(Origin(actor=AGENT, tenant="anden"))
    moved = rewritten(folder)
    assert len(moved) == 2
    assert git(folder.root, "ls-tree", "-r", "--name-only", "HEAD").split() == [
        b"CLAUDE.md",
        b"directives/a.md",
        b"life/identity.md",
        b"life/note.md",
    ]
    assert History(folder).log(limit=1)[0].files == ()


def test_every_ref_goes_along(folder: Folder) -> None:
    root = folder.root
    git(root, "switch", "-q", "-c", "side")
    folder.write_text("directives/b.md", "José García\n")
    git(root, "add", "directives")
    git(root, "commit", "-q", "-m", "One", "--author", "José García <jose.g@example.org>")
    first = git(root, "rev-parse", "HEAD").decode().strip()
    git(root, "tag", "light")
    git(root, "tag", "-a", "-m", "José García signed", "josé-garcía")
    git(root, "tag", "-a", "-m", "a tag of a tag", "outer", "josé-garcía")
    git(root, "notes", "add", "-m", f"see {first}", first)
    git(root, "switch", "-q", "main")
    git(root, "commit", "-q", "--allow-empty", "-m", "Two")
    git(root, "merge", "-q", "--no-ff", "-m", f"Merge {first}", "side")
    git(root, "commit", "-q", "--allow-empty", "-m", "Köln \xe9".encode("latin-1").decode("latin-1"))
    graph = git(root, "log", "--graph", "--all", "--format=%s %at %cn").replace("José García".encode(), b"removed")
    History(folder).set_aside("t")
    moved = rewritten(folder)
    assert git(root, "log", "--graph", "--exclude=refs/notes/*", "--all", "--format=%s %at %cn") != b""
    assert git(root, "log", "--graph", "--all", "--format=%s %at %cn").count(b"*") == graph.count(b"*")
    assert git(root, "rev-parse", "light^{commit}", "outer^{commit}").split() == [moved[first].encode()] * 2
    assert git(root, "notes", "show", moved[first]).decode().strip() == f"see {first}"
    assert f"Merge {moved[first]}" in git(root, "log", "-2", "--format=%s").decode()
    assert git(root, "log", "-1", "--format=%an <%ae>", "side").strip() == b"removed <removed@proxystaff.invalid>"
    assert not left(root / ".git", [b"jos\xc3\xa9", b"jose.g"])
    git(root, "fsck", "--strict")


def test_what_would_be_lost_or_keep_the_old_alive_is_refused(folder: Folder) -> None:
    folder.write_text("directives/a.md", "José García\n")
    git(folder.root, "stash")
    with pytest.raises(Refused, match="stash"):
        History(folder).rewriting(CLEANING)
    git(folder.root, "stash", "drop")
    git(folder.root, "worktree", "add", "-q", str(folder.root.parent / "other"))
    with pytest.raises(Refused, match="worktrees"):
        History(folder).rewriting(CLEANING)
    git(folder.root, "worktree", "remove", str(folder.root.parent / "other"))
    git(folder.root, "branch", "-m", "josé-garcía")
    with pytest.raises(Refused, match="named after"):
        History(folder).rewriting(CLEANING)


def test_an_old_id_leads_to_the_new_one_over_several_erasures(folder: Folder) -> None:
    history = History(folder)
    folder.write_text("directives/a.md", "José García, Tom Dick\n")
    first = history.commit_admin().commits[0].id
    second = rewritten(folder)[first]
    records.write(folder, records.next_id(folder, "2026-11-20"), commits={first: second})
    folder.write_text("directives/b.md", "x\n")
    history.commit_admin()
    records.write(folder, records.next_id(folder, "2026-11-20"), commits={"0" * 40: "1" * 40})
    assert folder.names(records.ERASURES) == ["2026-11-20-1.json", "2026-11-20-2.json"]
    assert (folder.root / records.ERASURES / "2026-11-20-1.json").stat().st_mode & 0o077 == 0
    for prefix in (first, first[:8]):
        assert History(folder).find(prefix).id == second
    with pytest.raises(NotFound):
        History(folder).find("f" * 40)
