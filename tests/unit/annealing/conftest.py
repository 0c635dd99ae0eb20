"""A tenant of its own for each test, from one that is made once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.annealing_house import House, build, opened


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("annealing") / "home"
    build(home)
    return home


@pytest.fixture
def house(made_home: Path, tmp_path: Path) -> Iterator[House]:
    shutil.copytree(made_home, tmp_path / "home")
    one = opened(tmp_path / "home")
    yield one
    one.close()
