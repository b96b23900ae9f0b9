"""The page at /docs: the OpenAPI document as plain HTML, without a script and without a foreign request.

One rule: everything shown comes from the document, escaped.
"""

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

_STYLE = """\
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code,pre{font:14px/1.4 ui-monospace,monospace}pre{overflow:auto;padding:.75rem;border:1px solid #8886;border-radius:6px}
details{border-top:1px solid #8886;padding:.5rem 0}summary{cursor:pointer}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0}b{display:inline-block;min-width:4.5rem}
"""


def page(document: Mapping[str, Any]) -> str:
    """The document as one HTML page."""
    title = escape(document["info"]["title"])
    operations = "".join(
        _operation(method, path, operation)
        for path, methods in sorted(document["paths"].items())
        for method, operation in methods.items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<main><h1>{title} {escape(document['info']['version'])}</h1>"
        f"<p>{escape(document['info'].get('description', ''))}</p>"
        '<p><a href="openapi.json">openapi.json</a> is the same for programs.</p>'
        f"{operations}</main></body></html>"
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {})
    return (
        f"<details><summary><b>{escape(method.upper())}</b> <code>{escape(path)}</code> "
        f"{escape(operation.get('summary', ''))}</summary>"
        f"{_names('Called', [operation['operationId']] if 'operationId' in operation else [])}"
        f"{_parameters(operation.get('parameters', ()))}"
        f"{_contents('Request', body)}"
        + "".join(
            _contents(f"{status} {response['description']}", response.get("content", {}))
            + _names("Headers", response.get("headers", {}))
            + _names("Leads to", (link["operationId"] for link in response.get("links", {}).values()))
            for status, response in sorted(operation.get("responses", {}).items())
        )
        + "</details>"
    )


def _parameters(parameters: Iterable[Mapping[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td>"
        f"<td>{'required' if one.get('required') else ''}</td><td>{escape(one.get('description', ''))}</td></tr>"
        for one in parameters
    )
    return f"<table><tr><th>Parameter</th><th>In</th><th></th><th></th></tr>{rows}</table>" if rows else ""


def _names(heading: str, names: Iterable[str]) -> str:
    shown = ", ".join(f"<code>{escape(name)}</code>" for name in names)
    return f"<p>{heading}: {shown}</p>" if shown else ""


def _contents(heading: str, content: Mapping[str, Any]) -> str:
    examples = "".join(
        f"<pre>{escape(json.dumps(one['example'], indent=2, ensure_ascii=False))}</pre>"
        for one in content.values()
        if "example" in one
    )
    return f"<p>{escape(heading)}</p>{examples}"
