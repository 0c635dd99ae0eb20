"""Words that ask for the same thing in a realtor's work: "afford" asks for a budget, "cell" for a phone number. Pure.

A group is a line; a word may stand in several. Names and figures never do: those have to match as they are.
"""

from collections.abc import Mapping
from functools import cache

from runtime.tenant.life.terms import terms

_GROUPS = """
budget afford spend pay range limit maximum max ceiling cap high money
price cost ask asking list listed worth value charge fee rate expensive pay
bedroom bed br room bdrm
bathroom bath ba
area neighborhood neighbourhood location district subdivision quarter community part town place where live located
phone number cell mobile telephone tel call ring dial reach contact
email mail inbox address
approval approved preapproval preapproved prequalified qualify qualified loan lender mortgage financing letter
spouse wife husband partner married marry fiance fiancee half
child children kid son daughter family baby little boy girl
pet dog cat animal puppy kitten
birthday bday born birth birthdate
work works job occupation profession career employer employed employs employ company living
must need require requirement insist wish feature essential negotiable
consider refuse hate dislike avoid breaker reject never
lease rent rental renting tenancy tenant landlord
down deposit cash downpayment
refer referred referral source lead sent introduced thank find
prefer preferred best reached reach contact channel call text message
lockbox code key combination combo access entry box open
seller sell selling sells owner own owns owned belong
hoa association dues
roof roofing shingle
showing show tour touring view viewing visit see walkthrough
inspection inspector inspect inspected
closing close settlement sign signing
deadline due expire expires expiration expiry end ends until over
objection object
loan financing mortgage
square sqft footage size large big
year built age old new
school district
parking garage
commute drive
timeline move moving relocate when
plumber plumbing pipe leak drain
electrician electrical wiring
photographer photo picture photography
stager staging
handyman repair fix
attorney lawyer legal
cleaner cleaning
mover moving
landscaper landscaping garden lawn yard
inspector inspection
vendor contractor tradesman
"""


@cache
def _meanings() -> Mapping[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, line in enumerate(_GROUPS.strip().splitlines()):
        for term in terms(line):
            found.setdefault(term, set()).add(number)
    return {term: frozenset(groups) for term, groups in found.items()}


def meanings(term: str) -> frozenset[int]:
    """The groups that a term stands in, by their number."""
    return _meanings().get(term, frozenset())
