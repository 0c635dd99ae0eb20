"""Names, places and figures of the memory benchmark's realtor."""

import random
from collections.abc import Callable
from datetime import date, timedelta


def _of(text: str) -> list[str]:
    """What a text lists, between bars."""
    return [" ".join(one.split()) for one in text.split("|")]


FIRST = _of("""
Sarah | Daniel | Priya | Marcus | Elena | Tomas | Grace | Owen | Nadia | Felix | Hannah | Victor | Leila | Samuel
| Ingrid | Rafael | Beth | Colin | Yuki | Andre | Monica | Peter | Anita | Derek | Sofia | Liam | Chloe | Walter |
Imani | Ruben | Clara | Hugo | Naomi | Stefan | Teresa | Jamal | Edith | Carlos | Freya | Gordon | Helen | Isaac |
Joanna | Kevin | Lucia | Martin | Nora | Oscar | Paula | Quentin | Rosa | Simon | Tara | Ulrich | Vera
""")
LAST = _of("""
Kim | Okafor | Ruiz | Lindqvist | Patel | Moreau | Whitaker | Tanaka | Delgado | Novak | Hughes | Farrow |
Castillo | Bergman | Osei | Laurent | Mbeki | Sorensen | Ivanov | Prescott | Nguyen | Abbott | Kowalski | Ferreira
| Dunne | Hadley | Yilmaz | Crowe | Benitez | Ashford | Romano | Singh | Varga | Mercer | Holloway | Ito | Jansen
| Keller | Lombardi | Marsh
""")
STRANGERS = _of("""
Bartholomew Quigley | Zelda Fitzroy | Magnus Thorpe | Winifred Blaise | Casimir Drummond | Odette Vance | Thaddeus
Pike | Philippa Snead | Lysander Gough | Rowena Babcock | Ignatius Boyle | Cordelia Strand
""")
STREETS = _of("""
Race | Elmwood | Gaylord | Josephine | Columbine | Vine | Marion | Lafayette | Humboldt | Franklin | Corona |
Downing | Ogden | Emerson | Clarkson | Pearl | Pennsylvania | Logan | Sherman | Lincoln | Acoma | Bannock |
Cherokee | Delaware | Elati | Fox | Galapago | Inca | Kalamath | Lipan
""")
AREAS = _of("""
Washington Park | Cherry Creek | Baker | Highlands | Sunnyside | Park Hill | Stapleton | Capitol Hill | Berkeley |
Sloan's Lake | Platt Park | Hilltop | Congress Park | Lowry | Five Points | Bonnie Brae
""")
FEATURES = _of("""
a fenced yard | a home office | a two car garage | a main floor primary suite | a gas stove | solar panels | a
mudroom | a finished basement | south light | a walk-in pantry | a fireplace | room for a piano
""")
DISLIKES = _of("""
a busy street | popcorn ceilings | a pool | an HOA | a flat roof | shared driveways | carpet everywhere | a steep
lot | power lines close by | electric heat
""")
JOBS = _of("""
a nurse at Denver Health | an engineer at Lockheed | a teacher in Aurora | a pilot for Frontier | a chef downtown
| an accountant at Deloitte | a veterinarian | a firefighter in Lakewood | a professor at DU | a barista and
painter | a lawyer at Holland & Hart | a physical therapist
""")
PETS = _of("""
a beagle named Biscuit | two cats, Miso and Nori | a parrot called Captain | a golden retriever, Daisy | a
tortoise named Sheldon | three rescue greyhounds | a siamese cat, Pixel | a rabbit called Clover
""")
TRADES = _of("""
plumber | electrician | roofer | stager | photographer | inspector | lender | handyman | landscaper | painter |
surveyor | locksmith | mover | cleaner | appraiser | attorney | carpenter | mason | glazier | exterminator
""")
REACH = _of("""
text after 5 pm | email | a call before 9 am | WhatsApp | text only | a call at lunch
""")
KIDS = _of("""
Mia | Leo | Ava | Noah | Zoe | Eli | Ruby | Max | Ivy | Jude
""")

VALUES: dict[str, Callable[[random.Random], str]] = {
    "money": lambda r: f"${1000 * r.randrange(300, 1900, 5):,}",
    "count": lambda r: r.choice(("two", "three", "four", "five", "six")),
    "area": lambda r: " or ".join(r.sample(AREAS, r.choice((1, 1, 2)))),
    "phone": lambda r: f"303-555-{r.randrange(10_000):04}",
    "email": lambda r: f"{r.choice(FIRST).lower()}{r.randrange(900)}@example.com",
    "approval": lambda r: (
        f"${1000 * r.randrange(300, 1900, 5):,} from {r.choice(('Guild', 'Chase', 'Elevations', 'Rocket'))}"
    ),
    "first": lambda r: r.choice(FIRST),
    "children": lambda r: " and ".join(r.sample(KIDS, r.choice((1, 2)))),
    "pet": lambda r: r.choice(PETS),
    "birthday": lambda r: f"{date(2028, 1, 1) + timedelta(days=r.randrange(366)):%B %-d}",
    "job": lambda r: r.choice(JOBS),
    "feature": lambda r: r.choice(FEATURES),
    "dislike": lambda r: r.choice(DISLIKES),
    "day": lambda r: f"{date(2026, 12, 1) + timedelta(days=r.randrange(300))}",
    "percent": lambda r: f"{r.choice((3, 5, 10, 15, 20, 25, 30, 40))} %",
    "other": lambda r: f"{r.choice(FIRST)} {r.choice(LAST)}",
    "reach": lambda r: r.choice(REACH),
    "code": lambda r: f"{r.randrange(10_000):04}",
    "dues": lambda r: f"${r.randrange(40, 600, 5)}",
    "fee": lambda r: f"${r.randrange(60, 900, 10)}",
    "year": lambda r: f"{r.randrange(1998, 2026)}",
}
