"""Who is meant by the name an operator gives, and what identifies them. Pure, but for ``known_to``, which reads.

Owns that nothing is erased on a guess: a word that could mean several people, or nobody in particular, is refused with
whom it could mean, and so is an owner. An address that others have too identifies nobody.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from runtime.errors import BadInput, Fault, NotFound, Refused
from runtime.tenant.config import TenantConfig
from runtime.tenant.erasure.looking import Finder, Marks, as_marks, phones_in, words_in, words_of
from runtime.tenant.folder import Folder
from runtime.tenant.life.facts import facts
from runtime.tenant.life.terms import STOP
from runtime.tenant.messages import MessageLog
from runtime.words import Direction, How, Role

_LEAST = 3
"""Letters of a name of one word."""

_SECTIONS = ("life/relationships", "life/knowledge")
"""Where a section stands for a person."""

_COMMON = """
april june august monday tuesday wednesday thursday friday saturday sunday buyer buyers seller sellers client clients
lead leads agent lender house home offer contract people person contact contacts general notes assistant removed
"""
_NOT_A_NAME = STOP | frozenset(_COMMON.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Somebody the tenant knows of, in one place. ``conversations`` as ``channel:address``; ``profile``: the name is
    what they call themselves on a channel, and may be another name of somebody who is known."""

    name: str
    where: str
    role: Role | None = None
    addresses: tuple[str, ...] = ()
    conversations: tuple[str, ...] = ()
    profile: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is to be erased or exported. ``shared``: what stands with them and with others too, and so stays."""

    name: str
    marks: Marks
    role: Role | None = None
    shared: tuple[str, ...] = ()

    @property
    def finder(self) -> Finder:
        return Finder(self.marks)


def known_to(folder: Folder, config: TenantConfig, others: Iterable[Known] = ()) -> list[Known]:
    """Everybody who has a name here; ``others`` are those of the runtime's own database."""
    entries = (
        Known(
            name=one.name,
            where="tenant.yaml",
            role=one.role,
            addresses=tuple(one.addresses.values()),
            conversations=tuple(f"{channel}:{address}" for channel, address in one.addresses.items()),
        )
        for one in config.entries
    )
    return [*entries, *_sections(folder), *_speakers(folder), *others]


def identify(said: str, known: Sequence[Known]) -> Person:
    """The person that ``said`` names: a full name, one word of a name that only one has, or an address.

    Raises Refused (an owner, or several could be meant), BadInput (no name at all), NotFound (a single word that is
    nobody's name).
    """
    said = " ".join(said.split())
    chosen = _by_address(said, known)
    name = chosen[0].name if chosen else _full_name(said, known)
    same = [one for one in known if _is_named(one.name, name) or _is_named(one.name, said)] or chosen
    same += _behind_profile(same, known)
    others = [one for one in known if one not in same]
    taken = {address for one in others if not one.profile for address in one.addresses}
    addresses = {address for one in same for address in one.addresses} | _addresses(said)
    own = addresses - taken
    # Whoever has one of these addresses is the same person under another name, that of a profile say.
    linked = [one for one in others if own & set(one.addresses)]
    everyone = [*same, *linked]
    if any(one.role is Role.OWNER for one in everyone):
        raise Refused(f"{name} is an owner of this tenant", hint="make somebody else the owner in tenant.yaml first")
    conversations = {talk for one in everyone for talk in one.conversations}
    conversations |= {f"whatsapp:{address}" for address in own if address.isdecimal()}
    names = [one for one in (said, *(one.name for one in everyone)) if len(words_of(one)) > 1]
    return Person(
        name=name,
        marks=as_marks(_names([*names, name]), sorted(own), sorted(conversations)),
        role=next((one.role for one in everyone if one.role), None),
        shared=tuple(sorted(addresses & taken)),
    )


def _is_named(known: str, name: str) -> bool:
    """Whether ``known`` is ``name``, maybe with a middle initial: so it is found in a text as well."""
    words, wanted = words_of(known), words_of(name)
    initial = len(wanted) == 2 and len(words) == 3 and len(words[1]) == 1
    return wanted in (words, words[::2] if initial else words)


def _names(names: Iterable[str]) -> list[str]:
    """Each name once, however it is written; an address that stands for one is looked for as an address."""
    return list({tuple(words_of(one)): one for one in names if not _addresses(one)}.values())


