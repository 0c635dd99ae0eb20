"""The wordings of the memory benchmark: how a realtor says a thing, how it is written down, how it is asked for.

``asks`` may be looked at when recall is worked on. ``held`` may not: they were written before the ranking and are only
counted. In each, ``{who}`` is a person, ``{v}`` the value; a question never holds the value it asks for.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One kind of fact. ``fact`` is the line in life/; ``values`` what the value is made from, by name."""

    fact: str
    values: str
    says: tuple[str, ...]
    asks: tuple[str, ...]
    held: tuple[str, ...]


PEOPLE: dict[str, Wording] = {
    "budget": Wording(
        fact="Budget: up to {v}.",
        values="money",
        says=("{who} can go up to {v}", "fyi {who} told me {v} is the most they'd pay", "budget for {who} is {v}"),
        asks=("What's {who}'s budget?", "how much can {who} spend", "What is the most {who} would pay?"),
        held=("what price range is {who} in", "how high can {who} go?", "What can {who} afford?"),
    ),
    "bedrooms": Wording(
        fact="Bedrooms: at least {v}.",
        values="count",
        says=("{who} needs {v} bedrooms minimum", "{v} beds at least for {who}", "{who} wont look at less than {v} br"),
        asks=("How many bedrooms does {who} need?", "bedroom count for {who}?", "how many rooms is {who} after"),
        held=("how many beds does {who} want", "{who} min br?", "What size of place does {who} need, beds wise?"),
    ),
    "area": Wording(
        fact="Area: {v}.",
        values="area",
        says=("{who} wants to be in {v}", "{who} is only looking around {v}", "put {who} down for {v}"),
        asks=("Which area is {who} looking in?", "what neighborhood does {who} want", "where does {who} want to live?"),
        held=("What part of town is {who} interested in?", "which neighborhoods for {who}", "{who} search location?"),
    ),
    "phone": Wording(
        fact="Phone: {v}.",
        values="phone",
        says=("{who}'s cell is {v}", "you can reach {who} at {v}", "new contact {who} {v}"),
        asks=("What's {who}'s number?", "phone for {who}", "how do I call {who}"),
        held=("give me {who}'s cell", "what number do I reach {who} at?", "I need to ring {who}, what's the mobile?"),
    ),
    "email": Wording(
        fact="Email: {v}.",
        values="email",
        says=("{who} uses {v}", "send stuff for {who} to {v}", "email for {who} is {v}"),
        asks=("What's {who}'s email?", "email address of {who}", "where do I mail the contract for {who}?"),
        held=("which address do I email {who} at", "{who} e-mail?", "What's the email I have for {who}?"),
    ),
    "approval": Wording(
        fact="Pre-approval: {v}.",
        values="approval",
        says=("{who} got pre-approved, {v}", "letter is in for {who}: {v}", "{who} preapproved {v}"),
        asks=("Is {who} pre-approved?", "how much is {who} preapproved for", "What's the pre-approval of {who}?"),
        held=("did {who} get a loan approval", "{who} pre approval amount?", "What lender letter does {who} have?"),
    ),
    "spouse": Wording(
        fact="Spouse: {v}.",
        values="first",
        says=("{who} is married to {v}", "{who}'s other half is called {v}", "met {who} and {v}, they're married"),
        asks=("Who is {who} married to?", "what's the name of {who}'s spouse", "{who}'s wife or husband?"),
        held=("What's {who}'s partner called?", "name of {who}'s better half", "does {who} have a husband or wife?"),
    ),
    "children": Wording(
        fact="Children: {v}.",
        values="children",
        says=("{who} has kids: {v}", "{who}'s children are {v}", "{v} are {who}'s little ones"),
        asks=("Does {who} have kids?", "what are {who}'s children called", "names of {who}'s kids?"),
        held=("how old-ish is {who}'s family, any children?", "{who} son or daughter?", "who are {who}'s little ones"),
    ),
    "pet": Wording(
        fact="Pet: {v}.",
        values="pet",
        says=("{who} has {v}", "{who} travels everywhere with {v}", "careful at {who}'s place, there is {v}"),
        asks=("What pet does {who} have?", "does {who} have a dog or a cat", "{who}'s animal?"),
        held=("any animals at {who}'s?", "What's the name of {who}'s pet?", "is there a cat or dog at {who}'s house"),
    ),
    "birthday": Wording(
        fact="Birthday: {v}.",
        values="birthday",
        says=("{who}'s bday is {v}", "{who} was born on {v}", "remember {v}, that's {who}'s birthday"),
        asks=("When is {who}'s birthday?", "what day is {who}'s birthday", "when was {who} born?"),
        held=("{who} bday?", "On which day do I congratulate {who}, birthday wise?", "what's {who}'s date of birth"),
    ),
    "work": Wording(
        fact="Works as {v}.",
        values="job",
        says=("{who} is {v}", "{who} makes a living as {v}", "turns out {who} is {v}"),
        asks=("What does {who} do for a living?", "where does {who} work", "what's {who}'s job?"),
        held=("{who} occupation?", "What's {who}'s line of work?", "who employs {who}"),
    ),
    "must": Wording(
        fact="Must have: {v}.",
        values="feature",
        says=("{who} insists on {v}", "for {who} it's not a home without {v}", "{who} really needs {v}"),
        asks=("What does {who} insist on?", "must haves for {who}", "what is a must for {who}?"),
        held=("What features does {who} require?", "{who} non negotiables?", "what does the house need for {who}"),
    ),
    "never": Wording(
        fact="Will not consider: {v}.",
        values="dislike",
        says=("{who} hates {v}", "no way {who} takes {v}", "{who} won't even walk into {v}"),
        asks=("What won't {who} consider?", "deal breakers for {who}", "what does {who} refuse?"),
        held=("What should I not show {who}?", "{who} dislikes?", "what is a no go for {who}"),
    ),
    "lease": Wording(
        fact="Lease ends: {v}.",
        values="day",
        says=("{who}'s lease is up {v}", "{who} has to be out of the rental by {v}", "rent contract of {who} ends {v}"),
        asks=("When does {who}'s lease end?", "when is {who}'s lease up", "until when is {who} renting?"),
        held=("how long is {who} still in the rental", "{who} lease expiration?", "When is {who}'s tenancy over?"),
    ),
    "down": Wording(
        fact="Down payment: {v}.",
        values="percent",
        says=("{who} puts {v} down", "{who} has {v} for the down payment", "{v} in cash from {who}"),
        asks=("What's {who}'s down payment?", "how much is {who} putting down", "{who} deposit?"),
        held=("how much cash does {who} bring", "What percentage down has {who}?", "down pmt of {who}"),
    ),
    "source": Wording(
        fact="Referred by {v}.",
        values="other",
        says=("{who} came through {v}", "{v} sent me {who}", "got {who} from {v}, say thanks"),
        asks=("Who referred {who}?", "how did {who} find me", "where did {who} come from as a lead?"),
        held=("who do I thank for {who}", "{who} referral source?", "Whose referral is {who}?"),
    ),
    "contact": Wording(
        fact="Best reached by {v}.",
        values="reach",
        says=("{who} is best by {v}", "use {v} with {who}", "{who} never picks up, try {v}"),
        asks=("How is {who} best reached?", "what's the best way to reach {who}", "call or text {who}?"),
        held=("how does {who} like to be contacted", "Preferred contact method of {who}?", "best channel for {who}"),
    ),
}

