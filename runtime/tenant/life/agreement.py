"""Whether two facts say the same, whether one says more than the other, and whether both can be. Pure.

Owns what takes the place of what. In doubt both stay: a fact too many is seen and put right, one that was replaced
wrongly is gone from sight.
"""

import calendar
import re
from collections.abc import Iterable

from runtime.tenant.life.terms import NOT, STOP, contents, plain, terms, values

_TOPIC = re.compile(r"^(?P<topic>[^\W\d_][\w '/&-]{1,40}?): +\S")
# How a fact begins of which there is one about anybody.
_ONCE = re.compile(
    r"(?:now |currently |she |he |they )?(best reached|lives (?:in|at|on)|works (?:as|at|for)|(?:married|engaged) to"
    r"|employed by|born (?:on|in))\b"
)
_NAME = re.compile(r"[A-Z][\w'.-]*(?: [A-Z][\w'.-]*)+")

_ALIKE = 0.75
"""Of the words of two facts that must be the same for the one to contradict the other."""


def _terms_of(*texts: str) -> frozenset[str]:
    return frozenset(term for text in texts for term in terms(text))


# What there may be several of at a time, as the last word of a topic.
_SEVERAL = _terms_of(
    "note reminder update fyi important info detail fact todo task question comment quote event warning attention",
    "showing tour viewing visit call meeting appointment offer feedback interest concern objection idea gift",
    "wants needs likes loves dislikes hates must avoid child son daughter friend pet vendor contact client",
    "lead referral",
    "wrote writes says said asked told claims states mentions reports saw seen",
)
# What happens on a day, and may happen again on another.
_HAPPENING = _terms_of(
    "showing tour visit viewing met meeting call called spoke talked sent saw text texted email emailed offer offered",
    "wrote appointment lunch coffee bid counter house opens",
)
# Of what there is one, so that the word alone says what a figure is of.
_SINGLE = _terms_of("budget price phone cell mobile email birthday rent commission deposit closing income")
_CHOICE = _terms_of("prefers best favorite")
_ALTERNATIVES = (
    _terms_of("morning afternoon evening night noon"),
    _terms_of("text call email phone whatsapp telegram letter mail"),
    _terms_of("weekday weekend"),
    _terms_of("house condo townhouse apartment townhome"),
    _terms_of("short long detailed brief"),
    _terms_of("cash loan financing"),
    _terms_of("buying renting"),
    _terms_of("north south east west"),
    _terms_of("downtown suburbs countryside"),
)
_OPPOSITES = {"before": "after", "over": "under", "above": "below", "more": "less", "most": "least", "up": "down"}
_OPPOSITES |= {other: one for one, other in _OPPOSITES.items()}
_DIRECTIONS = frozenset(_OPPOSITES) | {"until", "from", "since", "by", "only", "all"}
_TURNING = _terms_of(NOT, *_DIRECTIONS)
_TURNS = frozenset({"out", "off"})
_ONE_SIDED = frozenset({"over", "than", "instead", "rather", "from"})
_DAYS = re.compile(r"\d\d-\d\d")
_HOUSE = re.compile(
    r"\b(\d+[a-zA-Z]?) (?:[NSEW]\.? )?(?!(?:Bed|Bath|Car|Year|Day|Month|Week|Acre|Unit"
    r"|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\b)(?:\d+(?:st|nd|rd|th)\b|[A-Z][a-z]+)"
    r"|\b(\d+[a-zA-Z]?) (?:[a-zA-Z]+ ){1,3}(?i:st|street|ave|avenue|rd|road|ln|lane|blvd|dr|drive|ct|court|way|place)\b"
    r"|(?i:\b(?:unit|apt|lot|suite)|#) ?(\w+)"
)
# A number behind a word names a thing ("plan 3", "form 17"); one before a word counts ("3 bedrooms").
_NUMBERED = re.compile(
    r"\b([a-zA-Z]{3,}) ?(\d+[a-zA-Z]?)\b(?! (?!(?:is|was|are|has|had|will|at|on|in|for|by|and|or|of|with)\b)[a-zA-Z]"
    r"|[%:]|[-,./]\d)"
)
_BEFORE_FIGURES = _SINGLE | _terms_of("under over until around below above least most than", "age year beds baths sqft")
_MONTHS = tuple(one.lower() for one in calendar.month_abbr if one)


def topic(text: str) -> str:
    """What a fact is about, where it says so before a colon."""
    found = _TOPIC.match(text)
    return found["topic"].casefold() if found else ""


def says_as_much(one: str, other: str) -> bool:
    """Everything that ``other`` says is in ``one``, and ``one`` does not turn it round."""
    return (
        set(terms(other)) <= set(terms(one))
        and _turns(one) == _turns(other)
        and _directions(other) <= _directions(one)
        and not _is_swapped(one, other)
        and (not topic(one) or topic(one) == topic(other) or _leads(topic(one), other))
    )


