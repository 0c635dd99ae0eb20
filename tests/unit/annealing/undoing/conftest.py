"""A tenant of its own for each test."""

from pathlib import Path

import pytest

from tests.undoing_house import House, build


@pytest.fixture
def house(tmp_path: Path) -> House:
    return build(tmp_path)
