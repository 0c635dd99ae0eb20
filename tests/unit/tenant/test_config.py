import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from runtime.errors import Broken, ConfigFault, Refused
from runtime.tenant.config import TenantConfig, load_config
from runtime.tenant.folder import Folder
from runtime.tenant.secrets import SecretRef
from runtime.words import Person, Role

ANDEN = """\
name: Anden Wick
timezone: America/Denver
people:
  - {name: Anden, role: owner, telegram: 111222333, whatsapp: "13035550100"}
  - {name: Zoe, role: member, whatsapp: +1 (303) 555-0101}
channels:
  telegram: {token: secret:TELEGRAM_BOT_TOKEN, webhook_secret: secret:TELEGRAM_WEBHOOK_SECRET}
  whatsapp: {phone_number_id: "106540352242922", access_token: secret:WHATSAPP_ACCESS_TOKEN}
  api: {key: secret:API_KEY}
limits: {usd_per_day: 5.00, turns_per_day: 300}
"""
SMALL = "name: A\ntimezone: UTC\npeople: [{name: A, role: owner}]\n"


def load(tmp_path: Path, text: str) -> TenantConfig:
    (tmp_path / "tenant.yaml").write_text(text)
    return load_config(Folder(tmp_path))


def faults(tmp_path: Path, text: str) -> list[str]:
    """Each fault without the file's name: ``line: key: what``."""
    with pytest.raises(ConfigFault) as caught:
        load(tmp_path, text)
    prefix = f"{tmp_path.resolve() / 'tenant.yaml'}:"
    assert all(line.startswith(prefix) for line in caught.value.faults)
    return [line.removeprefix(prefix) for line in caught.value.faults]


def test_the_file_of_the_design_is_read_whole(tmp_path: Path) -> None:
    config = load(tmp_path, ANDEN)
    anden = Person(name="Anden", role=Role.OWNER, addresses={"telegram": "111222333", "whatsapp": "13035550100"})
    zoe = Person(name="Zoe", role=Role.MEMBER, addresses={"whatsapp": "13035550101"})
    assert config.people == (anden, zoe)
    assert config.owner == anden
    assert config.zone.key == "America/Denver"
    assert config.channels.whatsapp is not None
    assert config.channels.whatsapp.phone_number_id == "106540352242922"
    assert (config.limits.usd_per_day, config.limits.turns_per_day) == (5.0, 300)
    assert config.secrets() == {
        "telegram.token": SecretRef("TELEGRAM_BOT_TOKEN"),
        "telegram.webhook_secret": SecretRef("TELEGRAM_WEBHOOK_SECRET"),
        "whatsapp.access_token": SecretRef("WHATSAPP_ACCESS_TOKEN"),
        "api.key": SecretRef("API_KEY"),
    }


def test_a_person_is_found_by_channel_and_address_only(tmp_path: Path) -> None:
    config = load(tmp_path, ANDEN)
    assert config.person("whatsapp", "13035550101") == config.people[1]
    assert config.person("telegram", "111222333") == config.owner
    for channel, address in (("telegram", "13035550101"), ("whatsapp", "1"), ("discord", "111222333")):
        assert config.person(channel, address) is None


def test_whoever_holds_a_key_speaks_as_the_owner(tmp_path: Path) -> None:
    config = load(tmp_path, ANDEN)
    assert config.person("api", "anything") == config.person("web", "") == config.owner


def test_channels_and_limits_may_be_left_out(tmp_path: Path) -> None:
    config = load(tmp_path, SMALL)
    assert (config.channels.telegram, config.channels.whatsapp, config.channels.api) == (None, None, None)
    assert (config.limits.usd_per_day, config.limits.turns_per_day) == (5.0, 300)
    assert config.owner.addresses == {}


def test_every_fault_is_told_at_once_with_line_value_and_what_was_wanted(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        """\
name: ""
timezone: America/Denvr
people:
  - {name: Anden, role: owner, telegram: 111222333, whatsapp: "+1 303 555-0100"}
  - {name: Anden, role: boss, telegram: 111222333, whatsapp: 13035550100, email: x@y}
  - {name: Zoe, role: member, telegram: "@zoe"}
  - hello
channels:
  whatsapp: {phone_number_id: none}
  sms: {}
limits:
  usd_per_day: -1
  turns_per_day: many
colour: red
""",
    )
    wanted = [
        ("1: name:", "at least 1 character"),
        ("2: timezone:", "no time zone America/Denvr; wanted one such as America/Denver"),
        ("5: people.1.role:", "'owner', 'member' or 'guest', got 'boss'"),
        ("5: people.1.telegram:", "111222333 is already the address of Anden"),
        ("5: people.1.whatsapp:", "13035550100 is already the address of Anden"),
        ("5: people.1.email:", "nobody knows this key"),
        ("6: people.2.telegram:", "digits only"),
        ("7: people.3:", "wanted keys with values"),
        ("9: channels.whatsapp.phone_number_id:", "got 'none'"),
        ("9: channels.whatsapp.access_token:", "required"),
        ("10: channels.sms:", "nobody knows this key"),
        ("12: limits.usd_per_day:", "got -1"),
        ("13: limits.turns_per_day:", "got 'many'"),
        ("14: colour:", "nobody knows this key"),
    ]
    assert len(found) == len(wanted), "\n".join(found)
    for line, (place, text) in zip(found, wanted, strict=True):
        assert line.startswith(place)
        assert text in line


