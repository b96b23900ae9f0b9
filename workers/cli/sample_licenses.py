"""The licences of the tenant `demo`, and to whom they are given: some have seats for all, some run out.

Its one rule: nothing in here talks to anything; `loading.py` sends it through the public API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

JsonObject = Mapping[str, object]

# key, name, capacity (None: no limit), and when it starts or expires
PROGRAMS: tuple[tuple[str, str, int | None, JsonObject], ...] = (
    ("onboarding", "Onboarding", None, {}),
    ("data-protection", "Data Protection", None, {"expires_at": "2031-12-31T23:00:00Z"}),
    ("sql-for-everyone", "SQL for Everyone", 400, {}),
    ("public-speaking", "Public Speaking", 100, {}),
    ("negotiation", "Negotiation", 40, {}),
    ("german-a2", "German A2", 25, {}),
    ("cloud-foundations", "Cloud Foundations", 300, {"starts_at": "2031-01-01T00:00:00Z"}),
    ("fire-safety", "Fire Safety", 50, {"active": False}),
)
# key, name, code, capacity
BUNDLES = (
    ("attended", "Attended automation", "ATTUNU", 500),
    ("automation-developer", "Automation developer", "RPADEVNU", 20),
    ("citizen-developer", "Citizen developer", "CTZDEVNU", 250),
    ("tester", "Tester", "TSTNU", 12),
)
# group, program licence: given with `shortage: waitlist`, in this order
GRANTS = (
    ("course-onboarding", "onboarding"),
    ("course-data-protection", "data-protection"),
    ("course-sql-for-everyone", "sql-for-everyone"),
    ("course-public-speaking", "public-speaking"),  # seats for some of them
    ("team-newcomers-2026", "german-a2"),  # takes every seat
    ("course-german-a2", "german-a2"),  # so that nearly all of these wait
    ("dept-sales", "negotiation"),
    ("dept-marketing", "negotiation"),  # nobody is in two departments: all of these wait
    ("course-cloud-foundations", "cloud-foundations"),  # held, and fulfilled once it starts
)
# group, bundle codes and their quotas
ALLOCATIONS = (
    ("dept-engineering", {"ATTUNU": None, "CTZDEVNU": None}),
    ("dept-operations", {"ATTUNU": None}),
    ("team-release-managers", {"TSTNU": 10}),  # those beyond the quota wait
)
# licence -> people who hold it by themselves
DIRECT = {
    "automation-developer": range(10, 26),
    "sql-for-everyone": range(1, 21),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleLicenses:
    """Licences and direct assignments as the `:batch` calls take them; grants and allocations by keys."""

    licenses: Sequence[JsonObject]
    direct: Sequence[JsonObject]
    grants: Sequence[tuple[str, str]]
    allocations: Sequence[tuple[str, Mapping[str, int | None]]]


def sample_licenses(active: Sequence[str]) -> SampleLicenses:
    """The licences, given to these people among others; two calls are equal."""
    return SampleLicenses(
        licenses=[*map(_program, PROGRAMS), *map(_bundle, BUNDLES)],
        direct=[
            {"op": "assign", "license": key, "user": active[place]}
            for key, places in DIRECT.items()
            for place in places
        ],
        grants=GRANTS,
        allocations=ALLOCATIONS,
    )


def _program(program: tuple[str, str, int | None, JsonObject]) -> JsonObject:
    key, name, capacity, further = program
    return {
        "key": key,
        "name": name,
        "kind": "program",
        "capacity": capacity,
        "program_key": f"{key}-course",
        "program_name": name,
        **further,
    }


def _bundle(bundle: tuple[str, str, str, int]) -> JsonObject:
    key, name, code, capacity = bundle
    return {"key": key, "name": name, "kind": "bundle", "capacity": capacity, "code": code}