LISTINGS: dict[str, Wording] = {
    "price": Wording(
        fact="List price: {v}.",
        values="money",
        says=("{who} goes on at {v}", "listing {who} for {v}", "price on {who} will be {v}"),
        asks=("What's the price of {who}?", "how much is {who} listed for", "asking price {who}?"),
        held=("what are we asking for {who}", "What does {who} cost?", "{who} list price"),
    ),
    "lockbox": Wording(
        fact="Lockbox code: {v}.",
        values="code",
        says=("lockbox at {who} is {v}", "code for {who} {v}", "{v} opens {who}"),
        asks=("What's the lockbox code for {who}?", "code to get into {who}", "how do I get the key at {who}?"),
        held=("lockbox {who}", "What opens the box at {who}?", "access code of {who}?"),
    ),
    "seller": Wording(
        fact="Seller: {v}.",
        values="other",
        says=("{v} is selling {who}", "{who} belongs to {v}", "sellers at {who} are the family of {v}"),
        asks=("Who is selling {who}?", "who's the seller of {who}", "owner of {who}?"),
        held=("Whose house is {who}?", "who owns {who}", "seller name {who}"),
    ),
    "dues": Wording(
        fact="HOA dues: {v} a month.",
        values="dues",
        says=("hoa at {who} is {v} monthly", "{who} pays {v} to the association", "dues {who} {v}/mo"),
        asks=("What are the HOA dues at {who}?", "how much is the hoa for {who}", "monthly dues {who}?"),
        held=("HOA fee for {who}", "what does the association charge at {who}?", "hoa costs {who}"),
    ),
    "roof": Wording(
        fact="Roof: replaced in {v}.",
        values="year",
        says=("{who} has a roof from {v}", "roof on {who} was done {v}", "new roof at {who} in {v}"),
        asks=("How old is the roof at {who}?", "when was the roof of {who} replaced", "roof age {who}?"),
        held=("is the roof on {who} new", "What year is {who}'s roof?", "roofing at {who}"),
    ),
}

