"""A home whose one tenant knows several people from many places, and a byte search that shares nothing with ours."""

import asyncio
import base64
import json
import os
import subprocess
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from runtime.agent.conversations import Conversations
from runtime.agent.ledger import Entry, Ledger
from runtime.agent.prices import NO_TOKENS
from runtime.agent.views import config_of
from runtime.engine.database import Database, Transaction
from runtime.engine.durable import Engine
from runtime.settings import Settings, load_settings
from runtime.tenant import blueprint
from runtime.tenant.git.history import ADMIN, AGENT, History, Origin
from runtime.tenant.messages import MessageLog, sync_recent
from runtime.tenant.registry import Tenant, Tenants
from runtime.tenant.search.index import Index
from runtime.tenant.secrets import Keys
from runtime.turns import inbox, outbox, pairing
from runtime.turns.erasing import Places
from runtime.turns.letters import Letter
from runtime.words import Conversation, Inbound, Role, TenantId, TurnId

NAME = "José García"
PHONE = "13035550100"
MAIL = "jose.g@example.org"
TALK = Conversation(f"whatsapp:{PHONE}")
OWNERS = Conversation("telegram:111222333")
WAMID = "wamid." + base64.b64encode(b"\x1c\x18\x0b" + PHONE.encode() + b"\x15\x02\x00\x12\x18\x14ABCDEF").decode()
SESSION, OTHERS_SESSION, CLEAN_SESSION = (f"{n}1111111-2222-4333-8444-555555555555" for n in (1, 2, 3))
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "I would pay six hundred thousand if I must"  # what only they said, without their name

NEEDLES = tuple(
    needle.encode()
    for needle in (
        NAME,
        unicodedata.normalize("NFD", NAME),
        json.dumps(NAME)[1:-1],
        json.dumps(json.dumps(NAME))[3:-3],
        "José_García",
        "josé-garcía",
        "García, José",
        PHONE,
        "303-555-0100",
        "(303) 555-0100",
        MAIL,
        SECRET,
        base64.b64encode(PHONE.encode()[2:]).decode()[2:12],
        WAMID,
    )
)


def left(root: Path, needles: Iterable[bytes] = NEEDLES) -> set[str]:
    """Where any of ``needles`` stands under ``root``, whatever the case: in names, files, loose and packed objects."""
    wanted = [variant for needle in needles for variant in {needle.lower(), _lower(needle)}]
    found = set()
    for path, data in _everything(root):
        low = data.lower(), _lower(data)
        if any(one in text for one in wanted for text in (*low, os.fsencode(path).lower())):
            found.add(path)
    return found


def _lower(data: bytes) -> bytes:
    return data.decode("utf-8", "surrogateescape").lower().encode("utf-8", "surrogateescape")


def _everything(root: Path) -> Iterator[tuple[str, bytes]]:
    for at, folders, names in os.walk(root):
        if ".git" in folders:
            yield from _objects(Path(at))
        for name in names:
            path = Path(at) / name
            if path.is_symlink():
                yield str(path), os.fsencode(path.readlink())
            elif path.is_file():
                data = path.read_bytes()
                yield str(path), data
                if path.parent.parent.name == "objects" and len(path.name) == 38:
                    yield f"{path} (loose)", zlib.decompress(data)


def _objects(root: Path) -> Iterator[tuple[str, bytes]]:
    out = git(root, "cat-file", "--batch-all-objects", "--batch")
    at = 0
    while at < len(out):
        end = out.index(b"\n", at)
        id_, _, size = out[at:end].split()
        yield f"{root} object {id_.decode()}", out[end + 1 : end + 1 + int(size)]
        at = end + 2 + int(size)


