"""docker-compose.yml, the Dockerfile and .env.example are held against settings, command line and routes."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from api.app import create_app
from infra.settings import PREFIX, Settings
from workers import health
from workers.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if str(service["image"]).startswith("seatline:")}
KNOWN = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
CONDITIONS = {"service_healthy", "service_completed_successfully"}


def test_the_services_are_the_ones_of_the_design():
    assert set(SERVICES) == {"postgres", "rabbitmq", "migrate", "api", "worker-1", "worker-2"}
    assert SERVICES["postgres"]["image"] == "postgres:18"
    assert re.fullmatch(r"rabbitmq:4(\.\d+)?-management", SERVICES["rabbitmq"]["image"])


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name):
    variables = set(OURS[name]["environment"])
    assert variables <= KNOWN
    assert f"{PREFIX}DATABASE_URL" in variables


@pytest.mark.parametrize("name", OURS)
def test_the_variables_make_valid_settings(name, monkeypatch):
    for variable, value in OURS[name]["environment"].items():
        monkeypatch.setenv(variable, substituted(str(value)))
    settings = Settings()
    assert urlsplit(settings.database_url.get_secret_value()).hostname == "postgres"
    assert settings.amqp_url is not None
    assert urlsplit(settings.amqp_url.get_secret_value()).hostname == "rabbitmq"


@pytest.mark.parametrize("name", OURS)
def test_every_command_exists(name):
    assert OURS[name]["command"][0] in COMMANDS


@pytest.mark.parametrize("name", SERVICES)
def test_dependencies_name_services_and_conditions_that_can_be_met(name):
    for other, dependency in SERVICES[name].get("depends_on", {}).items():
        assert dependency["condition"] in CONDITIONS
        if dependency["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert SERVICES[other]["restart"] == "no"


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_every_lasting_service_has_a_health_check(name):
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries"} <= set(check)


@pytest.mark.parametrize("name", ["api", "worker-1", "worker-2"])
def test_every_health_check_asks_a_real_route_at_the_port_that_is_set(name):
    (url,) = re.findall(r"http://[^']+", " ".join(SERVICES[name]["healthcheck"]["test"]))
    settings = Settings(
        **{
            variable.removeprefix(PREFIX).lower(): substituted(str(value))
            for variable, value in SERVICES[name]["environment"].items()
            if substituted(str(value))
        }
    )
    port, routes = (
        (settings.api_port, create_app(settings).openapi()["paths"])
        if name == "api"
        else (settings.worker_health_port, health.PATHS)
    )
    assert urlsplit(url).port == port
    assert urlsplit(url).path in routes


def test_nothing_is_published_beyond_this_machine():
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")


def test_no_password_stands_in_the_compose_file():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert re.findall(r"://[^:]+:(?!\$\{)[^@\s]+@", text) == []


def test_every_variable_of_the_example_is_known():
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?([A-Z][A-Z_]+)=", text, flags=re.MULTILINE))
    used = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    assert {name for name in named if name.startswith(PREFIX)} <= KNOWN
    assert {name for name in named if not name.startswith(PREFIX)} <= used
    assert {name for name in used if not name.startswith(PREFIX)} <= named


def test_the_image_runs_unprivileged_and_holds_what_it_needs():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    stages = re.findall(r"^FROM (\S+)", text, flags=re.MULTILINE)
    assert len(stages) == 2
    last = text.rpartition("FROM ")[2]
    assert re.search(r"^USER (?!root\b|0\b)\S+", last, flags=re.MULTILINE)
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, flags=re.MULTILINE):
        for path in source.split():
            assert (ROOT / path).exists()
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", text)) <= KNOWN
    assert re.findall(r'^CMD \["(\w+)"\]', last, flags=re.MULTILINE)[0] in COMMANDS


def test_the_image_leaves_out_what_its_ignore_file_would_have_to_let_in():
    let_in = {line[1:].strip("/") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    for path in " ".join(copied).split():
        assert any(path.strip("/") == entry or path.startswith(f"{entry}/") for entry in let_in)


def substituted(text: str) -> str:
    """The value as compose makes it with no variable set but the passwords."""
    return re.sub(
        r"\$\{[A-Z_]+(?::-([^}]*)|:\?[^}]*)\}", lambda found: "secret" if found[1] is None else found[1], text
    )