VENDORS: dict[str, Wording] = {
    "phone": Wording(
        fact="{trade}, phone {v}.",
        values="phone",
        says=("my {trade} is {who}, {v}", "save {who} as {trade} {v}", "{who} does {trade} work, call {v}"),
        asks=("Who is my {trade}?", "number of the {trade}", "which {trade} do I use?"),
        held=("I need a {trade}, who do we have", "any good {trade}?", "what's the contact of our {trade}"),
    ),
    "fee": Wording(
        fact="Charges {v} a visit.",
        values="fee",
        says=("{who} takes {v} per visit", "{who} wants {v} each time", "rate for {who} is {v}"),
        asks=("What does {who} charge?", "how much is {who}", "fee of {who}?"),
        held=("what's {who}'s rate", "how expensive is {who}?", "price of a visit by {who}"),
    ),
}

EVENTS: dict[str, Wording] = {
    "showing": Wording(
        fact="Showing at {place} with {who} on {day} at {time}.",
        values="event",
        says=("showing {place} to {who} {said} {time}", "{who} wants to see {place}, {said} at {time}"),
        asks=("When is the showing at {place}?", "when do I show {place} to {who}", "what time is {who}'s showing?"),
        held=("when am I touring {place} with {who}", "{who} viewing, when?", "What time do I meet {who} at {place}?"),
    ),
    "inspection": Wording(
        fact="Inspection of {place} for {who}: {day}, {time}.",
        values="event",
        says=("inspector comes to {place} {said} {time}, it's for {who}", "inspection {place} ({who}) {said} {time}"),
        asks=("When is the inspection at {place}?", "inspection date for {who}?", "what day is {place} inspected"),
        held=("when does the inspector come to {place}", "{who} inspection when", "Inspection time at {place}?"),
    ),
    "closing": Wording(
        fact="Closing on {place} for {who}: {day} at {time}.",
        values="event",
        says=("{who} closes on {place} {said}, {time}", "closing {place} {said} {time} with {who}"),
        asks=("When does {who} close?", "closing date of {place}", "when is the closing for {who}?"),
        held=("what day do we close on {place}", "When is {who} signing at closing?", "closing {who} time"),
    ),
    "deadline": Wording(
        fact="Loan objection deadline for {who} ({place}): {day}.",
        values="event",
        says=("loan objection for {who} on {place} is due {said}", "{who} must object to the loan by {said}, {place}"),
        asks=("When is {who}'s loan objection deadline?", "loan objection date for {place}"),
        held=("until when can {who} object to the loan", "what's the financing deadline on {place}?"),
    ),
}

ON_A_DAY = (
    "What do I have on {worded}?",
    "anything on {iso}?",
    "what's scheduled for {worded}",
    "appointments {relative}?",
    "what is happening {relative}",
)
ON_A_DAY_HELD = (
    "am I free on {worded}",
    "my calendar for {iso}",
    "Who do I meet {relative}?",
    "whats on {relative}",
    "do we have anything planned for {worded}?",
)

ABOUT = ("What do you know about {who}?", "tell me about {who}", "remind me who {who} is", "everything on {who}")
ABOUT_HELD = ("give me the rundown on {who}", "what have we got on {who}?", "brief me on {who}", "notes for {who}")

NOWHERE = (
    "What's the wifi password at the office?",
    "which hotel did I book in Aspen",
    "When does my passport expire?",
    "what's my gym membership number",
    "Who won the raffle?",
    "license plate of my car",
)
NOWHERE_HELD = (
    "What's the alarm code of the storage unit?",
    "when is my dentist appointment",
    "Which airline do I fly to Phoenix?",
    "the name of that wine from Napa",
    "what's my frequent flyer number?",
    "who painted the picture in the lobby",
)

CHATTER = (
    "good morning",
    "thanks, that's perfect",
    "running ten minutes late",
    "can you draft something nice for the newsletter",
    "what's on today?",
    "ok do it",
    "long day, talk tomorrow",
    "the open house went well, lots of people",
    "remind me to water the plants",
    "traffic is terrible on the highway again",
    "love the new flyers",
    "just parked, going in now",
    "send the usual follow up to everybody from sunday",
    "how many leads came in last week?",
    "not now please",
)
