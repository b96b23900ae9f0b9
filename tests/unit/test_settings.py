import os

import pytest

from infra.settings import PREFIX, Settings, SettingsError, load, mask

DATABASE = "postgresql://seatline:hunter2@db:5432/seatline"


@pytest.fixture(autouse=True)
def only_these_variables(monkeypatch):
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SEATLINE_DATABASE_URL", DATABASE)


def test_only_the_database_is_required():
    settings = load()
    assert settings.database_url.get_secret_value() == DATABASE
    assert settings.amqp_url is None


def test_a_missing_database_is_named(monkeypatch):
    monkeypatch.delenv("SEATLINE_DATABASE_URL")
    with pytest.raises(SettingsError, match="SEATLINE_DATABASE_URL"):
        load()


def test_an_empty_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("SEATLINE_AMQP_URL", "")
    assert load().amqp_url is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SEATLINE_DATABASE_URL", "mysql://db/x"),
        ("SEATLINE_DATABASE_URL", "postgresql:///seatline"),
        ("SEATLINE_AMQP_URL", "http://broker"),
        ("SEATLINE_AMQP_URL", "amqp:///?host=/run/broker"),
        ("SEATLINE_MANAGEMENT_URL", "amqp://broker"),
        ("SEATLINE_TRACES_ENDPOINT", "collector:4317"),
        ("SEATLINE_TRACES_RATIO", "1.5"),
        ("SEATLINE_API_PORT", "70000"),
        ("SEATLINE_WAIT_SECONDS", "61"),
        ("SEATLINE_IDEMPOTENCY_HOURS", "23"),
        ("SEATLINE_BAD_CREDENTIALS_PER_MINUTE", "19"),
        ("SEATLINE_LOG_FORMAT", "xml"),
        ("SEATLINE_NAME_PREFIX", "Not A Prefix"),
    ],
)
def test_a_wrong_value_is_refused_with_its_variable_and_without_the_value(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refusal:
        load()
    assert variable in str(refusal.value)
    assert value not in str(refusal.value)


def test_a_failpoint_is_refused_unless_failpoints_are_allowed(monkeypatch):
    monkeypatch.setenv("SEATLINE_FAILPOINT", "pass-before-ack:3")
    with pytest.raises(SettingsError, match="SEATLINE_ALLOW_FAILPOINTS"):
        load()
    monkeypatch.setenv("SEATLINE_ALLOW_FAILPOINTS", "yes")
    assert load().failpoint == "pass-before-ack:3"


@pytest.mark.parametrize("text", ["pass-before-ack", "pass-before-ack:0", "pass-before-ack:x", "somewhere:1"])
def test_a_failpoint_names_a_point_and_a_number(monkeypatch, text):
    monkeypatch.setenv("SEATLINE_ALLOW_FAILPOINTS", "yes")
    monkeypatch.setenv("SEATLINE_FAILPOINT", text)
    with pytest.raises(SettingsError, match="SEATLINE_FAILPOINT: must be NAME:K"):
        load()


def test_keys_for_jwts_need_issuer_and_audience(monkeypatch):
    monkeypatch.setenv("SEATLINE_JWT_JWKS", "/etc/jwks.json")
    with pytest.raises(SettingsError, match="SEATLINE_JWT_ISSUER"):
        load()


@pytest.mark.parametrize("limit", ["0", "20", "600"])
def test_the_limit_on_bad_credentials_is_off_or_bearable(monkeypatch, limit):
    monkeypatch.setenv("SEATLINE_BAD_CREDENTIALS_PER_MINUTE", limit)
    assert load().bad_credentials_per_minute == int(limit)


def test_hosts_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("SEATLINE_REDIRECT_HOSTS", "learn.example, Shop.Example,")
    assert load().redirect_hosts == ("learn.example", "shop.example")


def test_the_masked_form_names_every_variable_and_no_password(monkeypatch):
    monkeypatch.setenv("SEATLINE_AMQP_URL", "amqp://seatline:hunter2@broker/%2F")
    masked = load().masked()
    assert list(masked) == [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    assert "hunter2" not in str(masked)
    assert masked["SEATLINE_AMQP_URL"] == "amqp://seatline:***@broker/%2F"


def test_postgres_may_be_behind_a_unix_socket(monkeypatch):
    url = "postgresql://seatline:hunter2@/seatline?host=/run/postgresql&port=5433"
    monkeypatch.setenv("SEATLINE_DATABASE_URL", url)
    assert load().database_url.get_secret_value() == url
    assert load().masked()["SEATLINE_DATABASE_URL"] == url.replace("hunter2", "***")


def test_no_password_appears_when_settings_are_printed():
    assert "hunter2" not in repr(load())


def test_a_url_without_a_password_is_shown_as_it_is():
    assert mask("http://broker:15672") == "http://broker:15672"


def test_every_setting_is_described():
    for name, setting in Settings.model_fields.items():
        assert setting.description, name


@pytest.mark.parametrize(("text", "hour"), [("0", 0), ("23", 23), ("off", None), ("OFF", None)])
def test_the_hour_of_the_recount_is_an_hour_or_off(monkeypatch, text, hour):
    monkeypatch.setenv("SEATLINE_VERIFY_HOUR", text)
    assert load().verify_hour == hour


@pytest.mark.parametrize("text", ["24", "-1", "never"])
def test_what_is_no_hour_is_refused(monkeypatch, text):
    monkeypatch.setenv("SEATLINE_VERIFY_HOUR", text)
    with pytest.raises(SettingsError, match="SEATLINE_VERIFY_HOUR"):
        load()
