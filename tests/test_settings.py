"""Every setting: documented, read from where it says, and refused in words when it is wrong."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings as live
from django.contrib.staticfiles import finders
from django.core import checks

from anomalyshield import env
from anomalyshield.settings import _database, _secret_key

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = re.compile(r"^# (?P<help>[^\n]+)\n#(?P<name>[A-Z_]+)=(?P<value>.*)$", re.MULTILINE)


def examples() -> dict[str, tuple[str, str]]:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return {found["name"]: (found["help"], found["value"]) for found in EXAMPLE.finditer(text)}


def manage(*words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *words]
    environment = {**os.environ, **changes}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


# --- .env.example ---------------------------------------------------------------------------------
def test_the_example_lists_every_key_with_its_help_and_default() -> None:
    known = {key.name: (key.help, key.default) for key in env.KEYS.values()}
    assert examples() == known


def test_the_example_sets_nothing_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(os.environ)
    env.load_dotenv(ROOT / ".env.example")
    assert dict(os.environ) == before


# --- reading --------------------------------------------------------------------------------------
@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets the variable THE_KEY; what is read in these tests is not documented anywhere."""
    monkeypatch.setattr(env, "KEYS", {})
    return lambda value: monkeypatch.setenv("THE_KEY", value)


def test_a_dotenv_file_fills_in_what_the_environment_does_not_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("# words\nGIVEN=file\nMISSING='from file'\n", encoding="utf-8")
    monkeypatch.setenv("GIVEN", "environment")
    monkeypatch.setenv("MISSING", "")
    monkeypatch.delenv("MISSING")
    env.load_dotenv(tmp_path / ".env")
    assert (os.environ["GIVEN"], os.environ["MISSING"]) == ("environment", "from file")


def test_a_secret_may_come_from_a_file(
    key: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("from a file\n", encoding="utf-8")
    monkeypatch.setenv("THE_KEY_FILE", str(tmp_path / "secret"))
    assert env.text("THE_KEY", "") == "from a file"


@pytest.mark.parametrize("value, meaning", [("1", True), ("Yes", True), ("off", False)])
def test_a_flag_is_yes_or_no(key: Callable[[str], None], value: str, meaning: bool) -> None:
    key(value)
    assert env.flag("THE_KEY", "") is meaning


def test_a_flag_that_is_neither_is_refused(key: Callable[[str], None]) -> None:
    key("maybe")
    with pytest.raises(env.BadSetting, match="THE_KEY='maybe' is neither yes nor no"):
        env.flag("THE_KEY", "")


@pytest.mark.parametrize("value, reason", [("ten", "not a whole number"), ("0", "below the least")])
def test_a_number_that_makes_no_sense_is_refused(
    key: Callable[[str], None], value: str, reason: str
) -> None:
    key(value)
    with pytest.raises(env.BadSetting, match=reason):
        env.number("THE_KEY", "", 5, least=1)


def test_a_command_says_which_setting_is_wrong_instead_of_a_traceback() -> None:
    found = manage("check", PORT="eighty")
    assert found.returncode == 1
    assert "Wrong setting: PORT='eighty' is not a whole number." in found.stderr
    assert "Traceback" not in found.stderr


# --- the database's address -----------------------------------------------------------------------
def test_a_database_address_is_taken_apart() -> None:
    found = _database("postgresql://ann:p%40ss@db.example:6432/fraud?sslmode=verify-full")
    assert (found["USER"], found["PASSWORD"], found["HOST"]) == ("ann", "p@ss", "db.example")
    assert (found["NAME"], found["PORT"]) == ("fraud", "6432")
    assert found["OPTIONS"]["sslmode"] == "verify-full"


def test_a_socket_folder_with_a_space_is_understood() -> None:
    assert _database("postgresql://postgres@/x?host=%2Fmy%20var%2Frun")["HOST"] == "/my var/run"


def test_another_database_is_refused_by_name() -> None:
    with pytest.raises(env.BadSetting, match="postgresql://"):
        _database("mysql://db/fraud")


# --- the secret key -------------------------------------------------------------------------------
def test_a_secret_key_is_drawn_once_and_only_its_owner_may_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anomalyshield.settings.VAR", tmp_path)
    monkeypatch.delenv("SECRET_KEY", raising=False)
    first = _secret_key()
    assert len(first) >= 50
    assert _secret_key() == first
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


# --- system checks --------------------------------------------------------------------------------
def found_by_checks() -> dict[str, checks.CheckMessage]:
    return {str(found.id): found for found in checks.run_checks(tags=["anomalyshield"])}


def test_the_settings_as_cloned_are_well() -> None:
    assert found_by_checks() == {}


@pytest.mark.parametrize(
    "name, value, number",
    [
        ("BASE_CURRENCY", "usd", "E001"),
        ("BASE_CURRENCY", "EURO", "E001"),
        ("ALERT_BUDGET", "0", "E002"),
        ("ALERT_BUDGET", "0.6", "E002"),
        ("ALERT_BUDGET", "NaN", "E002"),
        ("ALERT_BUDGET", "few", "E002"),
        ("REDIS_URL", "http://valkey", "E003"),
        ("CSRF_TRUSTED_ORIGINS", ["fraud.example.com"], "E004"),
        ("ENVIRONMENT", "prod", "E006"),
    ],
)
def test_a_wrong_setting_is_found_with_a_hint(
    settings, name: str, value: object, number: str
) -> None:
    setattr(settings, name, value)
    found = found_by_checks()
    assert list(found) == [f"anomalyshield.{number}"]
    assert found[f"anomalyshield.{number}"].hint


def test_production_with_demo_settings_is_refused(settings) -> None:
    settings.ENVIRONMENT, settings.DEBUG, settings.OPEN_SCORING = "production", True, True
    settings.ALLOWED_HOSTS, settings.SECRET_KEY, settings.DATABASE_URL = ["*"], "short", ""
    wanted = ["E007", "E008", "E009", "E010", "W001", "W002"]
    assert list(found_by_checks()) == [f"anomalyshield.{number}" for number in wanted]


def test_production_with_its_own_settings_is_well(settings) -> None:
    settings.ENVIRONMENT, settings.ALLOWED_HOSTS, settings.HTTPS = "production", ["me.test"], True
    settings.SECRET_KEY, settings.DATABASE_URL = "x" * 50, "postgresql://db/fraud"
    assert found_by_checks() == {}


def test_nobody_can_start_with_a_wrong_setting() -> None:
    found = manage("up", ANOMALYSHIELD_CURRENCY="dollars")
    assert found.returncode == 1
    assert "not an ISO 4217 code" in found.stderr


# --- other people's scripts -----------------------------------------------------------------------
@pytest.mark.parametrize("path", ["vendor/plotly.min.js", "vendor/htmx.min.js"])
def test_scripts_are_served_out_of_their_wheels(path: str) -> None:
    file = finders.find(path)
    assert file is not None
    assert not Path(file).is_relative_to(ROOT / "static")
    assert Path(file).stat().st_size > 10_000


@pytest.mark.parametrize("path", ["vendor/plotly.json", "vendor/../plotly/__init__.py", "vendor"])
def test_nothing_else_of_a_wheel_is_served(path: str) -> None:
    assert finders.find(path) is None


def test_the_bell_speaks_to_celery_and_to_redis_py_at_one_address() -> None:
    assert live.CELERY_BROKER_URL.partition("://")[2].partition("?")[0] in live.REDIS_URL
