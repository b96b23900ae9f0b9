"""What a recount reports: every check has its sentence, all findings are counted, not all are kept."""

from domain import drift
from domain.drift import Check, Finding, Report, differing


def test_every_check_has_a_sentence_of_its_own():
    sentences = [check.sentence for check in Check]
    assert all(sentences)
    assert len(set(sentences)) == len(Check)


def test_only_numbers_that_differ_are_told_and_both_of_them():
    assert differing({"used": 3, "queued": 1, "capacity": 9}, {"used": 4, "queued": 1}) == {
        "used": {"stored": 3, "counted": 4}
    }


def test_all_findings_are_counted_and_the_first_of_each_check_are_kept(monkeypatch):
    monkeypatch.setattr(drift, "KEPT_FINDINGS", 2)
    report = Report("acme")
    report.add(Finding(Check.STRAY_SOURCE, f"entitlements/{n}", {}) for n in range(5))
    report.add([Finding(Check.GROUP_COUNTS, "groups/a", {})])
    assert report.drift == 6
    assert [finding.subject for finding in report.findings] == ["entitlements/0", "entitlements/1", "groups/a"]
    assert report.document["checks"]["stray_source"] == 5
    assert report.document["checks"]["waiting_list"] == 0
