"""deploy/kubernetes is held against the schemas of Kubernetes, and against settings, command line, routes and image."""

import re
from pathlib import Path

import httpx
import kubernetes_validate
import promql_parser
import pytest
import yaml

from api.app import create_app
from infra import measures
from infra.rabbitmq.topology import Topology
from infra.settings import PREFIX, Settings
from tests.support.manifests import MANIFESTS, containers, named, of_kind
from workers import health
from workers.cli.main import COMMANDS
from workers.cli.service import STOP_SECONDS

ROOT = Path(__file__).resolve().parents[2]
OLDEST, NEWEST = "1.30", "1.37"
KNOWN = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
PODS = [manifest for manifest in MANIFESTS if manifest["kind"] in {"Deployment", "Job"}]
OF_KEDA = of_kind("ScaledObject") + of_kind("TriggerAuthentication")
PLAIN = [manifest for manifest in MANIFESTS if manifest not in OF_KEDA]
# Made by hand, so that no password stands in a file: configuration.yaml says how.
SECRET = {"SEATLINE_DATABASE_URL", "SEATLINE_AMQP_URL", "SEATLINE_MANAGEMENT_URL"}


def title(manifest):
    return f"{manifest['kind']}-{manifest['metadata']['name']}"


def pod_of(manifest):
    return manifest["spec"]["template"]


@pytest.fixture
def settings():
    """What the ConfigMap says, as the code reads it."""
    data = named("ConfigMap", "seatline")["data"]
    values = {variable.removeprefix(PREFIX).lower(): value for variable, value in data.items()}
    return Settings(database_url="postgresql://u:p@postgres/seatline", **values)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("manifest", PLAIN, ids=title)
def test_every_manifest_is_valid_in_old_and_new_clusters(manifest, version):
    kubernetes_validate.validate(manifest, version, strict=True)


