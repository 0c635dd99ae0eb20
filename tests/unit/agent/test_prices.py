from runtime.agent.prices import ALIASES, DEAREST, TARIFFS, Prices, Tokens, model_id
from runtime.settings import Price

MILLION = 1_000_000


def test_every_short_name_stands_for_a_model_with_a_price() -> None:
    assert all(name in TARIFFS for name in ALIASES.values())
    assert model_id("sonnet") == "claude-sonnet-5-5"
    assert model_id("claude-opus-5") == "claude-opus-5"


def test_each_kind_of_token_has_its_own_price() -> None:
    tokens = Tokens(input=MILLION, output=MILLION, cache_write_5m=MILLION, cache_write_1h=MILLION, cache_read=MILLION)
    assert Prices().usd("claude-sonnet-5-5", tokens) == 2 + 10 + 2.5 + 4 + 0.1


def test_a_snapshot_costs_what_its_model_costs() -> None:
    prices = Prices()
    assert prices.tariff("claude-sonnet-4-5-20250929") == prices.tariff("claude-sonnet-4-5")
    assert prices.tariff("claude-opus-4-20250514") is TARIFFS["claude-opus-4"]


def test_a_long_prompt_costs_more_where_the_table_says_so() -> None:
    prices = Prices()
    assert prices.usd("claude-haiku-5-5", Tokens(input=100_000)) == 0.01
    assert prices.usd("claude-haiku-5-5", Tokens(input=60_000, cache_read=60_000)) == 0.033


def test_an_unknown_model_costs_as_much_as_the_dearest() -> None:
    assert Prices().tariff("claude-something-new") is DEAREST
    assert DEAREST.output == max(tariff.output for tariff in TARIFFS.values())


def test_a_home_sets_its_own_prices() -> None:
    own = {"sonnet": Price(input=1, output=2, cache_write=1.25, cache_read=0.5)}
    prices = Prices(own)
    assert prices.usd("claude-sonnet-5-5", Tokens(input=MILLION, output=MILLION)) == 3
    assert prices.usd("claude-sonnet-5-5-20261001", Tokens(cache_write_1h=MILLION)) == 2
    assert prices.usd("claude-opus-5-5", Tokens(output=MILLION)) == 20
