"""What can be seen of a message beside what the assistant had said: the names of the features that hold. Pure.

Owns the features; what each weighs is learned (weights.json, scripts/train_signals.py).
"""

from collections.abc import Iterator

from runtime.annealing.signals.forms import found, matter
from runtime.annealing.signals.reading import Text, asks, wants_yes_or_no
from runtime.annealing.signals.values import filling, replaced, values

OTHERS = "of others"
"""The feature that news of others were what the assistant had told, and the person does not scold the assistant."""

_SAYING = ("friction", "remembering", "ordinary")
_ORDERLY = frozenset({"thanks", "praise", "assent", "closing", "self_blame", "refine", "change_mind", "third"}) | {
    "imperative", "about_self", "about_world", "wh_question"
}  # fmt: skip
_HARSH = ("bad", "wrong", "again", "sarcasm", "you_fail", "exasperated", "not_so", "slow", "distrust", "consequence")
_KEEPING = ("from_now_on", "always_do", "never_do", "every", "as_rule", "remember", "note", "dont_forget", "means")
_STRONG = frozenset(_KEEPING) - {"every"}
_BEFORE = ("asks", "offers", "fails", "waits", "shows", "acks", "news", "world", "did")
_SHORT, _MIDDLE = 3, 8

_WHOSE = {
    "i": "i im ive id ill my me mine we our were us",
    "you": "you your youre youve yours",
    "they": "he she they his her their hes shes theyre them him those these",
    "it": "it its that thats this the theres there",
}
_START = {word: name for name, words in _WHOSE.items() for word in words.split()}
_BEING = frozenset(
    [
        "its",
        "thats",
        "it",
        "that",
        "shes",
        "hes",
        "theyre",
        "is",
        "was",
        "were",
        "he",
        "she",
        "this",
        "they",
        "theres",
        "there",
    ]
)
_DENYING = frozenset(("not", "no", "nicht", "pas", "nao"))
_ARTICLES = frozenset(("the", "a", "an", "to", "in"))


def features(before: Text, text: Text) -> frozenset[str]:
    """The features of a message after what the assistant said."""
    said = frozenset(_of_assistant(before))
    own = frozenset(name for table in _SAYING for name in found(text.plain, matter(table)))
    shape = frozenset((*_of_shape(text), *_of_start(text)))
    together = (
        *_scolding(own, said, text),
        *_others(own, said, shape),
        *_keeping(own, said, shape),
        *_acting(own, said),
    )
    return frozenset((*own, *said, *shape, *_of_values(before, text, said), *together, *_bare(own, said, shape)))


def _of_assistant(before: Text) -> Iterator[str]:
    if not before.raw:
        yield "a:nothing"
        return
    if asks(before):
        yield "a:asks_yes" if wants_yes_or_no(before) else "a:asks_open"
        yield "a:asks"
    yield from (f"a:{name}" for name in found(before.plain, matter("answering")))


def _of_shape(text: Text) -> Iterator[str]:
    words = len(text.words)
    yield "n:short" if words <= _SHORT else "n:middle" if words <= _MIDDLE else "n:long"
    seen = {
        "n:one": words <= 1,
        "m:question": text.raw.endswith("?") and "??" not in text.raw,
        "m:??": "??" in text.raw or "?!" in text.raw,
        "m:!!": "!!" in text.raw,
        "m:dots": "..." in text.raw or "…" in text.raw,
        "m:star": text.raw.endswith("*"),
        "m:caps": any(word.isupper() and len(word) > 2 for word in text.raw.split()),
    }
    yield from (name for name, holds in seen.items() if holds)


def _of_start(text: Text) -> Iterator[str]:
    """With whom or what it begins, and who is in it."""
    if text.words:
        yield f"s:{_START.get(text.words[0], 'other')}"
    yield from (f"w:{name}" for name in sorted({_START[word] for word in text.words if word in _START} - {"it"}))


