"""The files other programs read: image, compose file, Makefile, build script."""

import re
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PROMISED = [
    *("run", "test", "test-streams", "chaos", "bench", "lint", "format", "typecheck", "lock"),
    *("clean", "install", "dev-setup", "deploy-local", "deploy-k8s", "generate-load"),
    *("generate-data", "train", "evaluate-models", "run-api", "run-app", "docker-build"),
    *("docker-up", "doctor", "smoke"),
]
# A value written out where only a reference belongs.
PASSWORD = re.compile(r"(PASSWORD|SECRET|TOKEN|_KEY)(?!_FILE)\w*\s*[:=]\s*[\"']?[A-Za-z0-9]")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load(text("docker-compose.yml"))


# --- compose --------------------------------------------------------------------------------------
def test_compose_brings_up_every_process_and_both_servers(compose: dict) -> None:
    assert {"web", "worker", "trainer", "ticker", "postgres", "valkey"} <= set(compose["services"])
    assert compose["services"]["web"]["ports"] == ["${PORT:-8000}:8000"]


def test_compose_publishes_the_pages_and_no_server(compose: dict) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["web"]


def test_every_service_waits_for_services_that_exist(compose: dict) -> None:
    services = compose["services"]
    for name, service in services.items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in services, f"{name} waits for {other}"
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{other} never becomes healthy"


def test_every_volume_used_is_declared(compose: dict) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in compose["volumes"]


def test_the_bell_of_compose_evicts_nothing_and_survives_a_restart(compose: dict) -> None:
    words = " ".join(compose["services"]["valkey"]["command"])
    assert "--maxmemory-policy noeviction" in words
    assert "--appendonly yes" in words


def test_our_containers_may_write_nowhere_but_their_data(compose: dict) -> None:
    for name, service in compose["services"].items():
        if service["image"].startswith("anomalyshield"):
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name


def test_the_commands_of_compose_exist(compose: dict) -> None:
    from anomalyshield.processes import PROCESSES

    commands = [service.get("command", []) for service in compose["services"].values()]
    ours = [command for command in commands if "manage.py" in command]
    assert {command[-1] for command in ours} == {*PROCESSES, "setup", "consume"}


def test_a_broker_and_its_reader_start_only_when_they_are_asked_for(compose: dict) -> None:
    services = compose["services"]
    asked = {name for name, service in services.items() if service.get("profiles") == ["kafka"]}
    assert asked == {"kafka", "consumer"}
    assert services["consumer"]["depends_on"]["kafka"]["condition"] == "service_healthy"


@pytest.mark.parametrize("name", ["docker-compose.yml", "Dockerfile", ".env.example", "Makefile"])
def test_no_password_stands_in_a_file(name: str) -> None:
    assert not PASSWORD.search(text(name))


def test_the_secrets_of_containers_are_drawn_once(tmp_path: Path) -> None:
    command = ["python3", str(ROOT / "tools" / "draw_secrets.py"), str(tmp_path), "db:5432"]
    subprocess.run(command, check=True)
    first = {path.name: path.read_text() for path in tmp_path.iterdir()}
    subprocess.run(command, check=True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == first
    assert first["postgres_password"] in first["database_url"]
    assert len(first["secret_key"]) >= 50
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())


# --- image ----------------------------------------------------------------------------------------
def test_the_image_runs_as_a_numbered_user_who_has_a_name() -> None:
    lines = text("Dockerfile").splitlines()
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001"]
    assert "useradd --uid 10001" in text("Dockerfile")


def test_the_image_installs_by_hash_and_leaves_secrets_and_data_outside() -> None:
    assert "--require-hashes" in text("Dockerfile")
    assert {".env", "var", ".git", ".venv"} <= set(text(".dockerignore").split())


def test_the_base_images_are_named_with_a_version(compose: dict) -> None:
    images = re.findall(r"^FROM (\S+)", text("Dockerfile"), re.MULTILINE)
    images += [compose["services"][name]["image"] for name in ("postgres", "valkey", "kafka")]
    for image in images:
        assert re.search(r":\d", image), image


# --- Makefile and build script --------------------------------------------------------------------
@pytest.mark.parametrize("target", PROMISED)
def test_a_promised_target_exists_and_dry_runs(target: str) -> None:
    found = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip()


def test_the_commands_behind_the_targets_exist() -> None:
    from django.core.management import get_commands

    used = set(re.findall(r"manage\.py ([a-z_]+)", text("Makefile")))
    assert used <= set(get_commands()), used - set(get_commands())


def test_the_build_script_runs_the_test_command_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    assert script.read_text(encoding="utf-8").splitlines()[-1] == "make test"
    assert re.search(r"^make test\b", text("README.md"), re.MULTILINE)
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0


def test_the_licence_is_mit() -> None:
    assert text("LICENSE").startswith("MIT License")
    assert "AnomalyShield contributors" in text("LICENSE")


def test_the_larger_requirement_sets_contain_the_base_with_the_same_pins() -> None:
    def pins(name: str) -> set[str]:
        # Without the markers: the resolver writes the same condition in several ways.
        return set(re.findall(r"^[\w.-]+==[^\s;\\]+", text(name), re.MULTILINE))

    for larger in ("requirements-dev.txt", "requirements-extras.txt"):
        assert pins("requirements.txt") <= pins(larger)


def test_every_requirement_is_pinned_by_hash() -> None:
    entries = re.findall(r"^[\w.-]+==.*(?:\n    .*)*", text("requirements.txt"), re.MULTILINE)
    assert len(entries) > 50
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
