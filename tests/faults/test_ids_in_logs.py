"""One request can be followed from the door to the worker: its ids stand on the lines of both."""

import json

from domain.commands import GroupPut, PutGroups
from tests.support.callers import calling
from tests.support.processes import worker_process
from tests.support.waiting import found


async def test_a_workers_lines_carry_the_ids_of_the_request_and_of_the_operation(
    database_url, amqp_url, broker_prefix, tmp_path
):
    settings = {"database_url": database_url, "amqp_url": amqp_url, "name_prefix": broker_prefix}
    log = tmp_path / "worker.log"
    async with calling(database_url, amqp_url=amqp_url, prefix=broker_prefix) as caller:
        with worker_process(log, log_level="debug", log_format="json", **settings):
            answer = await caller.post(PutGroups(items=(GroupPut(key="sales", name="Sales"),)), request_id="req-17")
            told = await found(lambda: applied_lines(log))
    assert [(line["request_id"], line["operation_id"], line["kind"]) for line in told] == [
        ("req-17", str(answer.operation.id), "groups.put")
    ]


async def applied_lines(log):
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["message"] == "an operation was applied"]
