"""The history on real git repositories: commits by concern, what is never committed, reverts, kills, plain git."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import BadInput, Broken, NotFound, Refused, Unavailable
from runtime.tenant.folder import Folder
from runtime.tenant.git import commits as wording
from runtime.tenant.git.changes import FILE, Content
from runtime.tenant.git.commits import Concern
from runtime.tenant.git.history import ADMIN, AGENT, History, Origin, RevertConflict

AGENT_ORIGIN = Origin(
    actor=AGENT,
    tenant="anden",
    conversation="telegram:1",
    turn="turn:anden:telegram:1:00000001",
    trigger="message 7",
    reason="call me Andy",
)
BASE = {
    "CLAUDE.md": "the blueprint\n",
    "tenant.yaml": "name: Anden\n",
    ".gitignore": "state/*\n!state/schedules.yaml\n.secrets/\n",
    "life/identity.md": "Anden\n",
    "life/knowledge/contacts.md": "".join(f"line {n}\n" for n in range(20)),
    "directives/lead-follow-up.md": "Call within an hour.\n",
    "execution/tool_manifest.json": "[]\n",
    "execution/send_email.py": "print('sent')\n",
    "state/schedules.yaml": "[]\n",
}


def git(root: Path, *words: str, ok: bool = True) -> str:
    """Plain git, as a person runs it, with a home that holds nothing."""
    done = subprocess.run(
        ["git", *words],
        cwd=root,
        env={
            "PATH": os.defpath,
            "HOME": str(root.parent / "home"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_EDITOR": "true",
            "GIT_AUTHOR_NAME": "Pat",
            "GIT_AUTHOR_EMAIL": "pat@example.org",
            "GIT_COMMITTER_NAME": "Pat",
            "GIT_COMMITTER_EMAIL": "pat@example.org",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert not ok or done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    root = tmp_path / "anden"
    for name, text in BASE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "execution/send_email.py").chmod(0o755)
    return root


@pytest.fixture
def history(root: Path, tmp_path: Path) -> History:
    made = History(Folder(root), home=tmp_path / "home")
    made.create(Origin(actor=ADMIN, tenant="anden", reason="tenant add"))
    return made


def edit(root: Path, name: str, old: str, new: str) -> None:
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new))


def is_clean(root: Path) -> bool:
    return git(root, "status", "--porcelain", "--untracked-files=all") == ""


# Making and committing


def test_create_makes_a_repository_with_one_commit_and_no_hooks(history: History, root: Path) -> None:
    [commit] = history.log()
    assert commit.subject == "Create tenant anden"
    assert commit.trailers == {"Actor": "admin", "Tenant": "anden", "Reason": "tenant add"}
    assert set(commit.files) == set(BASE)
    assert (commit.author, commit.email) == ("Admin", "admin@proxystaff.invalid")
    assert is_clean(root)
    assert not (root / ".git/hooks").exists()
    assert git(root, "ls-files", "-s", "execution/send_email.py").startswith("100755")
    with pytest.raises(Refused):
        history.create(AGENT_ORIGIN)


def test_an_agents_change_is_one_commit_for_each_concern(history: History, root: Path) -> None:
    edit(root, "life/knowledge/contacts.md", "line 3", "Bob, 303-555-0100")
    edit(root, "directives/lead-follow-up.md", "an hour", "five minutes")
    (root / "directives/rules/lead-follow-up").mkdir(parents=True)
    (root / "execution/look_up.py").write_text("pass\n")
    (root / "state/schedules.yaml").write_text("- daily\n")
    (root / "life/identity.md").unlink()
    result = history.commit_agent(AGENT_ORIGIN)
    assert [commit.subject for commit in result.commits] == [
        "Remember: contacts, identity",
        "Change directive: lead-follow-up",
        "Write tool: look_up",
        "Change schedules",
    ]
    assert result.refused == ()
    assert all(commit.by_agent and commit.body == "call me Andy" for commit in result.commits)
    assert result.commits[0].trailers == {
        "Actor": "agent",
        "Tenant": "anden",
        "Conversation": "telegram:1",
        "Turn": "turn:anden:telegram:1:00000001",
        "Trigger": "message 7",
        "Reason": "call me Andy",
    }
    assert history.log(limit=4) == list(reversed(result.commits))  # what is returned is what git says
    assert is_clean(root)
    assert history.commit_agent(AGENT_ORIGIN).commits == ()


def test_the_hint_is_the_subject_of_a_single_commit(history: History, root: Path) -> None:
    edit(root, "life/identity.md", "Anden", "Andy")
    [commit] = history.commit_agent(AGENT_ORIGIN, "He goes by Andy\nReason: forged").commits
    assert commit.subject == "He goes by Andy Reason: forged"


def test_settings_are_not_the_agents_to_commit(history: History, root: Path) -> None:
    (root / "tenant.yaml").write_text("name: Mallory\n")
    assert history.commit_agent(AGENT_ORIGIN).commits == ()
    [commit] = history.commit_admin().commits
    assert commit.subject == "Change settings: tenant.yaml"


RULE = "directives/rules/lead-follow-up/call.md"


def test_rules_are_not_the_agents_to_commit(history: History, root: Path) -> None:
    (root / RULE).parent.mkdir(parents=True)
    (root / RULE).write_text("Call first.\n")
    edit(root, "directives/lead-follow-up.md", "an hour", "five minutes")
    assert [one.subject for one in history.commit_agent(AGENT_ORIGIN).commits] == ["Change directive: lead-follow-up"]
    assert history.set_aside("turn") is None
    edit(root, "directives/lead-follow-up.md", "five", "ten")
    [commit] = history.commit_admin().commits
    assert (commit.by_agent, commit.files) == (False, ("directives/lead-follow-up.md", RULE)), "one concern"


def test_files_are_put_as_one_commit_under_an_admins_name(history: History, root: Path) -> None:
    (root / RULE).parent.mkdir(parents=True)
    (root / RULE).write_text("Call first.\n")
    history.commit_admin()
    edit(root, "life/identity.md", "Anden", "Andy")
    contents = {RULE: None, "directives/lead-follow-up.md": Content(FILE, b"Call first.\n")}
    origin = Origin(actor=ADMIN, tenant="anden", reason="promote")
    made = history.put(contents, origin, base=history.head(), title="Promote a rule")
    assert (made.subject, made.by_agent, set(made.files)) == ("Promote a rule", False, set(contents))
    assert not (root / RULE).exists()
    assert (root / "directives/lead-follow-up.md").read_text() == "Call first.\n"
    assert git(root, "status", "--porcelain").split() == ["M", "life/identity.md"], "what others edit stays theirs"


def test_an_admins_edit_carries_the_name_git_knows(history: History, root: Path, tmp_path: Path) -> None:
    (tmp_path / "home/.gitconfig").write_text("[user]\n\tname = Ada Admin\n\temail = ada@example.org\n")
    (root / "directives/listing.md").write_text("Call the seller.\n")
    [commit] = history.commit_admin().commits
    assert (commit.author, commit.email, commit.by_agent) == ("Ada Admin", "ada@example.org", False)
    assert commit.subject == "Write directive: listing"
    assert history.log(by_agent=True) == []
    git(root, "config", "user.name", "Local")  # the repository's own wins, as it does for git
    (root / "directives/listing.md").write_text("Call the seller today.\n")
    assert history.commit_admin().commits[0].author == "Local"


def test_staged_and_half_staged_edits_are_committed_as_they_are_in_the_folder(history: History, root: Path) -> None:
    edit(root, "life/identity.md", "Anden", "first")
    git(root, "add", "life/identity.md")
    edit(root, "life/identity.md", "first", "second")
    assert len(history.commit_admin().commits) == 1
    assert git(root, "show", "HEAD:life/identity.md") == "second\n"
    assert is_clean(root)


def test_log_filters_by_who(history: History, root: Path) -> None:
    for n in range(3):
        (root / "life/identity.md").write_text(f"agent {n}\n")
        history.commit_agent(AGENT_ORIGIN)
        (root / "life/identity.md").write_text(f"admin {n}\n")
        history.commit_admin()
    assert [commit.by_agent for commit in history.log(limit=4)] == [False, True, False, True]
    assert len(history.log(by_agent=True)) == 3
    assert len(history.log(by_agent=False, limit=2)) == 2


def test_a_file_that_changes_twice_in_the_same_instant_and_size_is_seen(history: History, root: Path) -> None:
    for n in range(10):
        (root / "life/identity.md").write_text(f"{n}")
        assert len(history.commit_agent(AGENT_ORIGIN).commits) == 1, n


def test_a_file_may_become_a_folder_and_back(history: History, root: Path) -> None:
    (root / "life/identity.md").unlink()
    (root / "life/identity.md").mkdir()
    (root / "life/identity.md/x").write_text("x")
    assert len(history.commit_agent(AGENT_ORIGIN).commits) == 1
    assert is_clean(root)
    (root / "life/identity.md/x").unlink()
    (root / "life/identity.md").rmdir()
    (root / "life/identity.md").write_text("back")
    assert len(history.commit_agent(AGENT_ORIGIN).commits) == 1
    assert is_clean(root)
    git(root, "fsck", "--strict")


# What is never committed


def test_what_an_agent_plants_is_reported_and_never_committed(history: History, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_text("host secret")
    (root / "life/link.md").symlink_to(outside)
    (root / "life/up").symlink_to(tmp_path)
    os.mkfifo(root / "life/pipe")
    (root / "life/big.bin").write_bytes(b"\0" * 5_000_001)
    for planted in ("CLAUDE.md", ".claude/settings.json", ".mcp.json", ".gitattributes", ".gitmodules", ".git/config"):
        (root / "directives/x" / planted).parent.mkdir(parents=True, exist_ok=True)
        (root / "directives/x" / planted).write_text("* filter=evil\n")
    (root / "execution/__pycache__").mkdir()
    (root / "execution/__pycache__/send_email.pyc").write_bytes(b"\0")
    (root / "life/good.md").write_text("good\n")
    result = history.commit_agent(AGENT_ORIGIN)
    assert [commit.files for commit in result.commits] == [("life/good.md",)]
    assert {refusal.path for refusal in result.refused} == {
        "life/link.md",
        "life/up",
        "life/pipe",
        "life/big.bin",
        *(f"directives/x/{n}" for n in ("CLAUDE.md", ".claude", ".mcp.json", ".gitattributes", ".gitmodules", ".git")),
    }
    assert all(refusal.why for refusal in result.refused)


def test_what_stands_in_for_a_tracked_file_is_no_deletion(history: History, root: Path, tmp_path: Path) -> None:
    (root / "life/identity.md").unlink()
    (root / "life/identity.md").symlink_to("/etc/passwd")
    (root / "life/knowledge").rename(tmp_path / "knowledge")
    (root / "life/knowledge").symlink_to(tmp_path / "knowledge")
    result = history.commit_agent(AGENT_ORIGIN)
    assert result.commits == ()
    assert {refusal.path for refusal in result.refused} == {"life/identity.md", "life/knowledge"}


@pytest.mark.parametrize(
    "name",
    [
        b"new\nline.md",
        b"-rf",
        b"--",
        b"\xff\xfe.md",
        b'quo"te\\.md',
        b" space ",
        b"tab\t",
        "héllo 🙂.md".encode(),
        b"a:b*?[x]",
    ],
)
def test_any_file_name_can_be_committed_and_taken_back(history: History, root: Path, name: bytes) -> None:
    path = os.fsencode(root / "life") + b"/" + name
    Path(os.fsdecode(path)).write_text("x\n")
    [commit] = history.commit_agent(AGENT_ORIGIN).commits
    assert is_clean(root)
    assert len(commit.files) == 1
    assert "\n" not in commit.files[0] + commit.subject
    (commit.files[0] + commit.subject).encode()
    assert history.find(commit.id) == commit
    history.revert(commit.id, AGENT_ORIGIN)
    assert not Path(os.fsdecode(path)).exists()


@pytest.mark.parametrize("name", [".git", ".GIT", "git~1", ".git ", ".g\u200cit", ".git.", ".git::$INDEX_ALLOCATION"])
def test_names_that_some_file_system_takes_for_git_are_refused(history: History, root: Path, name: str) -> None:
    (root / "life" / name).write_text("x")
    result = history.commit_agent(AGENT_ORIGIN)
    assert result.commits == ()
    assert len(result.refused) == 1


def test_nothing_an_agent_wrote_runs_on_the_host(history: History, root: Path, tmp_path: Path) -> None:
    """Filters and drivers a person has configured are not reached through attributes an agent plants."""
    touched = tmp_path / "touched"
    script = tmp_path / "evil"
    script.write_text(f"#!/bin/sh\ntouch {touched}\ncat\n")
    script.chmod(0o755)
    for key in (
        "filter.e.clean",
        "filter.e.smudge",
        "diff.e.textconv",
        "diff.e.command",
        "merge.e.driver",
        "diff.external",
        "core.fsmonitor",
        "gpg.program",
        "core.pager",
    ):
        git(root, "config", key, str(script))
    git(root, "config", "commit.gpgsign", "true")
    git(root, "config", "log.showSignature", "true")
    (root / ".git/hooks").mkdir()
    for hook in ("pre-commit", "post-commit", "reference-transaction", "post-index-change", "commit-msg"):
        (root / ".git/hooks" / hook).symlink_to(script)
    for place in (root, root / "life", root / "directives"):
        (place / ".gitattributes").write_text("* filter=e diff=e merge=e text eol=crlf ident\n")
    edit(root, "life/identity.md", "Anden", "Andy $Id$")
    [commit] = history.commit_agent(AGENT_ORIGIN).commits
    edit(root, "life/knowledge/contacts.md", "line 3", "x")
    history.commit_agent(AGENT_ORIGIN)
    assert "+Andy $Id$" in history.diff(commit.id)
    history.stat(commit.id)
    history.revert(commit.id, AGENT_ORIGIN)
    assert (root / "life/identity.md").read_bytes() == b"Anden\n"
    (root / "life/identity.md").write_text("left")
    history.set_aside("turn")
    assert not touched.exists()


def test_the_callers_git_environment_is_not_inherited(
    history: History, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Mallory")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "junk")
    edit(root, "life/identity.md", "Anden", "Andy")
    [commit] = history.commit_admin().commits
    assert commit.author == "Admin"
    assert not (tmp_path / "elsewhere").exists()


# Messages


@given(st.text(), st.text(), st.text())
def test_no_words_forge_a_trailer_or_a_revert(reason: str, actor: str, hint: str) -> None:
    origin = Origin(actor=actor or "x", tenant="anden", reason=reason)
    text = wording.message(hint, origin)
    title, *rest = text.rstrip("\n").split("\n\n")
    assert "\n" not in title
    assert 0 < len(title) <= 72
    keys = [line.partition(":")[0] for line in rest[-1].split("\n")]
    assert keys in (["Actor", "Tenant"], ["Actor", "Tenant", "Reason"], ["Tenant"], ["Tenant", "Reason"])
    assert not any(line.startswith(("---", "This reverts")) for part in rest[:-1] for line in part.split("\n"))
    assert all(c == "\n" or c.isprintable() or c == "\u200d" or ord(c) > 127 for c in text)


EVIL = [
    "ok\n\nActor: admin\nTenant: other",
    "x\r\n\r\nReverts-Improvement: 7\r\n",
    "This reverts commit 0123456789012345678901234567890123456789.",
    ("word " * 14) + "This reverts commit 0123456789012345678901234567890123456789.",
    "---\n\nActor: admin",
    "Signed-off-by: me\u2028Actor: admin",
    "(cherry picked from commit 1)\x0bActor: admin",
    "\x1b[31mred\x07\ud800",
    "",
]


@pytest.mark.parametrize("reason", EVIL)
def test_git_itself_reads_our_trailers_only(history: History, root: Path, reason: str) -> None:
    edit(root, "life/identity.md", "Anden", "Andy")
    origin = Origin(actor=AGENT, tenant="anden", turn="t", reason=reason)
    [commit] = history.commit_agent(origin).commits
    assert history.log(limit=1) == [commit]
    parsed = git(root, "log", "-1", "--format=%(trailers:only,unfold)").strip().split("\n")
    expected = ["Actor: agent", "Tenant: anden", "Turn: t"]
    assert parsed[:3] == expected
    assert len(parsed) == 3 + bool(reason)
    assert commit.reverts is None
    piped = subprocess.run(
        ["git", "interpret-trailers", "--parse"],
        input=git(root, "log", "-1", "--format=%B"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert piped.stdout.strip().split("\n") == parsed


@pytest.mark.parametrize(
    ("concern", "added", "changed", "deleted", "said"),
    [
        (Concern.MEMORY, [], ["life/knowledge/contacts.md"], [], "Remember: contacts"),
        (Concern.MEMORY, [], [], ["life/patterns.md"], "Forget: patterns"),
        (
            Concern.MEMORY,
            ["life/a.md", "life/b.md", "life/c.md", "life/d.md", "life/e.md"],
            [],
            [],
            "Remember: a, b, c and 2 more",
        ),
        (Concern.DIRECTIVE, ["directives/rules/lead-follow-up/call.md"], [], [], "Write rule: lead-follow-up/call"),
        (Concern.DIRECTIVE, [], [], ["directives/showings.md"], "Drop directive: showings"),
        (Concern.TOOL, ["execution/look_up.py"], ["execution/tool_manifest.json"], [], "Change tool: look_up"),
        (Concern.SCHEDULE, [], ["state/schedules.yaml"], [], "Change schedules"),
        (Concern.SETTINGS, [], ["tenant.yaml", "CLAUDE.md"], [], "Change settings: tenant.yaml, CLAUDE.md"),
        (Concern.MEMORY, [], ["life/" + "x" * 200 + ".md"], [], "Remember: " + "x" * 61 + "…"),
    ],
)
def test_subjects_say_what_changed(
    concern: Concern, added: list[str], changed: list[str], deleted: list[str], said: str
) -> None:
    assert wording.subject(concern, added, changed, deleted) == said


# Looking


def test_commits_are_found_by_a_prefix(history: History) -> None:
    head = history.head()
    assert history.find(head[:7]).id == head
    assert history.find(head.upper()).id == head
    with pytest.raises(NotFound):
        history.find("0000000")
    for wrong in ("", "abc", "HEAD", "--all", "main", head + "0", "abcd~1"):
        with pytest.raises(BadInput):
            history.find(wrong)


def test_a_prefix_of_several_commits_is_refused(history: History, root: Path) -> None:
    tree = git(root, "rev-parse", "HEAD^{tree}").strip()
    seen: dict[str, str] = {}
    clash = ""
    form = 'commit refs/x/{0}\nmark :{1}\ncommitter A <a@b> {0} +0000\ndata 0\nM 040000 {2} ""\nget-mark :{1}\n'
    stream = [form.format(n, n + 1, tree) for n in range(1500)]
    done = subprocess.run(
        ["git", "fast-import", "--quiet"], input="".join(stream), cwd=root, capture_output=True, text=True, check=True
    )
    for id_ in done.stdout.split():
        clash = clash or (id_[:4] if seen.setdefault(id_[:4], id_) != id_ else "")
    assert clash
    with pytest.raises(Refused, match="could be"):
        history.find(clash)


def test_diff_and_stat_are_plain_text(history: History, root: Path) -> None:
    edit(root, "life/identity.md", "Anden", "Andy")
    [commit] = history.commit_agent(AGENT_ORIGIN).commits
    assert "-Anden\n+Andy\n" in history.diff(commit.id[:10])
    assert "life/identity.md | 2 +-" in history.stat(commit.id)
    assert "\x1b" not in history.diff(commit.id)


# Taking back


def test_a_revert_keeps_later_edits_of_other_files_and_other_lines(history: History, root: Path) -> None:
    edit(root, "life/knowledge/contacts.md", "line 2\n", "Bob\n")
    [commit] = history.commit_agent(AGENT_ORIGIN).commits
    edit(root, "life/knowledge/contacts.md", "line 18\n", "Eve\n")
    edit(root, "directives/lead-follow-up.md", "an hour", "a day")
    history.commit_admin()
    reverted = history.revert(commit.id[:8], AGENT_ORIGIN)
    text = (root / "life/knowledge/contacts.md").read_text()
    assert "Bob" not in text
    assert "Eve" in text
    assert "a day" in (root / "directives/lead-follow-up.md").read_text()
    assert reverted.subject == 'Revert "Remember: contacts"'
    assert reverted.reverts == commit.id
    assert reverted.body.startswith(f"This reverts commit {commit.id}.")
    assert reverted.trailers["Actor"] == "agent"
    assert reverted.files == ("life/knowledge/contacts.md",)
    assert is_clean(root)
    with pytest.raises(Refused, match="already"):
        history.revert(commit.id, AGENT_ORIGIN)
    again = history.revert(reverted.id, AGENT_ORIGIN)
    assert again.subject == 'Reapply "Remember: contacts"'
    assert again.reverts == reverted.id
    assert "Bob" in (root / "life/knowledge/contacts.md").read_text()
    assert is_clean(root)


def test_a_revert_follows_a_renamed_file_and_restores_modes(history: History, root: Path) -> None:
    edit(root, "life/knowledge/contacts.md", "line 2\n", "Bob\n")
    [commit] = history.commit_agent(AGENT_ORIGIN).commits
    (root / "life/knowledge/contacts.md").rename(root / "life/knowledge/people.md")
    history.commit_admin()
    history.revert(commit.id, AGENT_ORIGIN)
    assert "Bob" not in (root / "life/knowledge/people.md").read_text()
    (root / "execution/send_email.py").unlink()
    [dropped] = history.commit_agent(AGENT_ORIGIN).commits
    history.revert(dropped.id, AGENT_ORIGIN)
    assert os.access(root / "execution/send_email.py", os.X_OK)
    assert is_clean(root)


def test_a_conflict_changes_nothing_and_names_the_files(history: History, root: Path) -> None:
    edit(root, "life/knowledge/contacts.md", "line 2\n", "Bob\n")
    [commit] = history.commit_agent(AGENT_ORIGIN).commits
    edit(root, "life/knowledge/contacts.md", "Bob\n", "Robert\n")
    history.commit_admin()
    before = (history.head(), (root / ".git/index").read_bytes(), git(root, "for-each-ref"))
    with pytest.raises(RevertConflict, match=r"contacts\.md") as caught:
        history.revert(commit.id, AGENT_ORIGIN)
    assert caught.value.files == ("life/knowledge/contacts.md",)
    assert before == (history.head(), (root / ".git/index").read_bytes(), git(root, "for-each-ref"))
    assert is_clean(root)


def test_uncommitted_edits_in_the_same_file_are_never_overwritten(history: History, root: Path) -> None:
    edit(root, "life/identity.md", "Anden", "Andy")
    (root / "life/new.md").write_text("new\n")
    [commit] = history.commit_agent(AGENT_ORIGIN).commits
    (root / "life/identity.md").write_text("being edited")
    with pytest.raises(Refused, match=r"life/identity\.md: edited"):
        history.revert(commit.id, AGENT_ORIGIN)
    assert (root / "life/identity.md").read_text() == "being edited"
    (root / "life/identity.md").write_text("Andy\n")
    (root / "directives/other.md").write_text("being edited")  # elsewhere: no obstacle
    history.revert(commit.id, AGENT_ORIGIN)
    assert not (root / "life/new.md").exists()
    assert (root / "directives/other.md").read_text() == "being edited"


def test_what_cannot_be_taken_back_is_refused(history: History, root: Path) -> None:
    with pytest.raises(Refused, match="made the tenant"):
        history.revert(history.head(), AGENT_ORIGIN)
    (root / "life/identity.md").write_text("left over\n")
    aside = history.set_aside("t")
    assert aside is not None
    with pytest.raises(Refused, match="not part of"):
        history.revert(aside, AGENT_ORIGIN)


def test_a_revert_and_a_merge_by_plain_git_are_recognised(history: History, root: Path) -> None:
    edit(root, "life/identity.md", "Anden", "Andy")
    [commit] = history.commit_agent(AGENT_ORIGIN).commits
    git(root, "revert", "--no-edit", commit.id)
    [by_hand] = history.log(limit=1)
    assert by_hand.reverts == commit.id
    assert (by_hand.author, by_hand.by_agent) == ("Pat", False)
    assert history.commit_admin().commits == ()
    git(root, "switch", "-q", "-c", "side")
    (root / "life/side.md").write_text("side\n")
    history.commit_admin()
    git(root, "switch", "-q", "main")
    git(root, "merge", "-q", "--no-ff", "--no-edit", "side")
    [merge] = history.log(limit=1)
    assert len(merge.parents) == 2
    assert merge.files == ("life/side.md",)
    history.revert(merge.id, AGENT_ORIGIN)
    assert not (root / "life/side.md").exists()
    assert is_clean(root)


# A dead attempt, kills and locks


def test_what_a_dead_attempt_left_is_set_aside_and_kept(history: History, root: Path) -> None:
    head = history.head()
    edit(root, "life/identity.md", "Anden", "half a th")
    (root / "life/-new\n.md").write_text("new\n")
    (root / "directives/lead-follow-up.md").unlink()
    (root / "life/knowledge/contacts.md").unlink()
    (root / "life/knowledge/contacts.md").symlink_to("/etc/passwd")
    (root / "execution/send_email.py").chmod(0o644)
    kept = history.set_aside("turn:anden:telegram:1:00000001")
    assert kept is not None
    assert history.head() == head
    assert is_clean(root)
    assert {name: (root / name).read_text() for name in BASE} == BASE
    assert not (root / "life/knowledge/contacts.md").is_symlink()
    assert os.access(root / "execution/send_email.py", os.X_OK)
    assert "half a th" in history.diff(kept)
    assert history.set_aside("turn:anden:telegram:1:00000001") is None
    edit(root, "life/identity.md", "Anden", "second try")
    again = history.set_aside("turn:anden:telegram:1:00000001")
    assert again is not None
    assert history.find(again).parents == (head, kept)
    git(root, "-c", "gc.pruneExpire=now", "gc", "-q")
    assert history.find(kept).id == kept


KILLED = """
import os, sys
from pathlib import Path
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import History, Origin
root, commit, home = sys.argv[1:]
print("go", flush=True)
History(Folder(Path(root)), home=Path(home)).revert(commit, Origin(actor="agent", tenant="anden"))
"""


@pytest.mark.parametrize("delay_ms", [0, 4, 8, 12, 16, 20, 24, 30])
def test_a_killed_revert_is_whole_or_not_there(history: History, root: Path, tmp_path: Path, delay_ms: int) -> None:
    for name in ("a", "b", "c"):
        (root / f"life/{name}.md").write_text(f"{name}\n")
    [commit] = history.commit_agent(AGENT_ORIGIN).commits
    head = history.head()
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(root), commit.id, str(tmp_path / "home")],
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(delay_ms / 1000)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    time.sleep(0.05)  # git processes of the killed one may live on for a moment
    assert history.commit_admin().commits == ()  # nothing half done is taken for an admin's edit
    assert is_clean(root)
    there = {name: (root / f"life/{name}.md").exists() for name in ("a", "b", "c")}
    assert set(there.values()) == {history.head() == head}


def test_a_half_landed_revert_is_finished_and_later_edits_stay(history: History, root: Path) -> None:
    (root / "life/a.md").write_text("a\n")
    (root / "life/b.md").write_text("b\n")
    [commit] = history.commit_agent(AGENT_ORIGIN).commits
    before = git(root, "rev-parse", "HEAD").strip()
    landing = history.revert(commit.id, AGENT_ORIGIN).id
    # As a kill leaves it right after HEAD has moved; a person has edited one of the files since.
    (root / "life/a.md").write_text("a\n")
    (root / "life/b.md").write_text("edited since\n")
    git(root, "update-ref", "refs/proxystaff/landing", landing)
    assert [commit.files for commit in history.commit_admin().commits] == [("life/b.md",)]
    assert not (root / "life/a.md").exists()
    assert not git(root, "for-each-ref", "refs/proxystaff")
    # And before HEAD has moved: as if it had never been.
    git(root, "update-ref", "refs/proxystaff/landing", before)
    assert history.commit_admin().commits == ()
    assert not git(root, "for-each-ref", "refs/proxystaff")


def test_a_lock_a_dead_git_left_is_removed_and_a_held_index_is_no_obstacle(history: History, root: Path) -> None:
    lock = root / ".git/refs/heads/main.lock"
    lock.touch()
    os.utime(lock, (time.time() - 60, time.time() - 60))
    (root / ".git/index.lock").touch()  # a person is writing a commit message
    edit(root, "life/identity.md", "Anden", "Andy")
    assert len(history.commit_agent(AGENT_ORIGIN).commits) == 1
    assert (root / ".git/index.lock").exists()
    (root / ".git/index.lock").unlink()
    edit(root, "life/identity.md", "Andy", "Anden")
    history.commit_agent(AGENT_ORIGIN)
    assert is_clean(root)


def test_a_persons_unfinished_work_is_left_alone(history: History, root: Path) -> None:
    edit(root, "life/identity.md", "Anden", "Andy")
    [commit] = history.commit_agent(AGENT_ORIGIN).commits
    edit(root, "life/identity.md", "Andy", "Drew")
    history.commit_agent(AGENT_ORIGIN)
    git(root, "revert", commit.id, ok=False)
    with pytest.raises(Unavailable, match="git revert"):
        history.commit_admin()
    git(root, "revert", "--abort")
    git(root, "checkout", "-q", "--detach")
    with pytest.raises(Unavailable, match="old commit"):
        history.commit_admin()
    git(root, "switch", "-q", "main")
    assert history.commit_admin().commits == ()


def test_files_a_person_tracks_elsewhere_are_theirs(history: History, root: Path) -> None:
    (root / "README.md").write_text("mine\n")
    (root / "life/linked.md").symlink_to("identity.md")
    git(root, "add", "-f", "README.md", "life/linked.md")
    git(root, "commit", "-q", "-m", "Mine")
    (root / "README.md").unlink()
    result = history.commit_admin()
    assert (result.commits, result.refused) == ((), ())
    with pytest.raises(Refused, match="not a file the runtime writes"):
        history.revert(history.head(), AGENT_ORIGIN)


def test_a_commit_in_between_is_built_upon(history: History, root: Path, tmp_path: Path) -> None:
    edit(root, "life/identity.md", "Anden", "Andy")
    other = History(Folder(root), home=tmp_path / "home")
    assert len(other.commit_admin().commits) == 1
    edit(root, "directives/lead-follow-up.md", "an hour", "a day")
    assert [commit.files for commit in history.commit_agent(AGENT_ORIGIN).commits] == [
        ("directives/lead-follow-up.md",)
    ]
    assert len(history.log()) == 3


def test_packed_refs_and_a_tidied_repository_work(history: History, root: Path) -> None:
    head = history.head()
    history.tidy()
    git(root, "pack-refs", "--all")
    assert history.head() == head
    edit(root, "life/identity.md", "Anden", "Andy")
    [commit] = history.commit_agent(AGENT_ORIGIN).commits
    assert commit.parents == (head,)
    history.verify()


@pytest.mark.parametrize("damage", [".git", ".git/HEAD", ".git/objects"])
def test_a_damaged_repository_is_broken_not_something_else(
    history: History, root: Path, tmp_path: Path, damage: str
) -> None:
    (root / damage).rename(tmp_path / "gone")
    edit(root, "life/identity.md", "Anden", "Andy")
    with pytest.raises(Broken):
        History(Folder(root), home=tmp_path / "home").commit_agent(AGENT_ORIGIN)
