"""Reasons that the pool keeps as codes, in the words of both languages."""

from __future__ import annotations

import pytest

from service import messages


@pytest.mark.parametrize(
    ("kept", "portuguese", "english"),
    [
        (
            "missing leased=40 missing=31 closed=2",
            "das 40 instâncias com proxy, 31 faltam na lista e 2 aparecem fechadas sem motivo",
            "of 40 leased instances 31 are missing and 2 are closed without a reason",
        ),
        (
            "server_error error=evolution_unauthorized",
            "a leitura do servidor falhou: A Evolution API recusou a chave",
            "reading the server failed: The Evolution API refused the key",
        ),
        (
            "failed_sets count=5",
            "5 configurações de proxy falharam seguidas",
            "5 settings of a proxy failed in a row",
        ),
        ("by_hand", "por decisão de uma pessoa", "a human decided so"),
    ],
)
def test_a_code_with_its_values(kept: str, portuguese: str, english: str) -> None:
    assert (messages.why(kept, "pt-BR"), messages.why(kept, "en")) == (portuguese, english)


@pytest.mark.parametrize("kept", ["", "the list is shrunken", "unknown_code a=1", "missing", "missing leased"])
def test_what_has_another_shape_is_shown_and_breaks_nothing(kept: str) -> None:
    assert isinstance(messages.why(kept), str)
    if not kept.startswith("missing"):
        assert messages.why(kept) == kept
