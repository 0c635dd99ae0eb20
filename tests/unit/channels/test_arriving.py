import pytest
from pydantic import SecretStr

from runtime.channels.arriving import same_secret, tenant_id


@pytest.mark.parametrize(("given", "wanted"), [("s3cret", "s3cret"), ("ü", "ü")])
def test_the_right_secret(given: str, wanted: str) -> None:
    assert same_secret(given, SecretStr(wanted))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("", ""), ("\0" * 32, ""), ("s3cre", "s3cret"), ("s3cret ", "s3cret"), ("é", "s3cret")],
)
def test_a_wrong_or_absent_secret(given: str, wanted: str) -> None:
    assert not same_secret(given, SecretStr(wanted))
    assert not same_secret(given, None)


@pytest.mark.parametrize("text", ["", "..", "a/b", "Anden", "-a", "a" * 41, "a\n", "ä"])
def test_what_cannot_be_a_tenant(text: str) -> None:
    assert tenant_id(text) is None


def test_what_can() -> None:
    assert tenant_id("anden-2") == "anden-2"