def git(root: Path, *words: str, stdin: bytes = b"") -> bytes:
    """Plain git, as a person runs it."""
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in PAT.items()}
    environment = {"PATH": os.defpath, "HOME": str(root.parent), "GIT_CONFIG_NOSYSTEM": "1", **who}
    done = subprocess.run(["git", *words], cwd=root, env=environment, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


PAT = {"NAME": "Pat", "EMAIL": "pat@example.org"}


class Town:
    """The home, and the parts of it that a test looks at."""

    def __init__(self, home: Path) -> None:
        self.settings: Settings = load_settings(home, {})
        self.database = Database("sqlite", self.settings.var)
        self.tenants = Tenants(self.settings.tenants, Keys.of(self.settings))

    @property
    def tenant(self) -> Tenant:
        return self.tenants.get(TenantId("anden"))

    @property
    def root(self) -> Path:
        return self.settings.tenants / "anden"

    @property
    def places(self) -> Places:
        return Places(self.database, self.settings.var)

    @property
    def history(self) -> History:
        return History(self.tenant.folder)

    def read(self, rel: str) -> str:
        return (self.root / rel).read_text()

    def lines(self, rel: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.read(rel).splitlines()]


def build(home: Path) -> None:
    """Everything that knows José: he writes as a guest, and the owner, Anden, speaks of him."""
    settings = load_settings(home, {})
    Keys.of(settings).create()
    (home / "proxystaff.yaml").write_text("model: {upstream: rehearsal}\n")
    blueprint.create(settings, "Anden", timezone="America/Denver", owner_telegram="111222333")
    town = Town(home)
    try:
        _people(town)
        _memory(town)
        _procedures(town)
        _git(town)
        _state(town)
        _rows(town)
        asyncio.run(_work(town))
    finally:
        town.database.close()


def _people(town: Town) -> None:
    text = town.read("tenant.yaml")
    entries = (
        f'  - {{name: "{NAME}", role: guest, whatsapp: "{PHONE}"}} # {NAME} asked to be let in\n'
        "  - {name: Mia Stone, role: member, telegram: 4441}\n"
    )
    (town.root / "tenant.yaml").write_text(
        text.replace("\nchannels:", f"\n{entries}\nchannels:", 1).replace("\n\n  - ", "\n  - ")
    )
    town.history.commit_admin()


def _memory(town: Town) -> None:
    people = town.root / "life/relationships/people.md"
    begun = people.read_text()
    for number in range(12):
        facts = "".join(f"- Visit {n}. [2026-11-{n + 1:02}; {NAME}; typed; {WAMID}]\n" for n in range(number + 1))
        people.write_text(
            f"{begun}\n## {NAME} (buyer)\n- Phone: (303) 555-0100. [2026-11-01; Anden; typed; 5]\n- E-mail: {MAIL}\n"
            f"{facts}\n## Ann Lee\n- Budget: $550k. [2026-11-02; Anden; typed; 6]\n"
            f"- Introduced by {unicodedata.normalize('NFD', NAME)}\n  last spring\n\n## Ann Brown\n- Sells in May.\n"
        )
        town.history.commit_agent(_said(TALK, number, SECRET) if number % 2 else _said(OWNERS, number, f"about {NAME}"))
    (town.root / "life/events/2026-11.md").write_text(
        '---json\n{"title": "Events 2026-11", "kind": "events", "version": 1}\n---\n\n'
        "- 2026-11-22 Showing with josé  garcía\n- 2026-11-23 Inspection\n"
    )
    (town.root / "life/josé-garcía.md").write_text("All about them.\n")
    (town.root / "life/knowledge/contacts.md").write_text(
        town.read("life/knowledge/contacts.md") + "\n- Lender: Bo. [2026-11-03; Mia Stone; typed; 9]\n"
    )
    town.history.commit_agent(_said(OWNERS, 20, "remember"))


def _said(talk: Conversation, number: int, reason: str) -> Origin:
    turn = f"turn:anden:{talk}:{number:08d}"
    return Origin(actor=AGENT, tenant="anden", conversation=talk, turn=turn, trigger=f"message {WAMID}", reason=reason)


def _procedures(town: Town) -> None:
    directive = town.root / "directives/showings.md"
    directive.write_text(directive.read_text() + f"\nCall {NAME.upper()} first.\nThen the others.\n")
    (town.root / "execution/find.py").write_text(f'"""Looks for {NAME}."""\nVIP = "{PHONE}"\n')
    (town.root / "execution/tool_manifest.json").write_text(
        json.dumps([{"name": "find", "description": f"Finds {NAME}", "vip": int(PHONE)}], indent=2) + "\n"
    )
    (town.root / "state/schedules.yaml").write_text(f"- {{id: a, text: Ask {NAME} about Elm Street, phone: {PHONE}}}\n")
    town.history.commit_admin()
    target = town.history.log(limit=1)[0]
    town.history.revert(target.id, Origin(actor=ADMIN, tenant="anden", reason=f"{NAME} is served by Mia"))
    town.history.revert(town.history.head(), Origin(actor=ADMIN, tenant="anden", reason="after all"))


def _git(town: Town) -> None:
    """What a person does with plain git: a merge, a tag, a note; and what an attempt that died left."""
    root = town.root
    git(root, "switch", "-q", "-c", "side")
    (root / "directives/side.md").write_text(f"Ask {NAME}.\n")
    git(root, "add", "directives")
    git(root, "commit", "-q", "-m", f"Note what {NAME} wants", "--author", f"{NAME} <{MAIL}>")
    git(root, "switch", "-q", "main")
    (root / "directives/own.md").write_text("Mine.\n")
    git(root, "add", "directives")
    git(root, "commit", "-q", "-m", "Mine")
    git(root, "merge", "-q", "--no-ff", "-m", f"Merge what {NAME} wants", "side")
    git(root, "tag", "-a", "-m", f"{NAME} is happy", "josé-garcía-1")
    git(root, "notes", "add", "-m", f"{NAME} saw this", "HEAD")
    git(root, "branch", "-q", "josé-garcía")
    (root / "life/relationships/half.md").write_text(f"{NAME} half")
    assert town.history.set_aside(f"turn:anden:{TALK}:00000009")
    git(root, "gc", "-q")
    (root / "directives/late.md").write_text(f"After the packing: {NAME}\n")
    town.history.commit_admin()


def _state(town: Town) -> None:
    folder = town.tenant.folder
    media = {f"2026-11/{WAMID.replace('.', '_').replace('=', '_')}-0.jpg": b"\x00photo", "2026-11/77-0.txt": b"nobody"}
    media["2026-11/88-0.pdf"] = b"%PDF\0" + NAME.encode()
    media["2026-11/99-0.csv"] = f"Ann Lee,1\n{NAME},2\n".encode()
    media["2026-11/55-0.jpg"] = b"\x00sent in his conversation"
    for rel, data in media.items():
        folder.write_bytes(f"state/media/{rel}", data)
    commit = town.history.log(limit=30)[10].id
    messages = [
        {"id": WAMID, "conversation": TALK, "person": NAME, "direction": "inbound", "text": SECRET,
         "extra": {"files": ["state/media/2026-11/55-0.jpg"]}},
        {"id": "turn:1:0", "conversation": TALK, "direction": "outbound", "text": "Noted.", "state": "queued"},
        {"id": "71", "conversation": OWNERS, "person": "Anden", "direction": "inbound",
         "text": f"Call {NAME} at 303-555-0100"},
        {"id": "72", "conversation": OWNERS, "direction": "outbound", "text": "Done / \"sure\" é", "state": "queued"},
        {"id": "72", "conversation": OWNERS, "direction": "outbound", "state": "sent"},
    ]  # fmt: skip
    log = [
        {"at": f"2026-11-20T12:00:0{n}.000Z", "channel": one["conversation"].partition(":")[0], **one}
        for n, one in enumerate(messages)
    ]
    # As some other program writes JSON: everything that is not ASCII escaped, slashes too.
    folder.write_text(
        "state/messages/2026-11.jsonl", "".join(json.dumps(one).replace("/", "\\/") + "\n" for one in log)
    )
    turns = [
        {"turn": f"turn:anden:{TALK}:00000001", "conversation": TALK, "commits": [commit]},
        {"turn": f"turn:anden:{OWNERS}:00000001", "conversation": OWNERS, "commits": [commit],
         "tools": [{"name": "Bash", "input": {"command": f"grep '{NAME}' x"}, "chat": int(PHONE)}]},
    ]  # fmt: skip
    rows = [{"at": "2026-11-20T12:00:00.000Z", "trigger": "", **one} for one in turns]
    folder.write_text("state/turns/2026-11.jsonl", "".join(json.dumps(one) + "\n" for one in rows))
    sync_recent(folder, MessageLog(folder))
    kept = Conversations(folder)
    for talk, session in ((TALK, SESSION), (OWNERS, OTHERS_SESSION), (Conversation("telegram:4441"), CLEAN_SESSION)):
        kept.note(talk, session, now=NOW)
    spoken = json.dumps({"message": {"content": json.dumps({"said": f"about {NAME}"})}})
    private = config_of(Role.GUEST, TALK)
    folder.write_text(f"{private}/projects/-tenant/{SESSION}.jsonl", json.dumps({"message": SECRET}) + "\n")
    folder.write_text(f"state/claude/projects/-tenant/{OTHERS_SESSION}.jsonl", spoken + "\n")
    folder.write_text(f"state/claude/projects/-tenant/{CLEAN_SESSION}.jsonl", '{"message": "nothing"}\n')
    folder.write_text("state/annealing/notes.json", json.dumps({"who": NAME, "id": int(PHONE), "n": 1}))
    (folder.root / "state/link").symlink_to(f"/nowhere/{NAME}")
    Index(town.places.index(town.tenant)).catch_up(folder)


def _rows(town: Town) -> None:
    def fill(tx: Transaction) -> None:
        for talk, id_, text in ((TALK, WAMID, SECRET), (OWNERS, "71", f"Call {NAME}")):
            channel, _, address = talk.partition(":")
            person = town.tenant.config.person(channel, address)
            message = Inbound(channel=channel, id=id_, sender=address, address=address, text=text, sent_at=NOW)
            accepted = inbox.accept(tx, town.tenant.id, message, person, NOW.timestamp(), pace=30)
            letter = Letter(channel=channel, address=address, text=f"Dear {NAME}")
            outbox.plan(tx, accepted.turn, town.tenant.id, [letter], NOW.timestamp())
            commits = json.dumps([commit.id for commit in town.history.log(limit=12)])
            tx.run(
                "UPDATE turn SET commits = :c, problem = :p WHERE id = :t", c=commits, p=f"for {NAME}", t=accepted.turn
            )
        stranger = Inbound(
            channel="whatsapp", id="s", sender=PHONE, address=PHONE, text="hi", sent_at=NOW, sender_name="Pepe G"
        )
        pairing.ask(tx, town.tenant.id, stranger, NOW.timestamp())

    town.database.write_now(fill)
    ledger = Ledger(town.places.ledger)
    for talk in (TALK, OWNERS):
        turn = TurnId(f"turn:anden:{talk}:00000001")
        ledger.record(
            Entry(
                at=NOW,
                tenant=town.tenant.id,
                conversation=talk,
                turn=turn,
                upstream="rehearsal",
                model="m",
                tokens=NO_TOKENS,
                usd=0.5,
            )
        )
    ledger.close()
    for turn, text in (
        (f"turn_anden_whatsapp_{PHONE}_00000001", "theirs"),
        ("turn_anden_telegram_111222333_00000001", f"for {NAME}"),
    ):
        (town.places.outgoing / turn / "0").mkdir(parents=True)
        (town.places.outgoing / turn / "0" / "list.txt").write_text(text)


async def _work(town: Town) -> None:
    """The engine's own rows: a workflow is named by its turn."""
    engine = Engine(town.database)

    async def body(id: str) -> None:
        async def note() -> dict[str, str]:
            return {"turn": id}

        await engine.step("note", note)

    engine.register("turn", body)
    await engine.launch()
    for talk in (TALK, OWNERS):
        await engine.start("turn", f"turn:anden:{talk}:00000001")
    for _ in range(200):
        rows = town.database.read_now(lambda tx: tx.run("SELECT status FROM workflow_status"))
        if [row["status"] for row in rows] == ["SUCCESS"] * 2:
            break
        await asyncio.sleep(0.05)
    engine.close()
