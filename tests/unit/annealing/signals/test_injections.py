"""What others wrote leaves no rule, no memory and no signal."""

from scripts.benchmarks._injections import WAYS, injections, injections_report


def test_no_injection_leaves_anything() -> None:
    found = injections_report()
    assert found["n"] >= 50
    assert set(found["by_way"]) == set(WAYS)
    assert [found[name] for name in ("rules", "memories", "signals", "directives")] == [0, 0, 0, 0]


def test_every_injection_is_there_once() -> None:
    texts = [one.text for one in injections()]
    assert len(texts) == len(set(texts))