def contradict(new: str, old: str) -> bool:
    """Both cannot be: they are about what there is once, or say the same of other figures, turned round, or denied."""
    begins, began = _ONCE.match(plain(new)), _ONCE.match(plain(old))
    if begins and began:
        return begins[1] == began[1]
    ours, theirs = _exclusive(new), _exclusive(old)
    if ours and theirs:
        return ours == theirs
    if ours or theirs:
        return _leads(" ".join(ours or theirs), old if ours else new) and _differ_in_figures(new, old, least=1)
    return _differ_in_figures(new, old, least=2) or _are_turned(new, old) or _are_alternatives(new, old)


def _exclusive(text: str) -> tuple[str, ...]:
    """The topic as terms, where there can be only one fact about it: a note, a showing or a person has many."""
    found = _TOPIC.match(text)
    if not found or len(found["topic"].split()) > 4 or _NAME.fullmatch(found["topic"]):
        return ()
    about = tuple(terms(found["topic"]))
    if not about or about[-1] in _SEVERAL or set(about) == _terms_of("open house"):
        return ()
    return about


def _leads(about: str, text: str) -> bool:
    """Whether a text begins with what a topic names: "Budget is $550k"."""
    wanted = terms(about)
    return terms(text)[: len(wanted)] == wanted


def _differ_in_figures(new: str, old: str, *, least: int) -> bool:
    """The same words and other figures. Not of another house, not of what happened on another day, and not two ends of
    a span ("after 5", "before 9")."""
    ours, theirs = values(new), values(old)
    if ours <= theirs or theirs <= ours or not _are_alike(new, old, least=least) or _turns(new) != _turns(old):
        return False
    here, there = _named(new), _named(old)
    if (here and there and here != there) or _are_opposed(new, old):
        return False
    days, others = _days(ours), _days(theirs)
    return not (contents(new) & _HAPPENING and days and others and not days & others)


def _are_turned(new: str, old: str) -> bool:
    """The same words and figures, but the one denies what the other says, or says it the other way round."""
    if not _are_alike(new, old, least=1) or values(new) != values(old):
        return False
    return _matter(new) == _matter(old) and (
        _turns(new) != _turns(old) or _are_opposed(new, old) or _is_turned_round(new, old)
    )


def _are_alternatives(new: str, old: str) -> bool:
    """One word is another, of things of which one is preferred."""
    ours, theirs = contents(new), contents(old)
    if not ours & theirs & _CHOICE or values(new) != values(old):
        return False
    instead = ours ^ theirs
    return len(ours - theirs) == len(theirs - ours) == 1 and any(instead <= one for one in _ALTERNATIVES)


def _are_alike(new: str, old: str, *, least: int) -> bool:
    """The one has all the words of the other and few more. Where each has a word of its own, they are of two things."""
    ours, theirs = _matter(new), _matter(old)
    common = ours & theirs
    least = 1 if common & _SINGLE else least
    return common in (ours, theirs) and len(common) >= least and len(common) >= _ALIKE * len(ours | theirs)


def _matter(text: str) -> frozenset[str]:
    """The words that say what it is about, whichever way it is turned."""
    return contents(text) - _TURNING


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", plain(text)))


def _turns(text: str) -> frozenset[str]:
    return (_words(text) & _TURNS) | ({NOT} & contents(text))


def _directions(text: str) -> frozenset[str]:
    return _words(text) & _DIRECTIONS


def _are_opposed(new: str, old: str) -> bool:
    ours, theirs = _directions(new), _directions(old)
    return any(_OPPOSITES.get(one) in theirs - ours for one in ours - theirs)


def _is_swapped(one: str, other: str) -> bool:
    """The same words in another order, and the order says who or what: "Ann referred Bob", "texts over calls"."""
    return _is_turned_round(one, other) or _swapped(_names(one), _names(other))


def _is_turned_round(one: str, other: str) -> bool:
    return bool(_words(one) & _words(other) & _ONE_SIDED) and _swapped(terms(one), terms(other))


def _swapped(one: list[str], other: list[str]) -> bool:
    return one != other and sorted(one) == sorted(other)


def _names(text: str) -> list[str]:
    return re.findall(r"\b[A-Z][a-z]+", text)


def _named(text: str) -> frozenset[str]:
    """What the text names by a number: houses, units, plans."""
    found = {part.lower() for found in _HOUSE.findall(text) for part in found if part}
    for word, number in _NUMBERED.findall(text):
        small = word.lower()
        if small not in STOP and not small.startswith(_MONTHS) and not set(terms(word)) & _BEFORE_FIGURES:
            found.add(number.lower())
    return frozenset(found)


def _days(figures: Iterable[str]) -> frozenset[str]:
    return frozenset(one for one in figures if _DAYS.fullmatch(one))
