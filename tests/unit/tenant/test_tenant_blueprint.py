import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import BadInput, Refused
from runtime.settings import Settings, load_settings
from runtime.tenant import blueprint
from runtime.tenant.git.history import History
from runtime.tenant.registry import TENANT_ID, Tenants
from runtime.tenant.secrets import Keys


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = load_settings(tmp_path / "home", {})
    Keys.of(settings).create()
    return settings


def test_a_new_tenant_is_whole(home: Settings) -> None:
    tenant = blueprint.create(
        home, "Anden Wick", timezone="America/Denver", owner_telegram="111222333", owner_whatsapp="+1 303 555-0100"
    )
    assert tenant.id == "anden-wick"
    assert tenant.folder.root == home.tenants / "anden-wick"
    assert (tenant.config.name, tenant.config.timezone) == ("Anden Wick", "America/Denver")
    assert dict(tenant.config.owner.addresses) == {"telegram": "111222333", "whatsapp": "13035550100"}
    for source in blueprint.BLUEPRINT.rglob("*"):
        rel = str(source.relative_to(blueprint.BLUEPRINT))
        if source.is_file() and rel != "tenant.yaml" and "__pycache__" not in rel:
            assert tenant.folder.read_bytes(rel) == source.read_bytes()
    for part in (*blueprint.STATE, ".secrets"):
        assert (tenant.folder.root / part).is_dir()
    assert stat.S_IMODE((tenant.folder.root / ".secrets").stat().st_mode) == 0o700
    assert sorted(path.name for path in home.tenants.iterdir()) == [".lock", "anden-wick"]


def test_a_new_tenant_has_one_commit_and_nothing_left_to_commit(home: Settings) -> None:
    tenant = blueprint.create(home, "Anden")
    history = History(tenant.folder)
    (first,) = history.log(limit=5)
    assert "tenant.yaml" in first.files
    assert "CLAUDE.md" in first.files
    assert not [name for name in first.files if name.startswith((".secrets", "state/c", "state/m"))]
    assert not history.commit_admin().commits
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=tenant.folder.root, capture_output=True, text=True, check=True
    )
    assert status.stdout == ""


def test_the_settings_keep_their_comments_and_read_as_a_person_would_write_them(home: Settings) -> None:
    tenant = blueprint.create(
        home,
        "Zoë O'Hara: Homes",
        timezone="Europe/Rome",
        owner_telegram="7",
        owner_whatsapp="13035550100",
        phone_number_id="106540352242922",
    )
    text = (blueprint.BLUEPRINT / "tenant.yaml").read_text()
    for old, new in (
        ("name: A Realtor\n#", 'name: "Zoë O\'Hara: Homes"\n#'),
        ("America/Denver", "Europe/Rome"),
        (
            "{name: A Realtor, role: owner}",
            '{name: "Zoë O\'Hara: Homes", role: owner, telegram: 7, whatsapp: "13035550100"}',
        ),
        (
            "{key: secret:API_KEY}\n",
            "{key: secret:API_KEY}\n"
            "  telegram: {token: secret:TELEGRAM_BOT_TOKEN, webhook_secret: secret:TELEGRAM_WEBHOOK_SECRET}\n"
            '  whatsapp: {phone_number_id: "106540352242922", access_token: secret:WHATSAPP_ACCESS_TOKEN}\n',
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    assert tenant.folder.read_text("tenant.yaml") == text


def test_every_wrong_value_is_told_and_nothing_is_made(home: Settings) -> None:
    with pytest.raises(BadInput) as caught:
        blueprint.create(home, "Anden", timezone="Mars", owner_telegram="@anden", owner_whatsapp="12")
    assert caught.value.problem.count("\n") == 2
    for word in ("Mars", "@anden", "at least 7"):
        assert word in caught.value.problem
    assert "tenant.yaml" not in caught.value.problem
    assert not list(home.tenants.glob("*"))


def test_one_that_exists_is_never_touched(home: Settings) -> None:
    tenant = blueprint.create(home, "Anden")
    tenant.folder.write_text("life/mine.md", "mine")
    for name in ("Anden", "anden", "ANDEN!"):
        with pytest.raises(Refused, match="there is a tenant anden already"):
            blueprint.create(home, name)
    (home.tenants / "dangling").symlink_to("nowhere")
    with pytest.raises(Refused):
        blueprint.create(home, "dangling")
    assert tenant.folder.read_text("life/mine.md") == "mine"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Anden Wick", "anden-wick"),
        ("  Zoë  O'Hara & Søns ", "zoe-ohara-sns"),
        ("STRASSE Straße", "strasse-strasse"),
        ("x" * 60, "x" * 40),
        ("a" * 39 + " b", "a" * 39),
        ("42", "42"),
    ],
)
def test_the_folder_gets_a_name_one_can_type(name: str, wanted: str) -> None:
    assert blueprint.slug(name) == wanted


@pytest.mark.parametrize("name", ["", "   ", "Иван", "../..", "王"])
def test_a_name_of_which_nothing_is_left(name: str) -> None:
    with pytest.raises(BadInput, match="Latin"):
        blueprint.slug(name)


@given(name=st.text(max_size=60))
def test_a_slug_is_an_id_and_its_own_slug(name: str) -> None:
    try:
        found = blueprint.slug(name)
    except BadInput:
        return
    assert TENANT_ID.fullmatch(found)
    assert blueprint.slug(found) == found


# Dies just before the rename that would make it a tenant, and, the second time, during the copying.
KILLED = """
import os, signal, sys
from pathlib import Path
from runtime.settings import load_settings
from runtime.tenant import blueprint

seen = 0
def trace(frame, event, arg):
    global seen
    seen += frame.f_code.co_name == sys.argv[2] and event == "call"
    if seen == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

sys.settrace(trace)
blueprint.create(load_settings(Path(sys.argv[1]), {}), "Anden")
"""


@pytest.mark.parametrize(("function", "call"), [("_copy", 3), ("make", 2), ("sync", 1)])
def test_a_kill_leaves_no_half_tenant(home: Settings, tmp_path: Path, function: str, call: int) -> None:
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(home.home), function, str(call)],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        check=False,
    )
    assert run.returncode == -9
    assert list(home.tenants.glob(".new-*"))
    assert Tenants(home.tenants, Keys.of(home)).all() == []
    assert Tenants(home.tenants, Keys.of(home)).broken() == {}
    assert blueprint.create(home, "Anden").id == "anden"
    assert not list(home.tenants.glob(".new-*"))


def test_it_moves_as_a_folder(home: Settings, tmp_path: Path) -> None:
    tenant = blueprint.create(home, "Anden")
    (tmp_path / "other").mkdir()
    shutil.move(tenant.folder.root, tmp_path / "other" / "anden")
    moved = Tenants(tmp_path / "other", Keys.of(home)).get(tenant.id)
    assert len(History(moved.folder).log(limit=5)) == 1
