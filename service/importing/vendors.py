"""Rows with names: the columns of CSV files and the keys of JSON objects, as the vendors call them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache

from service.importing import text
from service.importing.draft import Draft, Note
from service.importing.fields import is_ipv6, parse_expiry, parse_host, parse_port, parse_protocol
from service.importing.outcomes import LineError
from service.models import Protocol

_NAMES = {
    # Where a row has several hosts, the one to connect to comes first: ``ip`` is often the exit behind a gateway.
    "host": "connectip entrypoint proxyaddress proxyhost host hostname server servidor address endereco ip ipaddress"
    " proxyip endpoint proxy proxyurl url ipport hostport",
    "port": "port proxyport porta",
    "http_port": "httpport porthttp",
    "socks_port": "socks5port portsocks5 socksport portsocks",
    "protocol": "protocol scheme proxyprotocol protocols protocolo",
    "type": "type proxytype tipo",
    "username": "username user login proxyusername proxyuser usuario",
    "password": "password pass proxypassword proxypass pwd senha",
    "group": "group grupo",
    "expires": "expires expiresat validuntil expiry expirydate expiration expirationdate dateend validade vencimento",
    "label": "label etiqueta",
    "tags": "tags labels etiquetas",
    "country": "cc countrycode country pais",
    "city": "cityname city cidade",
    "asn": "asn",
    "isp": "isp operadora",
    "provider": "provider vendor provedor fornecedor",
    "plan": "plan plano",
    "name": "name nome",
    "note": "note notes nota observacao",
}
"""Field → its names without case, accents and punctuation, the preferred one first."""

_FIELDS = {name: (field, rank) for field, names in _NAMES.items() for rank, name in enumerate(names.split())}
_PREFIXED = ("country", "city", "asn", "isp", "provider", "plan", "name", "note")
_NESTED = frozenset({"authentication", "auth", "connection", "credentials", "endpoint", "proxy"})

_SOCKS_PORT_IGNORED = Note("port_ignored", "the row names an http and a socks5 port: taken as one http proxy")
_HTTP_PORT_IGNORED = Note("port_ignored", "the row says socks5 and also names another port, which was ignored")


@lru_cache(maxsize=1024)
def known_field(name: str) -> tuple[str, int] | None:
    """The field that a column or key stands for and its rank among that field's names; None for an unknown name."""
    plain = unicodedata.normalize("NFKD", name).lower()
    return _FIELDS.get(re.sub(r"[^a-z0-9]", "", plain))


def read(pairs: Iterable[tuple[str, object]]) -> list[Draft]:
    """The equally likely readings of one row of (name, value) pairs; unknown names are passed over.

    ``group`` comes from a group column only; country, city, provider and the like become labels such as
    ``country:BR``. The host may itself be a whole line of :mod:`service.importing.text`. Credentials are literal
    unless they stand in such a line. Raises ``LineError``.
    """
    row = _pick(pairs)
    address = _word(row, "host")
    if not address:
        raise LineError("host", "the host is missing")
    notes: list[Note] = []
    labels = _labels(row)
    protocol, port = _listener(row, labels, notes)
    if is_ipv6(address) or not re.search(r"[:@\s]", address) or address.endswith("]"):
        drafts = [Draft(parse_host(address), parse_port(port))]
    else:
        has_port = re.search(r":[0-9]+(?:[/#@:\s]|$)", address)
        drafts = text.read(address if has_port or not port else f"{address.rstrip('/')}:{port}")
    if not drafts:
        raise LineError("host", "the host is a comment")
    for draft in drafts:
        draft.protocol = draft.protocol or protocol
        if not (draft.username or draft.password):
            draft.username = _scalar(row, "username")
            draft.password = _scalar(row, "password")
        draft.group = _word(row, "group")
        draft.labels += labels
        draft.expires_at = parse_expiry(row.get("expires", ""))
        draft.notes += notes
    return drafts


def _pick(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    picked: dict[str, object] = {}
    ranks: dict[str, int] = {}
    nested: list[tuple[str, object]] = []
    for name, value in pairs:
        if isinstance(value, dict):
            nested += value.items() if name.lower() in _NESTED else ()
        elif value is not None and value != "" and (known := known_field(name)):
            field, rank = known
            if rank < ranks.get(field, len(_FIELDS)):
                picked[field], ranks[field] = value, rank
    return _pick(nested) | picked if nested else picked


def _listener(row: dict[str, object], labels: list[str], notes: list[Note]) -> tuple[Protocol | None, str]:
    """Protocol and port. A row that names an http and a socks5 port is one http proxy, unless it says socks5."""
    protocol = _protocol(row, labels)
    port, http_port, socks_port = (_port(row, name) for name in ("port", "http_port", "socks_port"))
    other_port = http_port or port
    if socks_port and (protocol is Protocol.SOCKS5 or not other_port):
        if other_port and other_port != socks_port:
            notes.append(_HTTP_PORT_IGNORED)
        return protocol or Protocol.SOCKS5, socks_port
    if socks_port:
        notes.append(_SOCKS_PORT_IGNORED)
        protocol = protocol or Protocol.HTTP
    return protocol or (Protocol.HTTP if http_port else None), other_port


def _protocol(row: dict[str, object], labels: list[str]) -> Protocol | None:
    if named := _joined(row, "protocol"):
        return parse_protocol(named)
    if named := _joined(row, "type"):
        try:
            return parse_protocol(named)
        except LineError:  # "type" is also what vendors call residential, mobile, ipv4 ...
            labels.append(f"type:{named}")
    return None


def _labels(row: dict[str, object]) -> list[str]:
    labels = [label for name in ("label", "tags") for label in _separate(row.get(name))]
    for name in _PREFIXED:
        if value := _plain(row.get(name)):
            labels.append(f"{name}:{value.upper() if name == 'country' and len(value) == 2 else value}")
    return labels


def _separate(value: object) -> list[str]:
    """The labels that ``value`` lists: those of a list, also of one in JSON (so an export writes it into a cell), hold
    what they hold; in other text commas, semicolons and pipes are between them."""
    if isinstance(value, str) and value.startswith('["'):
        with suppress(ValueError):
            value = json.loads(value)
    return [_plain(item) for item in value] if isinstance(value, list) else re.split(r"[,;|]", _plain(value))


def _plain(value: object) -> str:
    """``value`` as a label; what can't be one is no reason to lose a proxy."""
    if isinstance(value, list):
        return ",".join(_plain(item) for item in value)
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _port(row: dict[str, object], name: str) -> str:
    port = _word(row, name)
    return "" if port == "0" else port


def _word(row: dict[str, object], name: str) -> str:
    return _scalar(row, name).strip()


def _joined(row: dict[str, object], name: str) -> str:
    value = row.get(name, "")
    return ",".join(str(item) for item in value) if isinstance(value, list) else _word(row, name)


def _scalar(row: dict[str, object], name: str) -> str:
    value = row.get(name, "")
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise LineError("type", f"{name.replace('_', ' ')} is neither text nor a whole number")
