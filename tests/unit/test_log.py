"""Log lines: their two forms, and that no secret gets through."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import orjson
import pytest

from service import log


@pytest.fixture(autouse=True)
def _own_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The root logger and the known secrets as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    monkeypatch.setattr(log, "_secrets", set())
    yield
    logging.captureWarnings(False)
    root.handlers, root.level = handlers, level


def lines(log_format: str, **fields: object) -> str:
    stream = io.StringIO()
    log.configure("json" if log_format == "json" else "console", stream=stream)
    logging.getLogger("service.test").info("proxy assigned", extra=fields)
    return stream.getvalue()


def test_json_is_one_object_a_line() -> None:
    entry = orjson.loads(lines("json", instance="sales-1", attempts=2, seen={"a": None}))
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "info",
        "logger": "service.test",
        "message": "proxy assigned",
        "instance": "sales-1",
        "attempts": 2,
        "seen": {"a": None},
    }


def test_console_shows_the_fields_on_one_line() -> None:
    text = lines("console", instance="a\nERROR forged\x1b[31m")
    assert text.count("\n") == 1
    assert text.endswith("INFO    proxy assigned  instance=a\\nERROR forged\\x1b[31m\n")


def test_console_leaves_an_empty_field_out() -> None:
    assert lines("console", reason="", stuck=False, count=0).endswith("INFO    proxy assigned  stuck=False  count=0\n")


def test_values_that_json_does_not_know_are_written_as_text() -> None:
    entry = orjson.loads(lines("json", big=2**70, odd="\ud800", error=ValueError("x"), names={"a"}))
    assert (entry["big"], entry["odd"], entry["error"], entry["names"]) == (str(2**70), "\\ud800", "x", ["a"])


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_known_secret_is_masked_wherever_it_stands(log_format: str) -> None:
    secret = "p@ss/word"
    log.mask(secret)
    stream = io.StringIO()
    log.configure("json" if log_format == "json" else "console", stream=stream)
    try:
        raise ValueError(f"refused {secret}")
    except ValueError:
        logging.getLogger("x").exception(
            f"with {secret}", extra={"deep": [{secret: "p%40ss%2Fword"}], "url": "http://u:p%40ss/word@h"}
        )
    assert "ss/word" not in stream.getvalue()
    assert "ss%2Fword" not in stream.getvalue()
    assert stream.getvalue().count(log.MASK) == 5
    assert "Traceback" in stream.getvalue()


def test_short_values_do_not_blot_out_words() -> None:
    log.mask("proxy")
    assert "proxy assigned" in lines("console")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_the_secret_of_a_webhook_path_is_masked_in_the_access_log(log_format: str) -> None:
    request = "POST /webhooks/evolution/default/hush-hush/connection-update HTTP/1.1"
    text = lines(log_format, first_request_line=request)
    assert "hush-hush" not in text
    assert "/webhooks/evolution/default/***/connection-update HTTP/1.1" in text
