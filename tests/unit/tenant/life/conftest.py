"""A tenant's folder from the blueprint, with its history."""

import shutil
from pathlib import Path

import pytest

from runtime.tenant.folder import Folder
from runtime.tenant.git.history import ADMIN, History, Origin
from runtime.tenant.life.files import Life

BLUEPRINT = Path(__file__).parents[4] / "blueprint"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    shutil.copytree(BLUEPRINT, tmp_path / "anden")
    return Folder(tmp_path / "anden")


@pytest.fixture
def history(folder: Folder) -> History:
    history = History(folder)
    history.create(Origin(actor=ADMIN, tenant="anden"))
    return history


@pytest.fixture
def life(folder: Folder, history: History) -> Life:
    return Life(folder, history)
