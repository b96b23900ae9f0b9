"""What a recount can find: stored counts and rows that contradict each other.

One rule: a check names one sentence that is true of every tenant between two passes; whatever breaks it is drift.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import NamedTuple

from domain.errors import JSON

KEPT_FINDINGS = 1_000
"""How many findings of each check a report keeps; all are counted."""


@unique
class Check(StrEnum):
    """The sentences, each by what breaks it."""

    GROUP_COUNTS = "group_counts"
    GROUP_MEMBERS = "group_members"
    STRAY_ASSIGNMENT = "stray_assignment"
    MEMBER_WITHOUT_SOURCE = "member_without_source"
    ENTITLEMENT_WITHOUT_SOURCE = "entitlement_without_source"
    ENTITLEMENT_STATE = "entitlement_state"
    STRAY_ENTITLEMENT = "stray_entitlement"
    STRAY_SOURCE = "stray_source"
    STRAY_GRANT = "stray_group_license"
    GRANT_COUNTS = "group_license_counts"
    GRANT_QUOTA = "group_license_quota"
    POOL_COUNTS = "license_counts"
    POOL_OVERSOLD = "license_oversold"
    WAITING_LIST = "waiting_list"
    MISSED_DATE = "missed_date"
    ERROR_COUNTS = "error_counts"

    @property
    def sentence(self) -> str:
        """What should be so and is not."""
        return _SENTENCES[self]


_SENTENCES: Mapping[Check, str] = {
    Check.GROUP_COUNTS: "a group counts its people and its assignments",
    Check.GROUP_MEMBERS: "a person is a member of a group exactly where they have a role in it",
    Check.STRAY_ASSIGNMENT: "an assignment has its group, its role, and a person who is active",
    Check.MEMBER_WITHOUT_SOURCE: "every member of a group has what is granted to the group",
    Check.ENTITLEMENT_WITHOUT_SOURCE: "an entitlement lives as long as its last source",
    Check.ENTITLEMENT_STATE: "an entitlement's state is what its sources and its person make of it",
    Check.STRAY_ENTITLEMENT: "an entitlement has its licence and its person",
    Check.STRAY_SOURCE: "a source has its entitlement, its grant, and a member of the group",
    Check.STRAY_GRANT: "a grant has its licence and its group",
    Check.GRANT_COUNTS: "a grant counts its members by the states of their entitlements",
    Check.GRANT_QUOTA: "a quota is used up before anybody waits for it, and never exceeded",
    Check.POOL_COUNTS: "a licence counts its entitlements, and what running grants hold back",
    Check.POOL_OVERSOLD: "a licence gives no more seats than it has",
    Check.WAITING_LIST: "nobody waits for a licence that has free seats",
    Check.MISSED_DATE: "the dates of a licence are on record until they come, and are acted on when they have",
    Check.ERROR_COUNTS: "an error counts the dead letters that have it",
}


class Finding(NamedTuple):
    """One contradiction: `subject` is a path within the tenant; the ids are what a repair has to look at again."""

    check: Check
    subject: str
    details: Mapping[str, JSON]
    group_id: int | None = None
    grant_id: int | None = None
    license_id: int | None = None
    entitlement_id: int | None = None
    error: str | None = None

    @property
    def document(self) -> dict[str, JSON]:
        """As it stands in reports and log lines."""
        return {"check": self.check.value, "subject": self.subject, **self.details}


@dataclass(slots=True)
class Report:
    """What the recount of one tenant has found; of each check some findings are kept, and all are counted."""

    tenant: str
    rows: int = 0
    seconds: float = 0.0
    repaired: int = 0
    found: Counter[Check] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, findings: Iterable[Finding]) -> None:
        """Take in what a slice has found."""
        for finding in findings:
            if self.found[finding.check] < KEPT_FINDINGS:
                self.findings.append(finding)
            self.found[finding.check] += 1

    @property
    def drift(self) -> int:
        """How many contradictions there are; zero is the only good number."""
        return self.found.total()

    @property
    def document(self) -> dict[str, JSON]:
        """As `seatline verify --json` prints it."""
        return {
            "tenant": self.tenant,
            "drift": self.drift,
            "repaired": self.repaired,
            "rows": self.rows,
            "seconds": round(self.seconds, 3),
            "checks": {check.value: self.found[check] for check in Check},
            "findings": [finding.document for finding in self.findings],
        }


def differing(stored: Mapping[str, int], counted: Mapping[str, int]) -> dict[str, JSON]:
    """What both name and say differently, with both numbers."""
    return {
        name: {"stored": stored[name], "counted": number}
        for name, number in counted.items()
        if name in stored and stored[name] != number
    }