def test_a_manifest_that_is_wrong_is_seen():
    wrong = {**named("Service", "seatline-api"), "spec": {"ports": [{"port": "eighty"}], "selektor": {}}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


def test_kustomize_applies_every_file_and_no_other():
    listed = yaml.safe_load((ROOT / "deploy/kubernetes/kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    files = {path.name for path in (ROOT / "deploy/kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    assert (set(listed), len(listed)) == (files, len(files))


def test_the_processes_are_the_ones_of_the_design():
    assert {pod["metadata"]["name"] for pod in PODS} == {"seatline-api", "seatline-worker", "seatline-migrate"}
    for pod in PODS:
        [container] = containers(pod)
        assert container["image"] == "seatline:latest"
        [command] = container["args"]
        assert command in COMMANDS
        assert pod["metadata"]["labels"]["app.kubernetes.io/component"] == command


@pytest.mark.parametrize("manifest", PODS, ids=title)
def test_every_variable_is_a_setting_and_no_secret_stands_in_a_file(manifest):
    configured = named("ConfigMap", "seatline")["data"]
    assert set(configured) <= KNOWN
    assert SECRET <= KNOWN
    assert not SECRET & set(configured)
    [container] = containers(manifest)
    assert container["envFrom"] == [{"configMapRef": {"name": "seatline"}}, {"secretRef": {"name": "seatline"}}]
    text = (ROOT / "deploy/kubernetes/configuration.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"--from-literal=([A-Z_]+)=", text)) == SECRET
    assert of_kind("Secret") == []


def test_the_pages_listen_where_probes_come_from(settings):
    assert settings.api_host == "0.0.0.0"


@pytest.mark.parametrize("component", ["api", "worker"])
def test_every_probe_asks_a_real_route_at_the_port_that_is_set(component, settings):
    deployment = named("Deployment", f"seatline-{component}")
    [container] = containers(deployment)
    [port] = container["ports"]
    served, listens = (
        (create_app(settings).openapi()["paths"], settings.api_port)
        if component == "api"
        else (health.PATHS, settings.worker_health_port)
    )
    assert port["containerPort"] == listens
    probes = {kind: probe for kind, probe in container.items() if kind.endswith("Probe")}
    assert {"startupProbe", "livenessProbe"} <= set(probes)
    for probe in probes.values():
        assert probe["httpGet"]["port"] == port["name"]
        assert probe["httpGet"]["path"] in served
    # A database that is away takes pods out of the balancer, and restarts none.
    assert probes["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert component == "worker" or probes["readinessProbe"]["httpGet"]["path"] == "/readyz"
    annotations = pod_of(deployment)["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(listens)
    assert annotations["prometheus.io/path"] == "/metrics"


async def test_prometheus_finds_measures_where_it_is_sent(settings):
    transport = httpx.ASGITransport(app=create_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        assert (await client.get("/metrics")).status_code == 200
    assert "/metrics" in health.PATHS


@pytest.mark.parametrize("manifest", PODS, ids=title)
def test_every_pod_is_restricted_and_bounded(manifest):
    spec = pod_of(manifest)["spec"]
    [container] = spec["containers"]
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert f"--uid {spec['securityContext']['runAsUser']} " in image
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("component", ["api", "worker"])
def test_a_process_has_the_time_it_needs_to_end(component):
    spec = pod_of(named("Deployment", f"seatline-{component}"))["spec"]
    pause = int(spec["containers"][0].get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", "00")[1])
    assert spec["terminationGracePeriodSeconds"] >= pause + STOP_SECONDS + 2


def test_selectors_find_the_pods_that_they_mean():
    labels = {pod["metadata"]["name"]: pod_of(pod)["metadata"]["labels"] for pod in PODS}
    for deployment in of_kind("Deployment"):
        selector = deployment["spec"]["selector"]["matchLabels"]
        assert selector.items() <= labels[deployment["metadata"]["name"]].items()
        budget = named("PodDisruptionBudget", deployment["metadata"]["name"])["spec"]
        assert budget["selector"]["matchLabels"] == selector
        assert budget["minAvailable"] >= 1
    service = named("Service", "seatline-api")["spec"]
    assert service["selector"] == named("Deployment", "seatline-api")["spec"]["selector"]["matchLabels"]
    assert [port["targetPort"] for port in service["ports"]] == ["http"]
    for policy in of_kind("NetworkPolicy"):
        selector = policy["spec"]["podSelector"]["matchLabels"]
        assert selector.items() <= labels[policy["metadata"]["name"]].items()
        for rule in policy["spec"].get("ingress", []):
            [container] = containers(next(pod for pod in PODS if title(pod).endswith(policy["metadata"]["name"])))
            assert {port["port"] for port in rule["ports"]} <= {port["name"] for port in container["ports"]}


def test_workers_are_scaled_by_a_queue_and_a_measure_that_exist():
    """KEDA's own schema is in no package: what a mistake would silently break is checked by hand."""
    [scaled], [authentication] = of_kind("ScaledObject"), of_kind("TriggerAuthentication")
    spec = scaled["spec"]
    assert scaled["apiVersion"] == authentication["apiVersion"] == "keda.sh/v1alpha1"
    target = named("Deployment", spec["scaleTargetRef"]["name"])
    assert "replicas" not in target["spec"], "two would set it"
    assert 1 <= spec["minReplicaCount"] <= spec["fallback"]["replicas"] <= spec["maxReplicaCount"]
    claims, age = spec["triggers"]
    assert (claims["type"], claims["metadata"]["queueName"]) == ("rabbitmq", Topology().commands_queue)
    assert claims["authenticationRef"]["name"] == authentication["metadata"]["name"]
    [secret] = authentication["spec"]["secretTargetRef"]
    assert (secret["parameter"], secret["name"], secret["key"] in SECRET) == ("host", "seatline", True)
    assert age["type"] == "prometheus"
    promql_parser.parse(age["metadata"]["query"])
    for trigger in spec["triggers"]:
        assert all(isinstance(value, str) for value in trigger["metadata"].values())
        assert float(trigger["metadata"].get("value") or trigger["metadata"]["threshold"]) > 0
    [measure] = re.findall(r"seatline_[a-z_]+", age["metadata"]["query"])
    assert measure in {name for path in Path(measures.__file__).parent.glob("*.py") for name in names_in(path)}
    assert measure in (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def names_in(path):
    return re.findall(r'"(seatline_[a-z_]+)"', path.read_text(encoding="utf-8"))
