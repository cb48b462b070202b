"""Files of one test lie in its own folder."""

import pytest

from scoring.models import Source


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.UPLOADS = tmp_path / "uploads"


@pytest.fixture
def bank(db) -> Source:
    return Source.objects.create(name="bank")
