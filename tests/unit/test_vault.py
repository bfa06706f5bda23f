"""Passwords at rest: what each set of keys seals, opens and tells apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pool.vault import PLAIN, Vault, VaultError

OLD, NEW, BOTH, NONE = Vault(["old"]), Vault(["new"]), Vault(["new", "old"]), Vault()
texts = st.text(st.characters(exclude_categories=["C"]), max_size=8)


@given(texts)
def test_what_is_sealed_is_opened_by_all_who_have_its_key(password: str) -> None:
    for sealing, opening in ((NONE, OLD), (OLD, BOTH), (NEW, BOTH), (BOTH, NEW), (NONE, NONE)):
        assert opening.open(sealing.seal(password)) == password


@pytest.mark.parametrize(("sealing", "opening"), [(OLD, NEW), (BOTH, OLD), (OLD, NONE)])
def test_without_its_key_it_is_an_error_and_never_garbage(sealing: Vault, opening: Vault) -> None:
    with pytest.raises(VaultError):
        opening.open(sealing.seal("p"))


def test_a_sealed_password_is_not_legible() -> None:
    assert NONE.seal("secret") == "plain:secret"
    assert "secret" not in OLD.seal("secret")
    assert OLD.seal("") == ""


def test_a_changed_ciphertext_is_an_error() -> None:
    sealed = OLD.seal("p")
    for place in (10, len(sealed) // 2, len(sealed) - 10):
        letter = "A" if sealed[place] != "A" else "B"
        with pytest.raises(VaultError):
            OLD.open(sealed[:place] + letter + sealed[place + 1 :])
    with pytest.raises(VaultError):
        OLD.open("p")


@given(texts, texts)
def test_a_fingerprint_tells_passwords_apart_under_any_key(password: str, other: str) -> None:
    for vault in (NONE, OLD):
        assert vault.fingerprint(password) in BOTH.fingerprints(password).split()
        assert (vault.fingerprint(password) in BOTH.fingerprints(other).split()) == (password == other)
    assert BOTH.fingerprints(password).split()[0] == BOTH.fingerprint(password) == NEW.fingerprint(password)
    assert len({vault.fingerprint(password) for vault in (OLD, NEW, NONE)}) == 3


def test_what_has_to_be_sealed_anew() -> None:
    for vault, password in ((OLD, "p"), (OLD, ""), (NONE, "p"), (NONE, "")):
        assert not BOTH.is_current(vault.seal(password), vault.fingerprint(password)), (vault.key_id, password)
        assert BOTH.is_current(BOTH.seal(password), BOTH.fingerprint(password))
        assert not BOTH.is_current(OLD.seal("p"), BOTH.fingerprint("p"))
        assert not BOTH.is_current(BOTH.seal("p"), OLD.fingerprint("p"))
    with pytest.raises(VaultError):
        NEW.is_current(OLD.seal("p"), OLD.fingerprint("p"))


def test_ids_name_keys_and_tell_nothing_of_them() -> None:
    assert (NONE.key_id, NONE.known) == (PLAIN, (PLAIN,))
    assert BOTH.known == (NEW.key_id, OLD.key_id, PLAIN)
    assert len(OLD.key_id) == 16
    assert OLD.key_id not in OLD.seal("p")