def _behind_profile(same: Sequence[Known], known: Sequence[Known]) -> list[Known]:
    """Who it is that calls themself so on a channel, where that is known."""
    if not same or not all(one.profile for one in same):
        return []
    addresses = {address for one in same for address in one.addresses}
    found = [one for one in known if not one.profile and addresses & set(one.addresses)]
    return found if len({tuple(words_of(one.name)) for one in found}) == 1 else []


def _full_name(said: str, known: Sequence[Known]) -> str:
    if _addresses(said):
        return said
    words = words_of(said)
    if not words or not any(c.isalpha() for c in said):
        raise BadInput(f"{said!r} is not a name", hint="give first and last name, a number or an e-mail address")
    having = [one.name for one in known if set(words) <= set(words_of(one.name))]
    names = list({tuple(words_of(one)): one for one in having}.values())
    exact = [one for one in names if words_of(one) == words]
    if len(names) > 1 and (len(words) == 1 or not exact):
        listed = ", ".join(sorted(names))
        raise Refused(f"{said!r} could be {listed}", hint="give the whole name")
    if len(words) == 1 and not names:
        raise NotFound(f"nobody here is known as {said!r}", hint="give first and last name, or an address of theirs")
    found = (exact or names or [said])[0]
    if len(words_of(found)) == 1:
        _refuse_common(found)
    return found


def _refuse_common(name: str) -> None:
    word = words_of(name)[0]
    if (len(word) < _LEAST and word.isascii()) or word in _NOT_A_NAME:
        raise Refused(
            f"{name!r} is too common a word to look for", hint="name them by a number or an e-mail address of theirs"
        )


def _by_address(said: str, known: Sequence[Known]) -> list[Known]:
    channel, mark, address = said.partition(":")
    wanted = _addresses(said) | ({address.rpartition("/")[2]} if mark and channel.isalpha() else set())
    found = [one for one in known if wanted & set(one.addresses)]
    return sorted(found, key=lambda one: (one.profile, -len(words_of(one.name))))


def _addresses(said: str) -> set[str]:
    """What ``said`` is when it is an address and no name."""
    plain = said.translate(str.maketrans("", "", " ()-.+"))
    if plain.isdecimal() and len(plain) >= 5:
        return {plain, *phones_in(f"phone {said}")}
    return set(words_in(said)) if "@" in said else set()


def _sections(folder: Folder) -> Iterator[Known]:
    for rel in (f"{place}/{name}" for place in _SECTIONS for name in folder.names(place) if name.endswith(".md")):
        try:
            body = folder.read_text(rel)
        except Fault:
            continue
        sections: dict[str, list[str]] = {}
        for fact in facts(body):
            if fact.section:
                sections.setdefault(fact.section, []).append(fact.text)
        for title, texts in sections.items():
            addresses = [one for text in texts for one in (*phones_in(text), *words_in(text))]
            yield Known(name=_name_in(title), where=rel, addresses=tuple(dict.fromkeys(addresses)))


def _name_in(title: str) -> str:
    """``Ann Lee (buyer)`` and ``Ann Lee, lender`` are headings of Ann Lee."""
    for sign in ("(", ",", " \N{EN DASH} ", " \N{EM DASH} ", " - ", ":", "/"):
        title = title.partition(sign)[0].strip() or title
    return title


def _speakers(folder: Folder) -> Iterator[Known]:
    seen: set[tuple[str, str]] = set()
    for line in MessageLog(folder).read():
        if line.direction is not Direction.INBOUND or line.how is How.ECHO or not line.person:
            continue
        if (line.person, line.conversation) not in seen:
            seen.add((line.person, line.conversation))
            yield speaker(line.person, "state/messages", line.conversation)


def speaker(name: str, where: str, conversation: str) -> Known:
    """Somebody who wrote. On the channels with a key the owner speaks, whatever the conversation is called."""
    channel, _, address = conversation.partition(":")
    sender = address.rpartition("/")[2].partition("_")[0]
    keyed = channel in ("api", "web")
    return Known(
        name=name,
        where=where,
        addresses=() if keyed else (sender,),
        conversations=(conversation,),
        profile=True,
    )
