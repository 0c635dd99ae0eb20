"""Which facts answer a question: tables of cases over pure functions."""

from datetime import date

import pytest

from runtime.tenant.life.asking import asked
from runtime.tenant.life.days import named, spans
from runtime.tenant.life.facts import Fact
from runtime.tenant.life.terms import terms
from runtime.tenant.search.candidates import Known, candidate, known
from runtime.tenant.search.ranking import rank

TODAY = date(2026, 11, 20)  # a Friday

PEOPLE = {
    "Sarah Kim": [
        "Budget: up to $550,000.",
        "Bedrooms: at least three.",
        "Pet: a beagle named Max.",
        "Birthday: March 3.",
    ],
    "Sarah Okafor": ["Phone: 303-555-0147.", "Area: Washington Park.", "Works as a nurse at Denver Health."],
    "Peter Jones": ["Spouse: Sarah.", "Budget: up to $1,200,000.", "Referred by Dana Okafor."],
    "1180 Downing Street": ["List price: $725,000.", "Lockbox code: 4471."],
    "Hal Brandt": ["plumber, phone 303-555-0190."],
    "": [
        "Showing at 1180 Downing Street with Sarah Kim on 2026-11-21 at 14:00.",
        "Inspection of 42 Elm Street: 2026-12-03.",
    ],
}


def memory() -> Known:
    facts = [Fact(text, section) for section, texts in PEOPLE.items() for text in texts]
    return known([candidate(one.text, section=one.section, topic=one.topic) for one in facts])


def answers(question: str) -> list[str]:
    held = memory()
    ranking = rank(asked(question, TODAY), held, today=TODAY)
    return [held.candidates[one.number].text for one in ranking.answers]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("What's Sarah Kim's budget?", "Budget: up to $550,000."),
        ("how much can sarah kim afford", "Budget: up to $550,000."),
        ("sarah kims budget", "Budget: up to $550,000."),
        ("does Sarah Kim have a dog?", "Pet: a beagle named Max."),
        ("cell of Sarah Okafor", "Phone: 303-555-0147."),
        ("Who works at Denver Health?", "Works as a nurse at Denver Health."),
        ("Who is Peter married to?", "Spouse: Sarah."),
        ("what's 1180 Downing listed for", "List price: $725,000."),
        ("code for 1180 Downing St", "Lockbox code: 4471."),
        ("who is my plumber", "plumber, phone 303-555-0190."),
        (
            "when do I show 1180 Downing to Sarah Kim",
            "Showing at 1180 Downing Street with Sarah Kim on 2026-11-21 at 14:00.",
        ),
        ("what's on tomorrow?", "Showing at 1180 Downing Street with Sarah Kim on 2026-11-21 at 14:00."),
        ("anything on December 3", "Inspection of 42 Elm Street: 2026-12-03."),
        ("inspections in December", "Inspection of 42 Elm Street: 2026-12-03."),
        ("whose birthday is March 3?", "Birthday: March 3."),
        ("what's the area that I'm to look at for Sarah Okafor", "Area: Washington Park."),
        ("Sarah Kim's Price Limit, I don't remember it", "Budget: up to $550,000."),
    ],
)
def test_a_question_in_other_words_finds_the_fact(question: str, first: str) -> None:
    assert answers(question)[:1] == [first]


@pytest.mark.parametrize(
    "question",
    [
        "What is Tom's budget?",  # nobody knows a Tom
        "toms budget",
        "What's Peter Kim's budget?",  # there is a Peter and there is a Kim, and that is somebody else
        "Sarah Okafor's budget?",  # known, but that was never told
        "Peter's bedrooms",
        "What's the wifi password at the office?",
        "when is my dentist appointment",
        "anything on December 4?",
        "showings next week",
        "",
        "?!",
    ],
)
def test_what_is_not_known_finds_nothing(question: str) -> None:
    assert answers(question) == []


def test_a_name_alone_finds_all_that_is_known_of_the_person_and_nothing_of_others() -> None:
    found = answers("What do you know about Sarah Kim?")
    assert set(found) == {*PEOPLE["Sarah Kim"], PEOPLE[""][0]}
    assert "Referred by Dana Okafor." not in answers("what about Sarah Okafor")
    assert set(answers("tell me about Sarah")) >= {*PEOPLE["Sarah Kim"], *PEOPLE["Sarah Okafor"]}


