"""Instants, addresses, records and the words of errors: values without a network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

import ado_assets.ado as ado
from ado_assets.ado import AdoError, Endpoint, Hosts, NotFound, PersonalAccessToken, UnexpectedAnswer, split, timestamps
from ado_assets.ado.endpoint import url_of
from ado_assets.ado.errors import without_secrets

HOSTS = Hosts("https://dev.azure.com/", "https://vssps.dev.azure.com", "https://vsrm.dev.azure.com")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.1Z", datetime(2026, 1, 2, 3, 4, 5, 100000, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123Z", datetime(2026, 1, 2, 3, 4, 5, 123000, tzinfo=UTC)),
        ("2026-01-02T03:04:05.1234567Z", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05+05:30", datetime(2026, 1, 1, 21, 34, 5, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("9999-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59.9999999-08:00", None),
        ("", None),
        (None, None),
    ],
)
def test_parse(text: str | None, expected: datetime | None) -> None:
    """Every form of an instant is read, and the two that mean "none" are None."""
    assert expected == timestamps.parse(text)


@pytest.mark.parametrize("digits", range(8))
def test_parse_any_number_of_digits(digits: int) -> None:
    """0 to 7 fractional digits are read; the seventh is dropped, not rounded."""
    fraction = f".{'9999999'[:digits]}" if digits else ""
    expected = datetime(2026, 1, 2, 3, 4, 5, int("999999"[:digits].ljust(6, "0")), tzinfo=UTC)

    assert expected == timestamps.parse(f"2026-01-02T03:04:05{fraction}Z")


def test_parse_refuses_what_is_no_instant() -> None:
    """A text that is no instant is not taken for "none"."""
    with pytest.raises(ValueError, match="yesterday"):
        timestamps.parse("yesterday")


def test_format() -> None:
    """An instant is written in UTC with Z; what was parsed is written back the same."""
    east = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))

    assert timestamps.format(east) == "2026-01-02T01:04:05Z"
    assert timestamps.format(east.replace(microsecond=120000)) == "2026-01-02T01:04:05.120000Z"
    with pytest.raises(ValueError, match="without a time zone"):
        timestamps.format(datetime(2026, 1, 2))


def test_floor_seconds() -> None:
    """A window's start is rounded down, never up."""
    assert datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC) == timestamps.floor_seconds(
        datetime(2026, 1, 2, 3, 4, 5, 999999, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon, 02 Mar 2026 09:00:00 GMT", datetime(2026, 3, 2, 9, tzinfo=UTC)),
        ("Mon, 02 Mar 2026 09:00:00 +0200", datetime(2026, 3, 2, 7, tzinfo=UTC)),
        ("120", None),
        ("soon", None),
        (None, None),
    ],
)
def test_http_date(text: str | None, expected: datetime | None) -> None:
    """HTTP dates are read as UTC; anything else is no date."""
    assert expected == timestamps.parse_http_date(text)


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("core", "https://dev.azure.com"),
        ("graph", "https://vssps.dev.azure.com"),
        ("release", "https://vsrm.dev.azure.com"),
    ],
)
def test_address_of_each_host(host: ado.endpoint.Host, base: str) -> None:
    """An operation is asked for on its own host."""
    endpoint = Endpoint("_apis/x", host=host, api_version="7.1-preview.1")

    assert f"{base}/my%20org/_apis/x?api-version=7.1-preview.1" == url_of(HOSTS, "my org", endpoint, {}, {})


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_value_that_would_change_the_path_is_refused(value: str) -> None:
    """A value that would move the call to another address is refused."""
    with pytest.raises(ValueError, match="cannot be the segment project_id"):
        url_of(HOSTS, "org", Endpoint("{project_id}/_apis/x"), {"project_id": value}, {})


def test_missing_value_is_named() -> None:
    """A path that lacks a value says which."""
    with pytest.raises(ValueError, match="needs a value for project_id; given: team_id"):
        url_of(HOSTS, "org", Endpoint("{project_id}/_apis/x"), {"team_id": 1}, {})


def test_host_must_be_an_address() -> None:
    """A host without a scheme is refused by name."""
    with pytest.raises(ValueError, match="graph host must start with https"):
        Hosts("https://dev.azure.com", "vssps.dev.azure.com", "https://vsrm.dev.azure.com")


def test_split_keeps_the_bytes() -> None:
    """Each record's bytes are exactly those received: spacing, escapes and large numbers included."""
    body = b'{"count": 3, "value": [ {"a":  1e400, "b": 12345678901234567890123} ,"\\u00e9", null ], "x": [1]}'

    assert split(body, "value") == [b'{"a":  1e400, "b": 12345678901234567890123}', b'"\\u00e9"', b"null"]


@pytest.mark.parametrize("body", [b'{"count": 1}', b'{"value": {}}', b"[]", b'{"value": [1'])
def test_split_refuses_another_shape(body: bytes) -> None:
    """A body without the list is an error, not an empty list."""
    with pytest.raises(UnexpectedAnswer, match="value"):
        split(body, "value")


def test_error_says_what_where_and_what_to_do() -> None:
    """An error's text holds what happened, for whom, the service's words and the next step."""
    error = NotFound(
        "nothing was found",
        organization="acme",
        connector="pipelines",
        project="p1",
        method="GET",
        url="https://me:secret@dev.azure.com/acme/_apis/x?$top=1&sig=secret&continuationToken=t1",
        status=404,
        type_key="ProjectDoesNotExistException",
        service_message="TF200016: no such project",
        activity_id="42",
    )
    error.add_context(stream="builds", project="another")

    assert str(error) == (
        "nothing was found (HTTP 404) at GET https://dev.azure.com/acme/_apis/x?$top=1&sig=***&continuationToken=t1 "
        "[organization acme, project p1, stream builds, connector pipelines]. "
        'The service says: "TF200016: no such project". (typeKey ProjectDoesNotExistException, ActivityId 42) '
        "Check the names, and that the token's owner may read this resource; it may also have been deleted."
    )


def test_secrets_in_addresses_are_hidden() -> None:
    """Values of parameters that may be secrets are hidden, others stay."""
    assert without_secrets("https://u:p@h/a?access_token=abc&x=1&pat=def") == "https://h/a?access_token=***&x=1&pat=***"


def test_every_error_has_advice_and_a_word_for_the_connection_check() -> None:
    """No error leaves the reader without a next step."""
    for name in ado.__all__:
        error = getattr(ado, name)
        if isinstance(error, type) and issubclass(error, AdoError):
            assert error.advice
            assert error.__doc__
            assert error.kind in ado.Kind.__args__


def test_token_is_hidden() -> None:
    """A credential never shows its secret, and an empty one is refused by name."""
    assert repr(PersonalAccessToken("ADO_REPOS_PAT", "secret")) == "PersonalAccessToken(name='ADO_REPOS_PAT')"
    with pytest.raises(ValueError, match="ADO_REPOS_PAT is empty"):
        PersonalAccessToken("ADO_REPOS_PAT", "  ")


def test_public_names() -> None:
    """Every name that the package promises exists, and the list is kept in order."""
    assert all(hasattr(ado, name) for name in ado.__all__)
    assert sorted(ado.__all__, key=lambda name: (name[0].islower(), name)) == ado.__all__
