"""Every link of the OpenAPI document is followed, from an answer to the document's own example, and leads to an answer.

What a caller does with a write, a list or a thing next is asked of the running application; Schemathesis goes further
than one step, and not everywhere.
"""

from tests.support.api import serving
from tests.support.positions import operations, request
from tests.support.worlds import fill

# What leads there is a failed operation, of which there is none.
NOTHING_FAILED = {"read_operation_request", "list_dead_letters"}


async def test_every_link_to_a_read_leads_to_an_answer(database_url):
    async with serving(database_url) as api:
        world = await fill(api, "own")
        operators = {**api.headers, **await api.operator_token("ops:write", "tenants:admin")}
        document = api.app.openapi()
        walk = Walk(document)
        for operation in sorted(operations(document), key=lambda one: one.method == "DELETE"):
            if "stream" in operation.path:
                continue
            made = request(operation, world.values)
            parameters = document["paths"][operation.path][operation.method.lower()]["parameters"]
            if any(one["name"] == "cursor" for one in parameters):
                made.query["limit"] = 1
            await walk.follow(api, operation, made, operators if operation.is_operators else None)
    assert walk.wrong == []
    assert walk.targets - walk.reached <= NOTHING_FAILED


class Walk:
    """Where the links lead. `targets` are the reads that any leads to, `reached` those that have answered."""

    def __init__(self, document):
        self._document = document
        self._by_id = {
            operation["operationId"]: (method, path)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }
        self.targets, self.reached, self.wrong = set(), set(), []

    async def follow(self, api, operation, made, headers):
        """Ask, and go where the answer leads."""
        answer = await api.call(operation.method, made.path, made.body, params=made.query, headers=headers)
        described = self._document["paths"][operation.path][operation.method.lower()]["responses"]
        template = dict(zip(operation.path.split("/"), made.path.split("/"), strict=True))
        for name, link in described.get(str(answer.status_code), {}).get("links", {}).items():
            method, path = self._by_id[link["operationId"]]
            if method != "get":
                continue
            self.targets.add(link["operationId"])
            given = {
                parameter: value
                for parameter, expression in link["parameters"].items()
                if (value := found(expression, answer, template, made.query)) is not None
            }
            if name != "next_page" and given.keys() != link["parameters"].keys():
                continue
            query = {parameter: value for parameter, value in given.items() if f"{{{parameter}}}" not in path}
            for parameter, value in given.items():
                path = path.replace(f"{{{parameter}}}", str(value))
            led_to = await api.call("GET", path, params=query, headers=headers)
            if led_to.status_code == 200:
                self.reached.add(link["operationId"])
            else:
                self.wrong.append(f"{operation} {name}: {path} {query}: {led_to.status_code} {led_to.text}")


def found(expression, answer, template, query):
    """What the expression stands for; None where the answer has nothing there."""
    source, _, pointer = expression.partition("#/")
    if source == "$response.body":
        value = answer.json()
        for step in pointer.split("/"):
            if isinstance(value, list):
                value = value[int(step)] if value else None
            else:
                value = value.get(step) if value is not None else None
        return value
    kind, name = source.removeprefix("$").split(".", 2)[1:]
    if kind == "header":
        return answer.headers.get(name)
    return template.get(f"{{{name}}}") if kind == "path" else query.get(name)
