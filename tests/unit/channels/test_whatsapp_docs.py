"""The page on WhatsApp and the program say the same."""

import re
from pathlib import Path

import pytest

from runtime.channels.sending import MB
from runtime.channels.whatsapp import errors
from runtime.channels.whatsapp.bodies import CAPTION_LIMIT, PARAMETER_LIMIT
from runtime.channels.whatsapp.files import SIZES
from runtime.channels.whatsapp.formatting import LIMIT
from runtime.channels.whatsapp.webhook import BODY_LIMIT

PAGE = (Path(__file__).parents[3] / "docs" / "channels" / "whatsapp.md").read_text()
REFUSALS = PAGE.partition("## What each refusal means")[2]
AGAIN, REST = REFUSALS.split("**Something has to be changed**")


def codes(text: str) -> set[int]:
    cells = re.findall(r"^\| ([\d, -]+) \|", text, re.MULTILINE)
    return {int(code) for cell in cells for code in re.findall(r"\d+", cell.replace("200-299", ""))}


def test_every_code_of_the_table_is_explained_and_no_other() -> None:
    assert codes(AGAIN) == set(errors._LATER)
    assert codes(REST) == set(errors._HINTS)


@pytest.mark.parametrize(
    "said",
    [
        f"{LIMIT:,} characters",
        f"at most {CAPTION_LIMIT:,} characters",
        f"template {PARAMETER_LIMIT}",
        f"above {BODY_LIMIT // MB} MB",
        *(f"{size // MB} MB" if size >= MB else f"{size // 1000} KB" for size in SIZES.values()),
    ],
)
def test_every_limit_is_the_programs(said: str) -> None:
    assert said in PAGE
