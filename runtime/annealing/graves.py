"""What is kept of ideas that failed, and of the loop being frozen: ``tombstones.json``, ``frozen.json``.

Owns these two files, each written whole. Does not own when an idea may come back (verification/cooldown).
"""

from datetime import UTC, datetime
from pathlib import Path

from runtime import checked_json
from runtime.annealing.records import Improvement
from runtime.annealing.verification.cooldown import Tombstone
from runtime.annealing.verification.ideas import Idea, idea
from runtime.checked_yaml import Strict
from runtime.errors import NotFound
from runtime.tenant.folder import Folder

TOMBSTONES = "state/annealing/tombstones.json"
FROZEN = "state/annealing/frozen.json"


class _Tombstones(Strict):
    tombstones: tuple[Tombstone, ...] = ()


class Freeze(Strict):
    """Turns went worse that no change was in play in: nothing lands until a person has looked. ``e``: the evidence.
    ``over``: when they let it go on; what went wrong until then says nothing of any change."""

    since: datetime
    e: float
    reason: str
    over: datetime | None = None


class Graves:
    """Of one tenant. Raises ConfigFault for a file that is damaged."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def tombstones(self) -> tuple[Tombstone, ...]:
        try:
            text = self._folder.read_text(TOMBSTONES)
        except NotFound:
            return ()
        return checked_json.load(Path(TOMBSTONES), _Tombstones, text=text).tombstones

    def add(self, one: Tombstone) -> None:
        """Once: a tombstone of the same idea and moment is there already after a kill."""
        kept = self.tombstones()
        if any(other.idea == one.idea and other.at == one.at for other in kept):
            return
        whole = _Tombstones(tombstones=(*kept, one))
        self._folder.write_text(TOMBSTONES, whole.model_dump_json(indent=1) + "\n")

    def lift(self, key: str) -> int:
        """The owner lets an idea come back: its tombstones go; how many there were."""
        kept = self.tombstones()
        left = tuple(one for one in kept if one.idea.key != key)
        if len(left) < len(kept):
            self._folder.write_text(TOMBSTONES, _Tombstones(tombstones=left).model_dump_json(indent=1) + "\n")
        return len(kept) - len(left)

    def frozen(self) -> Freeze | None:
        last = self._last_freeze()
        return last if last and last.over is None else None

    def resumed(self) -> datetime | None:
        """When the loop was let go on after it had frozen last; None where it never was."""
        last = self._last_freeze()
        return last.over if last else None

    def _last_freeze(self) -> Freeze | None:
        try:
            text = self._folder.read_text(FROZEN)
        except NotFound:
            return None
        return checked_json.load(Path(FROZEN), Freeze, text=text)

    def freeze(self, one: Freeze) -> None:
        self._folder.write_text(FROZEN, one.model_dump_json(indent=1) + "\n")

    def thaw(self) -> None:
        if frozen := self.frozen():
            self.freeze(frozen.model_copy(update={"over": datetime.now(UTC)}))


def idea_of(one: Improvement) -> Idea:
    """Of an improvement: a rule that is changed is its target; a new one has none, whatever name it was given."""
    first = one.operations[0] if one.operations else None
    target = first.rule if first and first.do != "ADD" else ""
    return idea(one.family, target, one.intent)
