"""The table of docs/operations.md that names every metric, made from the metrics themselves.

`python -m tests.support.metric_table` prints it.
"""

from infra.measures import Counter, Measures
from infra.measures.process import AnyInstrument


def shown_name(instrument: AnyInstrument) -> str:
    """The name as queries use it; of a histogram without its endings."""
    return f"{instrument.name}_total" if isinstance(instrument, Counter) else instrument.name


def kinds() -> dict[str, set[str]]:
    """Metric -> the kinds of process that show it."""
    found: dict[str, set[str]] = {}
    for kind in ("api", "worker"):
        for instrument in Measures(kind).instruments:
            found.setdefault(shown_name(instrument), set()).add(kind)
    return found


def table() -> str:
    """Markdown, without a line feed at its end."""
    where = kinds()
    lines = ["| metric | type | labels | of | what it is |", "|---|---|---|---|---|"]
    for instrument in Measures().instruments:
        kind = type(instrument).__name__.lower()
        labels = ", ".join(f"`{label}`" for label in instrument.labels)
        of = "both" if len(where[shown_name(instrument)]) > 1 else next(iter(where[shown_name(instrument)]))
        name = f"`{shown_name(instrument)}`"
        lines.append(f"| {name} | {kind} | {labels} | {of} | {instrument.text} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())  # noqa: T201
