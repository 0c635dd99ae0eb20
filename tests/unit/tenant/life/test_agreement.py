"""Which facts of a realtor's take the place of which: what cannot both be does, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.tenant.life.agreement import contradict, says_as_much, topic

CANNOT_BOTH_BE = [
    ("Budget: up to $600,000", "Budget: up to $550,000"),
    ("Budget: flexible", "Budget: up to $550,000"),
    ("Budget: up to $600k", "Budget is $550k"),
    ("Budget is $600k", "Budget: up to $550k"),
    ("Her budget is $600k now", "Her budget is $550k"),
    ("Wants 4 bedrooms", "Wants 3 bedrooms"),
    ("Wants four bedrooms", "Wants 3 bedrooms"),
    ("Wants at least 4 bedrooms", "Wants at least 3 bedrooms"),
    ("Wants 4 bedrooms under $600k", "Wants 3 bedrooms under $550k"),
    ("Closing date is Dec 4", "Closing date is Nov 27"),
    ("Closing date: 2026-12-04", "Closing date: 2026-11-27"),
    ("Closing Date: Dec 4", "Closing Date: Nov 27"),
    ("Lease ends 2027-03-31", "Lease ends 2027-01-31"),
    ("Phone: 303-555-0199", "Phone: 303-555-0100"),
    ("Ann's phone is (303) 555-0199", "Ann's phone is 303-555-0100"),
    ("Sarah's e-mail is sarah@lee.org", "Sarah's e-mail is sarah@lee.com"),
    ("Does not want a pool", "Wants a pool"),
    ("Wants a pool", "Does not want a pool"),
    ("Never call after 6", "Call after 6"),
    ("Never call Ann after 7", "Never call Ann after 6"),
    ("Call before 6pm", "Call after 6pm"),
    ("Wants a house over $500k", "Wants a house under $500k"),
    ("Doesn't smoke", "Smokes"),
    ("Prefers evenings", "Prefers mornings"),
    ("Prefers calls", "Prefers texts"),
    ("Prefers calls over texts", "Prefers texts over calls"),
    ("Best reached by e-mail", "Best reached by phone"),
    ("Best reached by text after 5 pm", "Best reached by a call at lunch"),
    ("Works as a nurse at Denver Health", "Works as a teacher"),
    ("Now lives in Boulder", "Lives in Denver with two kids"),
    ("Commission is 5% on listings", "Commission is 6% for listings"),
    ("The office works until 6pm", "The office works until 5pm"),
    ("Cell 303-555-0199", "Cell 303-555-0100"),
    ("Ann is 46 years old", "Ann is 45 years old"),
    ("Wants a loan around 600", "Wants a loan around 550"),
    ("Ann is in town", "Ann is out of town"),
    ("Median price in Denver is $610k", "Median price in Denver is $600k"),
    ("Showing with Ann on Nov 27 at 4pm", "Showing with Ann on Nov 27 at 3pm"),
    ("Pre-approval: $600k with Elevations", "Pre-approval: none yet"),
    ("Spouse: Tom", "Spouse: Tim"),
    ("Contact preference: text", "Contact preference: call"),
    ("12 Oak Street is listed at $640,000", "12 Oak Street is listed at $650,000"),
]

CAN_BOTH_BE = [
    ("Showing at 12 Oak Street on Nov 27 at 3pm", "Showing at 14 Elm Street on Nov 28 at 4pm"),
    ("Showing at 14 Oak on Friday", "Showing at 12 Oak on Friday"),
    ("Showing on 2026-11-28 with Ann", "Showing on 2026-11-27 with Ann"),
    ("Showing: 14 Elm St, Nov 28", "Showing: 12 Oak St, Nov 27"),
    ("Toured 14 Oak Street with Ann", "Toured 12 Oak Street with Ann"),
    ("Called her on Nov 5", "Called her on Nov 3"),
    ("Sent her the listing on Nov 5", "Sent her the listing on Nov 3"),
    ("Joe's Plumbing, 303-555-0100", "Ace Plumbing, 303-555-0111"),
    ("Joe Poe, plumber, 303-555-0100", "Sam Poe, plumber, 303-555-0111"),
    ("Plumbers we use: Joe 303-555-0100", "Roofers we use: Sam 303-555-0111"),
    ("Ann Lee: lender, 303-555-0100", "Ann Lee: born May 5"),
    ("Note: likes dogs", "Note: has two kids"),
    ("Wants: a pool", "Wants: a garage"),
    ("Must-have: garage", "Must-have: pool"),
    ("Child: Emma, 7", "Child: Leo, 4"),
    ("Sarah wrote: the roof leaks", "Sarah wrote: closing is Friday"),
    ("Prefers mornings", "Prefers texts"),
    ("Prefers ranch homes", "Prefers a big yard"),
    ("Likes mornings", "Likes evenings"),
    ("Call Ann after 5pm", "Call Ann before 9pm"),
    ("Median price in Denver is $600k", "Median price in Boulder is $800k"),
    (
        "Average number of days on market for two-bedroom condos in Denver is 30",
        "Average number of days on market for two-bedroom condos in Boulder is 40",
    ),
    ("Wants a pool", "Wants a garage"),
    ("Wants a pool", "Does not want a garage"),
    ("Owns a dog", "Owns 2 cats"),
    ("Budget: up to $550,000", "Timeline: by March"),
    ("Budget approved by Ann", "Budget: $550k"),
    ("Unit 4 rents for $2,000", "Unit 5 rents for $2,100"),
    ("Lot 12 sold for $90k", "Lot 14 sold for $95k"),
    ("Bedrooms on the second floor", "Wants 3 bedrooms on the second floor of 12 Oak"),
    ("Closing is Nov 27", "Closing is 2026-11-27"),
    ("Works as a nurse", "Works at Denver Health"),
    ("Lives in Denver", "Wants to live in Boulder"),
    ("Loan deadline for Ann (12 Oak Street): 2026-12-09", "Loan deadline for Ann (14 Elm Street): 2026-12-30"),
    ("Likes plan 4", "Likes plan 3"),
    ("Form 17 is signed by Ann", "Form 22 is signed by Ann"),
    ("Wants 3 bedrooms and a den by Nov 27", "Wants 3 bedrooms and a den"),
    ("Open house: Nov 27", "Open house: Nov 28"),
    ("Ann has 2 kids", "Tom has 3 kids"),
    ("她想要三间卧室", "她不想要三间卧室"),
]


@pytest.mark.parametrize(("new", "old"), CANNOT_BOTH_BE)
def test_what_cannot_both_be(new: str, old: str) -> None:
    assert contradict(new, old)
    assert not says_as_much(old, new), "it would be taken for known, and lost"


@pytest.mark.parametrize(("one", "other"), CAN_BOTH_BE)
def test_what_can_both_be(one: str, other: str) -> None:
    assert not contradict(one, other)
    assert not contradict(other, one)


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ("Budget: up to $550,000", "Budget $550k"),
        ("Wants 3 bedrooms and a pool", "wants three bedrooms"),
        ("Closing on 2026-11-27", "Closing on Nov 27"),
        ("Ann's phone is 303-555-0100", "Ann's phone is (303) 555-0100"),
        ("Ann's phone is 303-555-0100", "Ann's phone is 555-0100"),
        ("Never call Ann after 6 on weekdays", "Don't call Ann after 6"),
    ],
)
def test_one_says_as_much_as_the_other(more: str, less: str) -> None:
    assert says_as_much(more, less)
    assert not contradict(more, less)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Does not want a pool", "Wants a pool"),
        ("Wants a pool", "Does not want a pool"),
        ("Call after 6", "Call before 6"),
        ("Ann is out of town", "Ann is in town"),
        ("Prefers texts over calls", "Prefers calls over texts"),
        ("Ann referred Bob", "Bob referred Ann"),
        ("Lender: prefers texts", "Prefers texts"),
        ("Wants a house under $500k", "Wants a house over $500k"),
        ("Wants a pool", "Wants a pool and a garage"),
    ],
)
def test_one_does_not_say_what_the_other_says(one: str, other: str) -> None:
    assert not says_as_much(one, other)


@given(st.text(min_size=1))
def test_a_text_says_as_much_as_itself(text: str) -> None:
    assert says_as_much(text, text)


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("Budget: up to $550k", "budget"),
        ("Pre-approval: yes", "pre-approval"),
        ("Best time to call: 6pm", "best time to call"),
        ("https://lee.com: hers", ""),
        ("9:30 works", ""),
        ("no topic here", ""),
        ("Budget:", ""),
    ],
)
def test_what_a_fact_is_about(text: str, about: str) -> None:
    assert topic(text) == about
