"""What the doctor says of the bell: which setting is wrong, and the cure."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from anomalyshield import doctor


@pytest.fixture
def valkey(settings: Any) -> Iterator[redis.Redis]:
    """The server of this run, as it was again afterwards."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        before = client.config_get("maxmemory-policy", "appendonly")
        yield client
        for name, value in before.items():
            client.config_set(name, value)


def test_a_bell_that_forgets_bells_is_named_with_its_setting(valkey: redis.Redis) -> None:
    valkey.config_set("appendonly", "yes")
    assert doctor.bell().cure == ""
    valkey.config_set("maxmemory-policy", "allkeys-lru")
    assert "maxmemory-policy noeviction" in doctor.bell().cure
    valkey.config_set("appendonly", "no")
    assert "appendonly yes" in doctor.bell().cure


@pytest.mark.parametrize("version, old", [("5.0.14", True), ("6.2.7", True), ("7.2.4", False)])
def test_an_old_server_is_refused_by_its_version(version: str, old: bool) -> None:
    rules = {"maxmemory-policy": "noeviction"}
    cures = list(doctor._bell_cures(version, {"aof_enabled": 1}, rules))
    assert cures == (["Use Valkey, or Redis 7 or newer."] if old else [])


def test_a_bell_that_is_away_is_named_with_its_error(settings: Any) -> None:
    settings.REDIS_URL, settings.GIVEN_REDIS_URL = "redis://127.0.0.1:1/0", True
    found = doctor.bell()
    assert "refused" in found.words.lower()
    assert "REDIS_URL" in found.cure