def test_a_part_that_is_not_known_is_said_and_the_rest_is_offered() -> None:
    held = memory()
    ranking = rank(asked("What is Sarah Kim's shoe size?", TODAY), held, today=TODAY)
    assert not ranking.answers
    assert "shoe" in ranking.unknown
    assert {held.candidates[one.number].text for one in ranking.about} >= set(PEOPLE["Sarah Kim"])
    assert rank(asked("What is Tom's budget?", TODAY), held, today=TODAY).unknown == ("Tom's",)


def test_the_newer_the_more_important_and_the_more_used_fact_comes_first() -> None:
    old = candidate("Lender: Chase.", section="Ann Lee", day=date(2024, 1, 1))
    new = candidate("Lender is Guild.", section="Ann Lee", day=date(2026, 11, 1))
    order = [one.number for one in rank(asked("Ann Lee", TODAY), known([old, new]), today=TODAY).answers]
    assert order == [1, 0]
    guide = candidate("Never call Ann before noon.", importance=1.0)
    note = candidate("Ann likes a call before noon.", importance=0.1)
    assert rank(asked("call Ann before noon", TODAY), known([note, guide]), today=TODAY).answers[0].number == 1
    same = [candidate(f"Ann likes {what}.", section="Ann Lee") for what in ("tea", "rye")]
    used = rank(asked("Ann Lee", TODAY), known(same), today=TODAY, used={1: 5})
    assert used.answers[0].number == 1


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("tomorrow", "2026-11-21", "2026-11-21"),
        ("the day after tomorrow", "2026-11-22", "2026-11-22"),
        ("yesterday", "2026-11-19", "2026-11-19"),
        ("tonight", "2026-11-20", "2026-11-20"),
        ("on Friday", "2026-11-20", "2026-11-20"),
        ("this Monday", "2026-11-23", "2026-11-23"),
        ("next Friday", "2026-11-27", "2026-11-27"),
        ("last Friday", "2026-11-13", "2026-11-13"),
        ("this week", "2026-11-16", "2026-11-22"),
        ("next week", "2026-11-23", "2026-11-29"),
        ("last week", "2026-11-09", "2026-11-15"),
        ("this weekend", "2026-11-21", "2026-11-22"),
        ("next month", "2026-12-01", "2026-12-31"),
        ("last month", "2026-10-01", "2026-10-31"),
        ("in December", "2026-12-01", "2026-12-31"),
        ("in October", "2026-10-01", "2026-10-31"),
        ("in February", "2027-02-01", "2027-02-28"),
        ("in March 2028", "2028-03-01", "2028-03-31"),
        ("in 3 days", "2026-11-23", "2026-11-23"),
        ("two weeks ago", "2026-11-06", "2026-11-06"),
        ("2026-11-27", "2026-11-27", "2026-11-27"),
        ("March 3, 2027", "2027-03-03", "2027-03-03"),
        ("3rd of March 2027", "2027-03-03", "2027-03-03"),
        ("3/14/2027", "2027-03-14", "2027-03-14"),
    ],
)
def test_days_in_words(words: str, first: str, last: str) -> None:
    [span], rest = spans(f"what is {words}", TODAY)
    assert (f"{span.first}", f"{span.last}") == (first, last)
    assert not any(word in rest for word in words.split() if len(word) > 3)


@pytest.mark.parametrize(
    "words", ["call Mark 5 times", "may I", "2026-13-45", "February 30", "room 3/50", "in 99999 days"]
)
def test_what_is_no_day_stays_in_the_question(words: str) -> None:
    assert spans(words, TODAY)[0] == []


def test_a_day_without_a_year_is_that_day_of_any_year() -> None:
    [span], _ = spans("on March 3", TODAY)
    assert named(terms("Closing on 2027-03-03.")).within(span)
    assert named(terms("Birthday: March 3.")).within(span)
    assert not named(terms("Closing on 2027-03-04.")).within(span)
    [week], _ = spans("next week", TODAY)
    assert named(terms("Birthday: November 25.")).within(week)
    assert not named(terms("Closing on 2027-11-25.")).within(week)
