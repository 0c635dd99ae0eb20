"""Ideas of the annealing benchmark's realtor, each in several words."""

WORDINGS = (
    (
        "Confirm the day of a showing before booking it",
        "Before a showing is booked, always confirm its day with the client",
        "Make sure that days of showings are confirmed, then book",
        "Never book showings whose day nobody confirmed",
    ),
    (
        "Quote the list price from the price sheet",
        "List prices must be quoted from the sheet, not from memory",
        "When asked for a price, quote the sheet's list price",
        "Use the sheet for every list price quoted",
    ),
    (
        "Send listing photos in one album",
        "Photos of a listing should be sent as an album",
        "Always send an album instead of single listing photos",
        "Put the photos of each listing into one album and send that",
    ),
    (
        "Answer buyers in their own language",
        "Buyers are to be answered in the language they wrote in",
        "Use the buyer's language when answering",
        "Always answer a buyer in his language, never in another language",
    ),
    (
        "Leave Sunday free of appointments",
        "No appointments on Sundays: keep them free",
        "Sundays must stay free, so offer no Sunday appointment",
        "Keep appointments off Sunday, which stays free",
    ),
    (
        "Name the lender on every offer",
        "Every offer names its lender",
        "Offers must always carry the lender's name",
        "Make sure the lender is named when an offer is written",
    ),
)
"""Each an idea in the words in which it may be proposed."""

IDEAS = tuple(wordings[0] for wordings in WORDINGS)
