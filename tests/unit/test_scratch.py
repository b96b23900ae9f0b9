"""Folders of a test run: in memory where there is room, found and removed whoever left them."""

import os
import subprocess

from infra.local import scratch


def ended_pid():
    with subprocess.Popen(["true"]) as process:
        return process.pid


def test_a_folder_is_in_memory_only_where_there_is_room(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch, "MEMORY", tmp_path / "memory")
    scratch.MEMORY.mkdir()
    monkeypatch.setattr(scratch, "free_memory", lambda: 100)
    scratch.make(tmp_path / "small", room=100)
    scratch.make(tmp_path / "large", room=101)
    assert (tmp_path / "small").resolve().parent == scratch.MEMORY
    assert not (tmp_path / "large").is_symlink()
    for name in ("small", "large"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o755
        scratch.remove(tmp_path / name)
        assert not (tmp_path / name).exists()
    assert list(scratch.MEMORY.iterdir()) == []


def test_without_a_place_in_memory_there_is_no_room(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch, "MEMORY", tmp_path / "nowhere")
    assert scratch.free_memory() == 0


def test_what_a_killed_run_left_is_removed_and_what_others_use_is_not(tmp_path):
    gone, here = ended_pid(), os.getpid()
    for name in (f"test-{gone}", f"servers-{gone}-a", f"test-{here}", f"servers-{here}-a", "test-notes"):
        scratch.make(tmp_path / name)
        (tmp_path / name / "file").touch()
    left = (tmp_path / f"servers-{gone}-a").resolve()
    scratch.sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"test-{here}", f"servers-{here}-a", "test-notes"}
    assert not left.exists()
    for path in list(tmp_path.iterdir()):
        scratch.remove(path)
