"""What is new of bad edits, and what the owner is told: once for each fault, and when it is mended."""

import pytest

from runtime.tenant.git.commits import BadFile
from runtime.turns.bad_edits import ADMIN, AGENT, BadEdit, News, Standing, decide, words
from runtime.words import TenantId

SOP = "directives/leads.md"


def bad(*faults: str, path: str = SOP, committed: str = "b1", aside: str = "state/aside/x") -> BadFile:
    lines = tuple(f"{path}:{one}" for one in faults or ("4: what",))
    return BadFile(path=path, faults=lines, committed=committed, data=b"", stamp=None, aside=aside)


def known(*faults: str, path: str = SOP, committed: str = "b1", aside: str = "state/aside/x") -> dict[str, BadEdit]:
    lines = tuple(f"{path}:{one}" for one in faults or ("4: what",))
    tenant = TenantId("anden")
    one = BadEdit(tenant=tenant, path=path, faults=lines, committed=committed, aside=aside, whose=ADMIN, since=0.0)
    return {path: one}


@pytest.mark.parametrize(
    ("before", "now", "standing", "news"),
    [
        ({}, [], {}, News()),
        ({}, [bad()], {}, News(fresh=(bad(),))),
        (known(), [bad()], {}, News()),
        (known(), [bad("5: what")], {}, News(fresh=(bad("5: what"),))),
        (known(), [bad(aside="state/aside/y")], {}, News(moved=(bad(aside="state/aside/y"),))),
        (known(), [], {}, News()),
        (known(), [], {SOP: Standing("b1", kept=True)}, News()),
        (known(), [], {SOP: Standing("b2", kept=True)}, News(mended=(SOP,))),
        (known(), [], {SOP: Standing("", kept=False)}, News(mended=(SOP,))),
        (known(), [], {SOP: Standing("b1", kept=False)}, News(dropped=(SOP,))),
        (known(committed=""), [], {SOP: Standing("b1", kept=True)}, News(mended=(SOP,))),
        (known(path="life/a.md"), [bad()], {"life/a.md": Standing("b1", kept=True)}, News(fresh=(bad(),))),
    ],
)
def test_what_is_new(before: dict[str, BadEdit], now: list[BadFile], standing: dict[str, Standing], news: News) -> None:
    assert decide(before, now, standing) == news


def test_a_bad_edit_is_told_in_plain_words() -> None:
    assert words(News(fresh=(bad(),)), ADMIN) == (
        "Your edit of directives/leads.md is not in force: line 4: what. "
        "Until it is mended, the version before it holds."
    )
    assert words(News(fresh=(bad(committed=""),)), AGENT) == (
        "My change of directives/leads.md is not in force: line 4: what. Until it is mended, it is left out."
    )
    assert "the settings before it hold" in words(News(fresh=(bad(path="tenant.yaml"),)), ADMIN)
    assert words(News(mended=(SOP,), dropped=("life/a.md",)), ADMIN) == (
        "The edit of directives/leads.md is in force now.\n\nlife/a.md is in order again, as it was before the edit."
    )
    assert words(News(), ADMIN) == ""
    assert words(News(moved=(bad(),)), ADMIN) == ""


def test_a_message_stays_short_whatever_is_wrong() -> None:
    many = News(
        fresh=tuple(bad(*(f"{line}: {'x' * 5000}\n\x07" for line in range(50)), path=f"d{n}") for n in range(99))
    )
    said = words(many, ADMIN)
    assert len(said) < 6_000
    assert "94 more files" in said
    assert "and 47 more" in said
    assert "\x07" not in said
