"""What evoproxy says to people, in pt-BR and English, by code. Placeholders are an error's or event's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Locale = Literal["pt-BR", "en"]

_TEXTS: Mapping[str, tuple[str, str]] = {
    # refusals, by their code
    "no_proxy_available": ("Nenhum proxy não utilizado disponível", "No unused proxy available"),
    "evolution_rejected": (
        "Falha ao configurar proxy na Evolution API",
        "The Evolution API refused to configure the proxy",
    ),
    "evolution_unknown": (
        "A Evolution API não respondeu; não se sabe se o proxy foi configurado",
        "The Evolution API did not answer; whether the proxy was configured is unknown",
    ),
    "evolution_unavailable": (
        "A Evolution API não está acessível ou respondeu com erro",
        "The Evolution API can't be reached or answered with an error",
    ),
    "evolution_unauthorized": ("A Evolution API recusou a chave", "The Evolution API refused the key"),
    "evolution_not_found": (
        "A instância não existe na Evolution API",
        "The instance does not exist in the Evolution API",
    ),
    "store_unavailable": ("O armazenamento {store} não está acessível", "The store {store} can't be reached"),
    "not_reconciled": (
        "Aguardando a primeira leitura completa do servidor {server}",
        "Waiting for the first complete reading of server {server}",
    ),
    "not_configured": ("O servidor {server} não está configurado", "Server {server} is not configured"),
    "paused": ("A atribuição automática está pausada", "Automatic assignment is paused"),
    "braked": ("O freio do servidor {server} está acionado", "The brake of server {server} is engaged"),
    "observe_mode": (
        "Modo de observação: nada é escrito na Evolution API",
        "Observe mode: nothing is written to Evolution",
    ),
    "no_lease": ("A instância não tem proxy", "The instance holds no proxy"),
    "wrong_phase": ("A operação não é possível nesta fase", "Not possible in this phase"),
    "stale": ("O estado mudou; tente de novo", "The state has changed; try again"),
    "held": ("O proxy está em uso", "The proxy is in use"),
    "held_elsewhere": ("O proxy está em uso por outra instância", "Another instance uses the proxy"),
    "unknown_proxy": ("Proxy desconhecido", "Unknown proxy"),
    "unusable": ("A Evolution API não pode usar este proxy", "The Evolution API can't use this proxy"),
    "disabled": ("O proxy está desativado", "The proxy is disabled"),
    "quarantined": ("O proxy está em quarentena", "The proxy is quarantined"),
    "resting": ("O proxy está em descanso", "The proxy is resting"),
    "rev_mismatch": ("O proxy foi alterado por outra pessoa", "Somebody else has changed the proxy"),
    "unknown_instance": ("Instância desconhecida", "Unknown instance"),
    "ambiguous_instance": (
        "O nome existe em vários servidores; informe server",
        "The name exists on several servers; name the server",
    ),
    "invalid": ("{field}: {reason}", "{field}: {reason}"),
    # the four steps of an automatic assignment
    "step_connected": (
        "Instância {instance} conectada; verificando proxy",
        "Instance {instance} connected; checking its proxy",
    ),
    "step_assigning": (
        "Instância {instance} sem proxy; atribuindo",
        "Instance {instance} has no proxy; assigning one",
    ),
    "step_assigned": (
        "Proxy {address} atribuído à instância {instance}",
        "Proxy {address} assigned to instance {instance}",
    ),
    "step_configured": (
        "Proxy configurado na Evolution API para a instância {instance}",
        "Proxy configured in the Evolution API for instance {instance}",
    ),
}


def text(code: str, locale: Locale = "pt-BR", /, **params: Any) -> str:
    """The message of ``code`` with its placeholders filled; the code itself when there is none."""
    pair = _TEXTS.get(code)
    if pair is None:
        return code
    template = pair[0] if locale == "pt-BR" else pair[1]
    return template.format_map(_Known(params))


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"
