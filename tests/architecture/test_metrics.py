"""Metrics, their table, the alerts and the dashboard are held against each other, and against live processes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
import yaml

from infra.local.ports import HOST, free_port
from infra.measures import Counter, Measures, exposition
from tests.support.metric_table import kinds, table
from tests.support.processes import api_process, worker_process
from tests.support.waiting import found

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ALERTS = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
DASHBOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
FOREIGN = {"up"}
ENDINGS = ("_bucket", "_sum", "_count")


def documented() -> set[str]:
    _, _, rest = OPERATIONS.partition("<!-- metrics -->\n")
    shown, found_end, _ = rest.partition("\n<!-- end -->")
    assert found_end
    return set(re.findall(r"^\| `(\w+)`", shown, flags=re.MULTILINE))


def headings() -> set[str]:
    found = re.findall(r"^#+ (.+)$", OPERATIONS, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in found}


def queries(path: Path) -> Iterator[str]:
    for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "5m")


def metrics_of(expression: str) -> set[str]:
    """The metrics that the query names; whatever Prometheus' own grammar refuses is refused here."""
    return set(_names(promql_parser.parse(expression)))


def _names(node: Any) -> Iterator[str]:
    match type(node).__name__:
        case "VectorSelector":
            yield node.name
        case "MatrixSelector":
            yield node.vector_selector.name
        case "BinaryExpr":
            yield from _names(node.lhs)
            yield from _names(node.rhs)
        case "Call":
            for argument in node.args:
                yield from _names(argument)
        case "NumberLiteral" | "StringLiteral":
            return
        case _:
            yield from _names(node.expr)


def exists(metric: str) -> bool:
    shown = documented() | FOREIGN
    bare = next((metric.removesuffix(ending) for ending in ENDINGS if metric.endswith(ending)), metric)
    return metric in shown or bare in shown


def test_the_table_is_that_of_the_metrics():
    assert f"<!-- metrics -->\n{table()}\n<!-- end -->" in OPERATIONS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_metrics_that_exist_and_leads_to_a_heading(rule):
    assert metrics_of(rule["expr"]), rule["expr"]
    assert [metric for metric in metrics_of(rule["expr"]) if not exists(metric)] == []
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert (page, anchor in headings()) == ("docs/operations.md", True), anchor
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".")


def test_there_is_an_alert_for_everything_that_must_be_seen():
    asked = {metric for rule in RULES for metric in metrics_of(rule["expr"])}
    assert asked >= {
        "seatline_queue_oldest_age_seconds",
        "seatline_outbox_lag_seconds",
        "seatline_dead_letters",
        "seatline_workers_alive",
        "seatline_verify_drift",
        "seatline_database_connection_timeouts_total",
        "seatline_http_requests_total",
        "up",
    }


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_a_dashboard_asks_for_metrics_that_exist(path):
    asked = [metric for query in queries(path) for metric in metrics_of(query)]
    assert asked
    assert [metric for metric in asked if not exists(metric)] == []


def test_the_check_of_queries_finds_what_is_wrong():
    assert metrics_of("sum(rate(a_total[5m])) / b > 1 or max by (x) (c{d='e'})") == {"a_total", "b", "c"}
    assert not exists("seatline_no_such_metric")
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        metrics_of("sum(rate(a_total[5m])")


async def test_live_processes_show_what_is_documented_and_nothing_else(database_url, tmp_path):
    api_port, worker_port = free_port(), free_port()
    settings = {"database_url": database_url}
    with (
        api_process(tmp_path / "api.log", api_port, **settings),
        worker_process(tmp_path / "worker.log", worker_health_port=str(worker_port), **settings),
    ):
        async with httpx.AsyncClient() as client:

            async def scraped(port: int) -> set[str] | None:
                try:
                    response = await client.get(f"http://{HOST}:{port}/metrics")
                except httpx.TransportError:
                    return None
                return set(re.findall(r"^# TYPE (seatline_\w+) ", response.text, flags=re.MULTILINE))

            shown = {
                "api": await found(lambda: scraped(api_port), seconds=60),
                "worker": await found(lambda: scraped(worker_port), seconds=60),
            }
    expected = kinds()
    assert shown["api"] | shown["worker"] == documented()
    for kind, metrics in shown.items():
        assert metrics == {metric for metric, of in expected.items() if kind in of}


def test_a_counter_is_shown_by_the_name_that_is_documented():
    text = exposition.text_of(Measures()).decode()
    for instrument in Measures().instruments:
        if isinstance(instrument, Counter):
            assert f"# TYPE {instrument.name}_total counter" in text
