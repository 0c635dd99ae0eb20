"""A tenant with very many messages, and what is searched for in them."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from runtime.tenant.messages import MessageLine
from runtime.words import Conversation, Direction, How, SendState, TurnId


def _of(text: str) -> list[str]:
    return text.split()


COMMON = _of("""
the to a and for on is at i it you we can with of in showing offer house client buyer seller price call me today
tomorrow send listing please closing inspection contract kitchen street budget lender appraisal
""")
TALK = Conversation("telegram:111222333")


def crowd(count: int, seed: int) -> Iterator[MessageLine]:
    """Messages whose words are as unevenly used as those of a language: few in most messages, most in few."""
    r = random.Random(seed)
    words = list(COMMON)
    heads, ends = _of("b c d f g h j k l m n p r s t v w st tr sh"), _of("a e i o u ai ee ou")
    while len(words) < 30_000:
        stem = "".join(r.choice(heads) + r.choice(ends) for _ in range(r.choice((2, 2, 3, 3, 4))))
        words += [stem, stem + r.choice(("s", "ed", "ing", "n"))]
    weights = list(accumulate(1 / (n + 3) for n in range(len(words))))
    at = datetime(2021, 1, 1, tzinfo=UTC)
    for number in range(count):
        at += timedelta(seconds=r.expovariate(1 / 150))
        text = " ".join(r.choices(words, cum_weights=weights, k=r.randint(3, 22)))
        if r.random() < 0.1:
            text += f" {r.randint(100, 9999)} {r.choice(words).title()} St"
        ours = number % 2 == 1
        yield MessageLine(
            id=f"out:{number}" if ours else str(number),
            at=at,
            channel="telegram",
            conversation=TALK,
            direction=Direction.OUTBOUND if ours else Direction.INBOUND,
            person="" if ours else "Anden Wick",
            text=text,
            how=How.AGENT if ours else How.TYPED,
            turn=TurnId(f"turn:anden:{TALK}:{number // 2:08}"),
            state=SendState.DELIVERED if ours else None,
        )


def searches(r: random.Random, texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    """One to three words of messages, as often common as rare; beginnings, phrases, filters and later pages as well."""
    for number in range(300):
        words = r.choice(texts).split()
        picked = r.sample(words, min(len(words), r.choice((1, 1, 2, 2, 3))))
        match number % 6:
            case 0:
                yield {"query": " ".join(r.sample(COMMON, r.choice((1, 2, 3))))}
            case 1:
                yield {"query": " ".join(word[:4] for word in picked)}
            case 2:
                start = r.randrange(max(1, len(words) - 1))
                yield {"query": f'"{" ".join(words[start : start + 2])}"'}
            case 3:
                since = datetime(2021, 1, 1, tzinfo=UTC) + timedelta(days=r.randrange(1500))
                yield {"query": " ".join(picked), "since": since, "until": since + timedelta(days=90)}
            case 4:
                yield {"query": " ".join(picked), "direction": r.choice(list(Direction)), "limit": 100}
            case _:
                yield {"query": r.choice(picked), "offset": r.choice((0, 20, 200, 1000))}
