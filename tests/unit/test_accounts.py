"""Where an unprivileged account can reach, decided from modes alone: no test here needs to be root."""

import os

import pytest

from infra.local import accounts
from infra.local.accounts import Account

SOMEBODY = Account(name="somebody", uid=54_321, gid=54_321)


@pytest.fixture
def owners(monkeypatch):
    """Ownership as it would be set by root: `{path: uid}`."""
    given = {}
    monkeypatch.setattr(os, "chown", lambda path, uid, _gid: given.update({str(path): uid}))
    return given


@pytest.fixture
def open_folder(tmp_path, monkeypatch, owners):
    """A folder that everybody can reach, and a place outside the clone for what they cannot."""
    really = accounts._may_pass
    monkeypatch.setattr(
        accounts, "_may_pass", lambda folder, account: folder in tmp_path.parents or really(folder, account)
    )
    tmp_path.chmod(0o755)
    monkeypatch.setattr(accounts, "OUTSIDE", tmp_path / "outside")
    return tmp_path


def test_a_folder_that_can_be_reached_is_used_where_it_is(open_folder, owners):
    place = accounts.own_directory(open_folder / "postgres", SOMEBODY)
    assert place == open_folder / "postgres"
    assert place.stat().st_mode & 0o777 == 0o700
    assert owners == {str(place): SOMEBODY.uid}


def test_behind_a_private_folder_the_data_lie_outside_and_a_link_leads_to_them(open_folder, owners):
    private = open_folder / "private"
    private.mkdir(mode=0o700)
    place = accounts.own_directory(private / "postgres", SOMEBODY)
    assert place.parent == open_folder / "outside"
    assert (private / "postgres").resolve() == place
    assert private.stat().st_mode & 0o777 == 0o700
    assert accounts.own_directory(private / "postgres", SOMEBODY) == place


def test_what_lies_outside_goes_with_its_link(open_folder, owners):
    private = open_folder / "private"
    private.mkdir(mode=0o700)
    place = accounts.own_directory(private / "postgres", SOMEBODY)
    (place / "data").mkdir()
    accounts.remove_directory(private / "postgres")
    assert not place.exists()
    assert not (private / "postgres").is_symlink()


def test_removing_what_is_not_there_is_no_error(tmp_path):
    accounts.remove_directory(tmp_path / "postgres")


def test_programs_that_cannot_be_reached_are_copied_once_with_their_neighbours(open_folder):
    private = open_folder / "private"
    private.mkdir(mode=0o700)
    programs, libraries = private / "programs", private / "programs.libs"
    for folder in (programs, libraries):
        folder.mkdir()
        (folder / "file").write_text(folder.name)
    copied = accounts.reachable_copy((programs, libraries), SOMEBODY)
    assert (copied / "programs" / "file").read_text() == "programs"
    assert (copied / "programs.libs" / "file").read_text() == "programs.libs"
    assert accounts.reachable_copy((programs, libraries), SOMEBODY) == copied


def test_programs_that_can_be_reached_stay_where_they_are(open_folder):
    (open_folder / "programs").mkdir()
    assert accounts.reachable_copy((open_folder / "programs",), SOMEBODY) is None


def test_who_is_not_root_uses_their_own_folders(tmp_path):
    place = accounts.own_directory(tmp_path / "postgres", None)
    assert place == tmp_path / "postgres"
    assert accounts.reachable_copy((tmp_path,), None) is None


@pytest.mark.parametrize(("mode", "passes"), [(0o755, True), (0o711, True), (0o700, False), (0o750, False)])
def test_passing_through_a_folder_needs_its_execute_bit(tmp_path, mode, passes):
    tmp_path.chmod(mode)
    assert accounts._may_pass(tmp_path, SOMEBODY) is passes
    tmp_path.chmod(0o755)
