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
    "unmanaged": ("A instância não é gerenciada", "The instance is not managed"),
    "no_reservation": ("Reserva desconhecida", "Unknown reservation"),
    "not_due": ("A reserva ainda não venceu", "The reservation is not due yet"),
    "token_exists": ("Já existe um token com esse nome", "There is a token of this name already"),
    "unknown_token": ("Token desconhecido", "Unknown token"),
    "wrong_encryption_key": (
        "EVOPROXY_ENCRYPTION_KEY não abre as senhas armazenadas",
        "EVOPROXY_ENCRYPTION_KEY does not open the stored passwords",
    ),
    "evolution": ("Erro da Evolution API", "Error of the Evolution API"),
    "immutable": (
        "{field} faz parte da identidade do proxy e não pode ser alterado",
        "{field} is part of the proxy's identity and can't be changed",
    ),
    # refusals that only HTTP knows
    "internal": ("Erro interno; o log tem os detalhes", "Internal error; the log has the details"),
    "malformed": ("A requisição está malformada: {reason}", "The request is malformed: {reason}"),
    "unauthorized": ("Token ausente ou inválido", "The token is missing or invalid"),
    "forbidden": ("Requer o papel {role}", "Requires the role {role}"),
    "unknown_route": ("Rota desconhecida", "Unknown route"),
    "method_not_allowed": ("Método não permitido nesta rota", "The route does not have this method"),
    "too_large": (
        "O corpo da requisição passa do limite de {limit} bytes",
        "The request's body is over the limit of {limit} bytes",
    ),
    "idempotency_key_reused": (
        "A Idempotency-Key já foi usada com outro corpo",
        "The Idempotency-Key was used with another body",
    ),
    "unsupported_media_type": (
        "Tipo de conteúdo não aceito; aceitos: {reason}",
        "Content type not accepted; accepted are: {reason}",
    ),
    "too_many_logins": ("Muitas tentativas com token inválido; aguarde", "Too many failed logins; wait"),
    # why a value is invalid, by pydantic's name of the mistake or our own
    "reason_missing": ("é obrigatório", "is required"),
    "reason_extra_forbidden": ("é desconhecido", "is unknown"),
    "reason_repeated": ("foi informado mais de uma vez", "is given more than once"),
    "reason_enum": ("deve ser {expected}", "must be {expected}"),
    "reason_literal_error": ("deve ser {expected}", "must be {expected}"),
    "reason_int_parsing": ("deve ser um número inteiro", "must be an integer"),
    "reason_int_from_float": ("deve ser um número inteiro", "must be an integer"),
    "reason_int_type": ("deve ser um número inteiro", "must be an integer"),
    "reason_bool_parsing": ("deve ser true ou false", "must be true or false"),
    "reason_bool_type": ("deve ser true ou false", "must be true or false"),
    "reason_string_type": ("deve ser um texto", "must be a text"),
    "reason_list_type": ("deve ser uma lista", "must be a list"),
    "reason_string_too_long": ("tem mais de {max_length} caracteres", "is longer than {max_length} characters"),
    "reason_string_too_short": ("não pode ser vazio", "must not be empty"),
    "reason_too_long": ("é longo demais", "is too long"),
    "reason_greater_than_equal": ("deve ser pelo menos {ge}", "must be at least {ge}"),
    "reason_less_than_equal": ("deve ser no máximo {le}", "must be at most {le}"),
    "reason_model_type": ("deve ser um objeto JSON", "must be a JSON object"),
    "reason_value_error": ("contém caracteres não imprimíveis", "holds characters that can't be printed"),
    "reason_datetime_parsing": ("deve ser uma data RFC 3339", "must be an RFC 3339 time"),
    "reason_datetime_from_date_parsing": ("deve ser uma data RFC 3339", "must be an RFC 3339 time"),
    "reason_datetime_type": ("deve ser uma data RFC 3339", "must be an RFC 3339 time"),
    "reason_datetime_range": ("deve estar entre os anos 1970 e 9999", "must be from 1970 to 9999"),
    "reason_timezone_aware": ("deve ter fuso horário", "must name its time zone"),
    "reason_unknown_cursor": ("não é um cursor recebido daqui", "is none that was given out"),
    "reason_not_json": ("o corpo não é JSON", "the body is no JSON"),
    "reason_unreadable_body": (
        "o corpo está incompleto ou não pode ser descomprimido",
        "the body is cut off or can't be decompressed",
    ),
    "reason_binary": (
        "são dados binários; esperado: texto, CSV ou JSON em UTF-8",
        "this is binary data; expected is text, CSV or JSON in UTF-8",
    ),
    "reason_names_no_proxy": (
        "não contém nenhum proxy; uma sincronização esvaziaria todo o pool",
        "names no proxy; a sync would drain the whole pool",
    ),
    # why an imported line was rejected or deserves a look, by the importer's code
    "reason_json": ("o JSON não é válido", "this is not valid JSON"),
    "reason_type": ("um campo não é texto nem número inteiro", "a field is neither text nor a whole number"),
    "reason_shape": (
        "nenhuma ordem conhecida de host, porta, usuário e senha",
        "no known order of host, port, username and password",
    ),
    "reason_encoding": ("a linha não é UTF-8 válido", "the line is not valid UTF-8"),
    "reason_columns": ("a linha tem mais células que o cabeçalho", "the row has more cells than the header"),
    "reason_quotes": ("uma aspa não foi fechada", "a quote is not closed"),
    "reason_host": (
        "o host falta ou não é um endereço IP nem um nome de host",
        "the host is missing or neither an IP address nor a host name",
    ),
    "reason_port": ("a porta não é um número de 1 a 65535", "the port is not a number from 1 to 65535"),
    "reason_protocol": (
        "o protocolo não é http, https, socks4 nem socks5",
        "the protocol is none of http, https, socks4 and socks5",
    ),
    "reason_unprintable": ("contém caracteres não imprimíveis", "holds characters that can't be printed"),
    "reason_expiry": (
        "a validade não é uma data ISO 8601 nem um tempo Unix",
        "the expiry is neither an ISO 8601 time nor a Unix time",
    ),
    "reason_expired": ("o proxy já venceu; fica desativado", "the proxy has expired already; it stays disabled"),
    "reason_group": (
        "o grupo é longo demais ou contém caracteres não imprimíveis",
        "the group is too long or can't be printed",
    ),
    "reason_unknown_columns": ("colunas desconhecidas foram ignoradas", "unknown columns were ignored"),
    "reason_order_guessed": (
        "duas ordens de campos são possíveis; foi usada a mais provável",
        "two orders of the fields fit; the likelier one was taken",
    ),
    "reason_port_ignored": ("a linha tem duas portas; só uma foi usada", "the row names two ports; one was taken"),
    "reason_change_link": (
        "o link de troca de IP foi descartado; evoproxy não o chama",
        "the change-IP link was dropped; evoproxy does not call it",
    ),
    "reason_label_taken": (
        "o que vem depois de # foi lido como etiqueta; numa senha, # se escreve %23",
        "what follows # was read as a label; in a password, # is written %23",
    ),
    "reason_label_dropped": (
        "etiquetas longas demais, não imprimíveis ou em excesso foram descartadas",
        "labels too long, unprintable or too many were dropped",
    ),
    "reason_unusable_protocol": (
        "a Evolution API só usa http e socks5; o proxy fica desativado",
        "the Evolution API can use http and socks5 only; the proxy stays disabled",
    ),
    "reason_socks_password": (
        "uma senha socks com outros caracteres além de letras, números e -_.+ falha no envio de mídia",
        "a socks password with other characters than letters, digits and -_.+ fails when media is sent",
    ),
    "reason_half_credentials": (
        "usuário sem senha, ou o contrário: a Evolution API não enviaria nenhum dos dois",
        "a username without password, or the reverse: the Evolution API would send neither",
    ),
    "reason_shared_address": (
        "o pool conhece este endereço também com outro protocolo; dois números sairiam pelo mesmo IP",
        "the pool knows this address by another protocol too; two numbers would share one exit",
    ),
    "reason_not_drained": (
        "uma sincronização não remove nada enquanto houver uma linha recusada",
        "a sync drains nothing while a line is rejected",
    ),
    "reason_still_disabled": (
        "já conhecido e desativado; uma importação não ativa nada",
        "known and disabled; an import enables nothing",
    ),
    # figures that can't be
    "impossible_sum": (
        "Os status somam {parts}, mas há {total} proxies; execute evoproxy check",
        "The statuses add up to {parts}, but there are {total} proxies; run evoproxy check",
    ),
    "impossible_available": ("Proxies disponíveis: {available}", "Available proxies: {available}"),
    "impossible_leases": (
        "Há {leases} atribuições, mas só {used} proxies em uso; execute evoproxy check",
        "There are {leases} leases, but only {used} used proxies; run evoproxy check",
    ),
    "impossible_unprotected": (
        "Há {unprotected} instâncias sem proteção, mas só {instances} conhecidas",
        "There are {unprotected} unprotected instances, but only {instances} known ones",
    ),
    "events_lost": ("Eventos de auditoria foram perdidos", "Audit events were lost"),
    # what the log tells of a server and its instances
    "brake_engaged": ("O freio do servidor {server} foi acionado", "The brake of server {server} has engaged"),
    "brake_released": ("O freio do servidor {server} foi solto", "The brake of server {server} has let go"),
    "lease_released": ("Proxy devolvido pela instância {instance}", "Instance {instance} has given its proxy back"),
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
    """The message of ``code`` with its placeholders filled; the code itself when there is none.

    A ``reason`` may be a code too, see :func:`reason`.
    """
    pair = _TEXTS.get(code)
    if pair is None:
        return code
    if isinstance(why := params.get("reason"), str):
        params["reason"] = reason(why, locale)
    template = pair[0] if locale == "pt-BR" else pair[1]
    return template.format_map(_Known(params))


def reason(code: str, locale: Locale = "pt-BR", /, given: str | None = None, **params: Any) -> str:
    """Why something is refused, by its code; without a text for that ``given``, else the code itself."""
    known = f"reason_{code}"
    if known in _TEXTS:
        return text(known, locale, **params)
    return code if given is None else given


def remark(code: str, locale: Locale, given: str) -> str:
    """What the importer says about a line: in English its own words, ``given``, which are the more exact."""
    return given if locale == "en" else reason(code, locale, given)


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"
