"""The manifests as a cluster would read them: names, numbers and that each reference is met.

No cluster is at hand, so nothing here was ever applied: this holds the files against each other and
against what was promised, and no more.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.urls import resolve

from anomalyshield.processes import PROCESSES

FOLDER = Path(settings.BASE_DIR) / "anomalyshield" / "deploy" / "kubernetes"
LABEL = "anomaly-detector"


@pytest.fixture(scope="module")
def manifests() -> list[dict[str, Any]]:
    files = sorted(FOLDER.glob("*.yaml"))
    return [one for file in files for one in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


def of_kind(manifests: list[dict], kind: str) -> dict[str, dict]:
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == kind}


def pods(manifests: list[dict]) -> Iterator[tuple[str, dict]]:
    for one in manifests:
        if one["kind"] in ("Deployment", "Job"):
            yield one["metadata"]["name"], one["spec"]["template"]


def test_the_deployment_and_its_service_have_the_promised_names_and_numbers(manifests) -> None:
    web = of_kind(manifests, "Deployment")[LABEL]
    (detector,) = web["spec"]["template"]["spec"]["containers"]
    assert web["spec"]["replicas"] == 3
    assert detector["name"] == "detector"
    assert detector["resources"]["requests"] == {"cpu": "1000m", "memory": "2Gi"}
    assert [port["containerPort"] for port in detector["ports"]] == [8000]
    service = of_kind(manifests, "Service")[LABEL]["spec"]
    assert (service["type"], service["ports"][0]["port"]) == ("LoadBalancer", 80)
    assert service["ports"][0]["targetPort"] == 8000


def test_more_pods_start_at_seventy_percent_of_cpu_and_eighty_of_memory(manifests) -> None:
    scaler = of_kind(manifests, "HorizontalPodAutoscaler")[LABEL]["spec"]
    found = {
        one["resource"]["name"]: one["resource"]["target"]["averageUtilization"]
        for one in scaler["metrics"]
    }
    assert found == {"cpu": 70, "memory": 80}
    assert scaler["minReplicas"] < scaler["maxReplicas"]


def test_each_process_of_the_platform_has_pods_and_none_is_made_up(manifests) -> None:
    started = {box["args"][-1] for _, pod in pods(manifests) for box in pod["spec"]["containers"]}
    assert started == {"setup", *PROCESSES}


def test_no_pod_is_root_or_may_write_beside_its_volumes(manifests) -> None:
    for name, pod in pods(manifests):
        assert pod["spec"]["securityContext"]["runAsUser"] == 10001, name
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        for box in pod["spec"]["containers"]:
            held = box["securityContext"]
            assert held["readOnlyRootFilesystem"], name
            assert not held["allowPrivilegeEscalation"], name
            assert held["capabilities"] == {"drop": ["ALL"]}, name
            assert {"requests", "limits"} <= box["resources"].keys(), name


def test_every_name_that_is_used_is_declared(manifests) -> None:
    accounts, claims, maps = (
        of_kind(manifests, kind).keys()
        for kind in ("ServiceAccount", "PersistentVolumeClaim", "ConfigMap")
    )
    for name, pod in pods(manifests):
        spec = pod["spec"]
        assert spec["serviceAccountName"] in accounts, name
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        assert volumes["data"]["persistentVolumeClaim"]["claimName"] in claims, name
        for box in spec["containers"]:
            assert {mount["name"] for mount in box["volumeMounts"]} <= volumes.keys(), name
            told = [one["configMapRef"]["name"] for one in box["envFrom"] if "configMapRef" in one]
            assert set(told) <= maps, name


def test_every_selector_finds_pods(manifests) -> None:
    labels = [pod["metadata"]["labels"].items() for _, pod in pods(manifests)]
    for one in manifests:
        spec = one.get("spec", {})
        wanted = spec.get("selector") or spec.get("podSelector")
        if wanted:
            asked = wanted.get("matchLabels", wanted).items()
            assert any(asked <= found for found in labels), one["metadata"]["name"]


def test_nothing_goes_in_or_out_that_no_policy_names(manifests) -> None:
    policies = of_kind(manifests, "NetworkPolicy")
    closed = policies["anomaly-detector-nothing"]["spec"]
    assert closed["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in closed
    assert "egress" not in closed
    opened = [one for one in policies.values() if "ingress" in one["spec"]]
    assert [one["spec"]["podSelector"]["matchLabels"]["part"] for one in opened] == ["web"]


def test_the_probes_ask_addresses_that_exist_and_a_host_that_is_allowed(manifests) -> None:
    (detector,) = of_kind(manifests, "Deployment")[LABEL]["spec"]["template"]["spec"]["containers"]
    told = of_kind(manifests, "ConfigMap")[LABEL]["data"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = detector[probe]["httpGet"]
        assert resolve(asked["path"]).url_name in ("health", "health-ready")
        headers = {one["name"]: one["value"] for one in asked["httpHeaders"]}
        assert headers["Host"] == told["ALLOWED_HOSTS"]


def test_what_the_pods_are_told_are_settings_and_no_secret(manifests) -> None:
    known = (Path(settings.BASE_DIR) / ".env.example").read_text(encoding="utf-8")
    for name, value in of_kind(manifests, "ConfigMap")[LABEL]["data"].items():
        assert f"{name}=" in known, name
        assert isinstance(value, str), name
    assert not of_kind(manifests, "Secret")


def test_the_make_target_names_this_folder() -> None:
    makefile = (Path(settings.BASE_DIR) / "Makefile").read_text(encoding="utf-8")
    assert "-f anomalyshield/deploy/kubernetes/" in makefile


def test_the_optional_consumer_stands_as_the_worker_does(manifests) -> None:
    text = (FOLDER / "optional" / "consumer.yaml").read_text(encoding="utf-8")
    consumer = yaml.safe_load(text)
    worker = of_kind(manifests, "Deployment")[f"{LABEL}-worker"]
    ours, theirs = (one["spec"]["template"]["spec"] for one in (consumer, worker))
    assert ours["containers"][0]["args"] == ["python", "manage.py", "consume", "transactions"]
    assert ours["securityContext"] == theirs["securityContext"]
    for name in ("envFrom", "securityContext", "volumeMounts", "image"):
        assert ours["containers"][0][name] == theirs["containers"][0][name]
    assert consumer["spec"]["selector"]["matchLabels"]["part"] == "consumer"
