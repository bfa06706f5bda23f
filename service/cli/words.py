"""What the command line says, in pt-BR and English; refusals in the words of :mod:`service.messages`."""

from __future__ import annotations

from collections.abc import Mapping

from service import messages
from service.errors import EvoproxyError, SettingsError
from service.messages import Locale

_TEXTS: Mapping[str, tuple[str, str]] = {
    "no_running_redis": (
        "Nenhum Redis em execução em {data_dir}: inicie o evoproxy serve ou defina REDIS_URL",
        "No Redis runs in {data_dir}: start evoproxy serve, or set REDIS_URL",
    ),
    "ambiguous_instance": (
        "A instância {instance} existe em vários servidores: {server}; informe --server",
        "Instance {instance} exists on several servers: {server}; name one with --server",
    ),
    "unknown_server": (
        "Servidor desconhecido: {server}; configurados: {servers}",
        "Unknown server {server}; configured are: {servers}",
    ),
    "no_file": ("{file}: o arquivo não existe", "{file}: no such file"),
    "is_directory": ("{file}: é um diretório, não um arquivo", "{file}: is a directory, not a file"),
    "unreadable_file": ("{file}: não pode ser lido: {reason}", "{file}: can't be read: {reason}"),
    "large_file": (
        "{file}: maior que {limit} MB; divida-o em arquivos menores",
        "{file}: larger than {limit} MB; split it into smaller files",
    ),
    "wrong_encryption_key": ("{reason}", "{reason}"),
    "no_proxy_in_file": ("{file}: nenhum proxy no arquivo", "{file}: holds no proxy"),
    "rejected": ("linha {line} recusada: {reason}", "line {line} rejected: {reason}"),
    "more_rejected": ("… e mais {count} linhas recusadas", "… and {count} more lines rejected"),
    "warned": ("linha {line}, aviso: {reason}", "line {line}, warning: {reason}"),
    "more_warned": ("… e mais {count} avisos", "… and {count} more warnings"),
    "dry_run": ("simulação: nada foi alterado", "dry run: nothing was changed"),
    "checked": (
        "{looked} registros verificados, {broken} com promessa quebrada",
        "{looked} records checked, {broken} with a broken promise",
    ),
    "released": ("{instance}: proxy devolvido", "{instance}: its proxy was given back"),
    "demo": (
        "\n  Endereço: {url}\n  Token:    {token}\n\n  Ctrl-C encerra tudo.\n",
        "\n  Address: {url}\n  Token:   {token}\n\n  Ctrl-C ends all of it.\n",
    ),
    "token_once": ("Guarde-o agora: ele não será mostrado de novo", "Keep it now: it is not shown again"),
    "revoked": ("token {name} revogado", "token {name} revoked"),
}


def text(code: str, locale: Locale, **params: object) -> str:
    """The sentence of ``code`` with its placeholders filled."""
    portuguese, english = _TEXTS[code]
    return (portuguese if locale == "pt-BR" else english).format_map(params)


def lines(error: EvoproxyError, locale: Locale) -> list[str]:
    """What is told of an error: one line, for settings one a mistake. Names what the sentence leaves out."""
    if isinstance(error, SettingsError):
        return list(error.params["problems"])
    if error.code in _TEXTS:
        return [text(error.code, locale, **error.params)]
    params = dict(error.params)
    blank = messages.text(error.code, locale)

    def says(name: str, value: object) -> bool:
        return messages.text(error.code, locale, **{name: value}) != blank

    if details := params.pop("details", ()):
        # What followed the script's word; where a sentence has a place for a server, it is the server.
        params.update({"server": details[0]} if says("server", details[0]) else {"details": " ".join(details)})
    left = [f"{name}: {value}" for name, value in params.items() if value and not says(name, value)]
    sentence = messages.text(error.code, locale, **params)
    return [f"{sentence} ({', '.join(left)})" if left else sentence]