@pytest.mark.parametrize(
    "channels",
    [
        "telegram: 123456:TOPSECRET",
        'telegram: {token: "123456:TOPSECRET", webhook_secret: secret:S}',
        "telegram: {token: secret:TOPSECRET lower, webhook_secret: secret:S}",
        "api: {key: [TOPSECRET]}",
        "api: {key: {secret: TOPSECRET}}",
        "api: [TOPSECRET]",
    ],
)
def test_a_secret_in_the_clear_is_a_fault_that_does_not_repeat_it(tmp_path: Path, channels: str) -> None:
    (found,) = faults(tmp_path, f"{SMALL}channels: {{{channels}}}\n")
    assert "TOPSECRET" not in found
    assert found.startswith("4: channels.")


def test_a_secret_in_the_clear_names_the_command_to_put_it_with(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, f"{SMALL}channels: {{api: {{key: abc}}}}\n")
    assert "proxystaff secret set" in found
    assert "secret:NAME" in found


@pytest.mark.parametrize(
    ("people", "fault"),
    [
        ("[]", "wanted at least one person with role: owner"),
        ("[{name: A, role: guest}]", "wanted at least one person with role: owner"),
        ("{name: A, role: owner}", "wanted a list, got dict"),
        ("[{name: A, role: owner, telegram: true}]", "digits only"),
        ("[{name: A, role: owner, telegram: -100123}]", "digits only"),
        ("[{name: A, role: owner, whatsapp: 12345}]", "at least 7 characters"),
        ("[{name: A, role: owner, whatsapp: ٠١٢٣٤٥٦٧}]", "digits only"),
        ("[{name: A, role: owner, api: 1}]", "nobody knows this key"),
        ('[{name: "A\\nB", role: owner}]', "should match pattern"),
    ],
)
def test_people_that_cannot_be(tmp_path: Path, people: str, fault: str) -> None:
    (found,) = faults(tmp_path, f"name: A\ntimezone: UTC\npeople: {people}\n")
    assert found.startswith("3: people")
    assert fault in found


@pytest.mark.parametrize("zone", ["America", "../../etc/passwd", "/etc/localtime", "Mars/Olympus", "''", "America/{x}"])
def test_what_is_not_a_time_zone(tmp_path: Path, zone: str) -> None:
    (found,) = faults(tmp_path, SMALL.replace("UTC", zone))
    assert found.startswith("2: timezone:")


@pytest.mark.parametrize("limit", ["usd_per_day: .inf", "usd_per_day: .nan", "turns_per_day: -1", "turns_per_day: 1.5"])
def test_limits_that_limit_nothing(tmp_path: Path, limit: str) -> None:
    (found,) = faults(tmp_path, f"{SMALL}limits: {{{limit}}}\n")
    assert found.startswith("4: limits.")


def test_no_file_a_link_and_no_text_are_faults(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault, match=r"tenant\.yaml:1: there is no such file"):
        load_config(Folder(tmp_path))
    (tmp_path / "tenant.yaml").symlink_to("/etc/hostname")
    with pytest.raises(Refused):
        load_config(Folder(tmp_path))
    (tmp_path / "tenant.yaml").unlink()
    (tmp_path / "tenant.yaml").write_bytes(b"name: caf\xe9")
    with pytest.raises(Broken, match="not UTF-8"):
        load_config(Folder(tmp_path))


@pytest.mark.parametrize(
    "text", ["a: &a [*a]", "[" * 500, "a: !!timestamp 2001-99-99", "? {a: b}\n: c", "a: 1\na: 2", "- a"]
)
def test_what_trips_the_parser_is_a_fault(tmp_path: Path, text: str) -> None:
    assert all(line[0].isdigit() for line in faults(tmp_path, text))


def test_the_config_does_not_change(tmp_path: Path) -> None:
    config = load(tmp_path, ANDEN)
    with pytest.raises(ValueError, match="frozen"):
        config.name = "B"  # type: ignore[misc]


PROPERTY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
KEYS = st.sampled_from(
    ["name", "timezone", "people", "channels", "limits", "role", "telegram", "whatsapp", "api", "key"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text("ab", max_size=2), inner, max_size=4),
    max_leaves=12,
)


@PROPERTY
@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=60)
    | st.text("-:{}[]&*!|>%@`#'\"\n\t a1", max_size=40)
)
def test_any_text_is_a_config_or_a_fault(tmp_path: Path, text: str) -> None:
    faults(tmp_path, text)


@PROPERTY
@given(tree=st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_tree_is_a_config_or_a_fault(tmp_path: Path, tree: dict[str, object]) -> None:
    with (tmp_path / "tenant.yaml").open("w") as file:
        YAML(typ="safe").dump(tree, file)
    with contextlib.suppress(ConfigFault):
        assert load_config(Folder(tmp_path)).owner
