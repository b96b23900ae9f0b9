"""The figures of a run, in the order in which they are printed."""

from tests.chaos.book import Fate, Stall
from tests.chaos.checks import Findings
from tests.chaos.evidence import Evidence
from tests.chaos.runner import Runner
from tests.chaos.scene import Scene


def of(scene: Scene, found: Evidence, findings: Findings, runner: Runner) -> dict[str, int | float | str]:
    """Everything that a run counts."""
    book, seen = scene.load.book, scene.subscriber.tenants.values()
    stall = max(book.stalls.values(), key=lambda one: one.longest, default=None)
    recoveries = [one.recovered for one in runner.struck if one.recovered is not None]
    return {
        "calls": len(book.calls),
        **{f"  {dialect}": count for dialect, count in sorted(book.dialects.items())},
        "attempted": book.attempts,
        "ok": book.fates[Fate.OK],
        "refused": book.fates[Fate.REFUSED],
        "unknown, then known": book.fates[Fate.UNKNOWN],
        "never known": len(book.open),
        "accepted": sum(1 for _ in book.accepted()),
        "applied": sum(row["status"] not in {"queued", "running", "failed"} for row in found.operations),
        "failed (injected poison)": sum(row["status"] == "failed" for row in found.operations),
        "lost": len(findings.lost),
        "duplicated effects": len(findings.duplicated),
        "oversold": len(findings.oversold),
        "events written": sum(found.numbered.values()),
        "events published": sum(row["last_sequence"] - row["first_sequence"] + 1
                                for row in found.outbox if row["is_published"]),
        "events seen": sum(one.events for one in seen),
        "events seen again": sum(one.repeated for one in seen),
        "events out of order": sum(one.out_of_order for one in seen),
        "processes started again": scene.fleet.restarts,
        "longest stall of a tenant": "none" if stall is None else _told(stall, runner),
        "longest recovery": max(recoveries, default=0.0),
        "other violations": len(findings.others),
    }  # fmt: skip


def _told(stall: Stall, runner: Runner) -> str:
    """How long, of whom, and which fault was on when it began."""
    at = stall.at - runner.began
    faults = [one.name for one in runner.struck if one.began <= at < one.began + one.lasted + (one.recovered or 0.0)]
    return f"{stall.longest:.1f} s ({stall.tenant}, from {at:.0f} s, {' and '.join(faults) or 'between faults'})"