def _of_values(before: Text, text: Text, said: frozenset[str]) -> Iterator[str]:
    """Another value in the place of one that was used is a correction; after a question it is the answer."""
    claims = not said & {"a:asks", "a:news"}
    other = replaced(before, text)
    echo = bool(before.contents & text.contents)
    rest = filling(text)
    seen = {
        "v:other": other and claims,
        "v:bare": other and claims and rest == 0,
        "v:nearly_bare": other and claims and 0 < rest <= 2,
        "v:spelling": claims and "spelling" in other,
        "v:answer": other and not claims,
        "v:echo": echo and claims,
        "v:echo_other": echo and claims and other,
        "v:only": claims and not other and rest <= 1 and values(text),
        "v:its": claims and text.words and text.words[0] in _BEING and len(text.words) <= _MIDDLE,
    }
    yield from (name for name, holds in seen.items() if holds)
    if _denies(before, text):
        yield "v:not_yours" if claims else "v:not_asked"


def _denies(before: Text, text: Text) -> bool:
    """ "X not Y", where the assistant said Y."""
    for at, word in enumerate(text.words[:-1]):
        if word in _DENYING:
            after = next((one for one in text.words[at + 1 :] if one not in _ARTICLES), "")
            if len(after) > 1 and any(one.startswith(after[:4]) for one in before.words):
                return True
    return False


def _scolding(own: frozenset[str], said: frozenset[str], text: Text) -> Iterator[str]:
    """A harsh word means something else after a question, a failure, a draft, or news of others."""
    harsh = [name for name in _HARSH if name in own]
    for name in _BEFORE:
        if f"a:{name}" in said:
            yield from (f"{one}&{name}" for one in harsh if one in ("bad", "wrong", "again", "sarcasm"))
            if harsh:
                yield f"harsh&{name}"
            if len(text.words) <= _SHORT:
                yield f"short&{name}"
    if harsh:
        yield from (f"harsh&{name}" for name in ("third", "you_fail", "praise") if name in own)


def _others(own: frozenset[str], said: frozenset[str], shape: frozenset[str]) -> Iterator[str]:
    """Who else is in it: somebody the assistant told of, or the person, who owns up to a slip."""
    shown = "a:asks" in said or ("a:shows" in said and "third" not in own)
    spoken_to = "you_fail" in own or ("said_before" in own and "w:you" in shape)
    if said & {"a:news", "a:world"} and not shown and not spoken_to:
        yield OTHERS
    if "self_blame" in own:
        yield from (f"slip&{name}" for name in ("said_before", "wrong", "not_so") if name in own)
    if "third" in own:
        yield from (f"third&{name}" for name in ("did", "states", "news", "asks", "shows") if f"a:{name}" in said)
    if own & {"reported", "quote_task"}:
        yield "reports"


def _keeping(own: frozenset[str], said: frozenset[str], shape: frozenset[str]) -> Iterator[str]:
    """What is to be kept, beside what makes it a task of today or a question."""
    kept = [name for name in _KEEPING if name in own]
    if len(kept) >= 2:
        yield "keep&keep"
    if kept:
        yield from (f"keep&{name}" for name in ("imperative", "third") if name in own)
    if own & _STRONG:
        yield "keep:strong"
        yield from (f"keep&{name}" for name in ("did", "asks", "acks", "shows", "fails", "news") if f"a:{name}" in said)
        yield from (f"keep&{name}" for name in ("task_reminder", "file_save") if name in own)
        if "m:question" in shape:
            yield "keep&question"


def _acting(own: frozenset[str], said: frozenset[str]) -> Iterator[str]:
    """What undoes or denies what the assistant did or asked."""
    seen = {
        "praise&fails": "praise" in own and "a:fails" in said,
        "undo&did": "undo" in own and "a:did" in said,
        "no&asks": "no_start" in own and "a:asks" in said,
        "no&did": "no_start" in own and "a:did" in said,
    }
    yield from (name for name, holds in seen.items() if holds)


def _bare(own: frozenset[str], said: frozenset[str], shape: frozenset[str]) -> Iterator[str]:
    """A remark that thanks for nothing, asks for nothing and tells of nobody, by what it remarks on."""
    if own & _ORDERLY or "m:question" in shape:
        return
    yield "bare"
    yield from (f"bare&{name}" for name in (*_BEFORE, "states") if f"a:{name}" in said)
