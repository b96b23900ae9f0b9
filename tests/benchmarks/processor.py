"""Processor time by process, and what the machine was busy with besides; rates mean little without the second."""

import resource
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

SUBSCRIBER = "subscriber"
GENERATOR = "load generator"
# Erlang's port mapper answers once and sleeps.
_IDLE = frozenset({"epmd"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Processor seconds used until one moment."""

    at: float
    machine: float
    ours: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What was used between two readings: seconds by process of ours, and cores by everything else."""

    ours: Mapping[str, float]
    others: float


def read(processes: Mapping[str, Iterable[psutil.Process]]) -> Reading:
    """Read all clocks now. This process is the subscriber; its children that have ended were load generators."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    ours = {name: sum(map(_seconds, group)) for name, group in processes.items() if name not in _IDLE}
    ours |= {SUBSCRIBER: time.process_time(), GENERATOR: children.ru_utime + children.ru_stime}
    return Reading(at=time.perf_counter(), machine=sum(times) - idle, ours=ours)


def between(before: Reading, after: Reading) -> Used:
    """What was used between two readings; a process that ended meanwhile counts among the load generators."""
    ours = {name: seconds - before.ours.get(name, 0.0) for name, seconds in after.ours.items()}
    others = (after.machine - before.machine - sum(ours.values())) / (after.at - before.at)
    return Used(ours=ours, others=max(0.0, others))


def _seconds(process: psutil.Process) -> float:
    """Its own time and that of its children that have ended: Postgres' sessions come and go."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
