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
    "database_refused": (
        "O banco de dados recusou o que o evoproxy pediu: {reason}",
        "The database refused what evoproxy asked of it: {reason}",
    ),
    "pool_emptied": (
        "O Redis tem {pool} proxies e a tabela {table}: o Redis foi esvaziado; execute evoproxy restore",
        "Redis holds {pool} proxies and the table {table}: Redis was emptied; run evoproxy restore",
    ),
    "restoring": (
        "O pool está sendo restaurado, ou uma restauração foi interrompida: execute evoproxy restore de novo",
        "The pool is being restored, or a restore was interrupted: run evoproxy restore again",
    ),
    "not_empty": (
        "O Redis já tem proxies; --merge restaura só o que falta",
        "Redis holds proxies already; --merge restores only what is missing",
    ),
    "nothing_to_restore": (
        "A tabela proxies_tables não tem nenhum proxy deste pool",
        "The table proxies_tables holds no proxy of this pool",
    ),
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
    "other_integration": (
        "A integração da instância não está em EVOPROXY_INTEGRATIONS",
        "The instance's integration is not in EVOPROXY_INTEGRATIONS",
    ),
    "unmanaged": ("A instância não é gerenciada", "The instance is not managed"),
    "no_reservation": ("Reserva desconhecida ou já encerrada", "The reservation is unknown or over"),
    "not_due": ("A reserva ainda não venceu", "The reservation is not due yet"),
    "token_exists": ("Já existe um token com esse nome", "There is a token of this name already"),
    "unknown_token": ("Token desconhecido", "Unknown token"),
    "unknown_session": ("Sessão desconhecida ou encerrada", "The session is unknown or over"),
    "wrong_encryption_key": (
        "EVOPROXY_ENCRYPTION_KEY não abre as senhas armazenadas",
        "EVOPROXY_ENCRYPTION_KEY does not open the stored passwords",
    ),
    "evolution": ("Erro da Evolution API", "Error of the Evolution API"),
    "immutable": (
        "{field} faz parte da identidade do proxy e não pode ser alterado",
        "{field} is part of the proxy's identity and can't be changed",
    ),
    "unknown_server": ("Servidor desconhecido: {server}", "Unknown server: {server}"),
    "still_configured": (
        "O servidor {server} está configurado; só se esquece um que saiu da configuração",
        "Server {server} is configured; only one that has left the settings is forgotten",
    ),
    "unknown_job": ("Tarefa desconhecida ou já esquecida", "The job is unknown, or forgotten by now"),
    "job_over": ("A tarefa já terminou", "The job is over already"),
    "too_many_jobs": (
        "Já há muitas tarefas na fila; aguarde que uma termine",
        "There are many jobs in line already; wait for one to end",
    ),
    "unknown_drift": (
        "Não há divergência com este id; ela pode já estar resolvida",
        "There is no drift of this id; it may be over already",
    ),
    "nothing_to_repair": ("A situação mudou; não há o que reparar", "Things have changed; there is nothing to repair"),
    "needs_forgetting": (
        "O servidor {server} saiu da configuração: configure-o de novo ou use evoproxy forget {server}",
        "Server {server} is no longer configured: configure it again or use evoproxy forget {server}",
    ),
    # refusals that only HTTP knows
    "internal": ("Erro interno; o log tem os detalhes", "Internal error; the log has the details"),
    "malformed": ("A requisição está malformada: {reason}", "The request is malformed: {reason}"),
    "unauthorized": ("Token ausente ou inválido", "The token is missing or invalid"),
    "webhooks_off": (
        "EVOPROXY_WEBHOOK_SECRET não está definida; os webhooks são recusados",
        "EVOPROXY_WEBHOOK_SECRET is not set; webhooks are refused",
    ),
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
    "unsupported_encoding": ("O corpo não pode vir comprimido", "The body must not be compressed"),
    "csrf": (
        "Falta o cabeçalho X-CSRF-Token, ou não é o desta sessão",
        "The header X-CSRF-Token is missing or not that of this session",
    ),
    "too_many_requests": (
        "O token passou do limite de {limit} requisições por minuto",
        "The token is over its limit of {limit} requests a minute",
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
    "reason_event_type": (
        "deve ser um tipo como lease.reserved, ou a parte dele até o ponto",
        "must be a type like lease.reserved, or the part up to its dot",
    ),
    "reason_past": ("deve estar no futuro", "must lie in the future"),
    "reason_token_name": (
        "deve ter de 1 a 64 letras, dígitos, . e -, e começar com letra ou dígito",
        "must be 1 to 64 letters, digits, . and -, and begin with a letter or digit",
    ),
    "reason_empty_range": ("o fim deve vir depois do início", "the end must come after the beginning"),
    "reason_instance_or_proxy": ("informe instance ou proxyId", "name an instance or a proxyId"),
    "reason_ids_or_filter": (
        "informe uma lista ou filter, e não os dois",
        "name a list or a filter, and not both",
    ),
    "reason_not_for_this": ("não se aplica a esta ação", "is of no use to this action"),
    "reason_unknown_cursor": ("não é um cursor recebido daqui", "is none that was given out"),
    "reason_not_json": ("o corpo não é JSON", "the body is no JSON"),
    "reason_no_event": (
        "não é um evento da Evolution API com event e instance",
        "this is no event of the Evolution API with event and instance",
    ),
    "reason_large_event": ("o evento passa de 2 MB", "the event is over 2 MB"),
    "reason_unreadable_body": (
        "o corpo está incompleto ou corrompido",
        "the body is cut off or garbled",
    ),
    "reason_binary": (
        "são dados binários; esperado: texto, CSV ou JSON em UTF-8",
        "this is binary data; expected is text, CSV or JSON in UTF-8",
    ),
    "reason_workbook": (
        "é uma pasta de trabalho do Excel (ou um ZIP): salve-a como CSV",
        "this is an Excel workbook (or a ZIP): save it as CSV",
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
    # drift: what differs, what is to be done about it, what a human can do, what keeps it back
    "drift_row_missing": (
        "a Evolution API não tem proxy na instância, que possui um",
        "the Evolution API has no proxy set for an instance that holds one",
    ),
    "drift_row_other": (
        "a Evolution API tem outro proxy na instância, que ninguém escolheu para ela",
        "the Evolution API has another proxy set for the instance, which nobody chose for it",
    ),
    "drift_row_by_hand": (
        "alguém configurou outro proxy na Evolution API",
        "somebody has set another proxy in the Evolution API",
    ),
    "drift_row_without_lease": (
        "a Evolution API usa um proxy do pool que ainda não pertence à instância",
        "the Evolution API uses a proxy of the pool that the instance does not hold yet",
    ),
    "drift_conflict": (
        "a Evolution API usa um proxy que pertence a outra instância",
        "the Evolution API uses a proxy that another instance holds",
    ),
    "drift_shared": (
        "outra instância usa o proxy desta na Evolution API",
        "another instance uses this one's proxy in the Evolution API",
    ),
    "drift_external": (
        "a Evolution API usa um proxy que o pool não conhece",
        "the Evolution API uses a proxy that the pool does not know",
    ),
    "drift_lease_without_instance": (
        "a instância não está na lista do servidor",
        "the server does not list the instance",
    ),
    "drift_outdated": (
        "a Evolution API tem a senha antiga do proxy",
        "the Evolution API has an old password of the proxy",
    ),
    "drift_unfinished": (
        "um proxy foi escolhido, mas a configuração não terminou",
        "a proxy was chosen, but setting it did not come to an end",
    ),
    "drift_not_applied": (
        "o proxy está configurado, mas a conexão ainda é a anterior",
        "the proxy is set, but the connection is still the one of before",
    ),
    "drift_in_trouble": (
        "a lista diz conectada, mas a instância não está",
        "the list says open, but the instance is not",
    ),
    "drift_rotations_spent": (
        "a instância não se conecta e esgotou as trocas automáticas de proxy",
        "the instance does not connect, and its automatic rotations are spent",
    ),
    "drift_stuck": (
        "a Evolution API recusou seis vezes a limpeza do proxy",
        "the Evolution API refused six times to clear the proxy",
    ),
    "drift_unconfigured_server": (
        "o servidor saiu da configuração e ainda possui proxies",
        "the server is no longer configured and still holds proxies",
    ),
    "drift_does_assign": ("atribuir um proxy próprio", "assign a proxy of its own"),
    "drift_does_resume": ("configurar o proxy de novo", "set the proxy once more"),
    "drift_does_give_up": ("desistir deste proxy", "give this proxy up"),
    "drift_does_assert": ("configurar o proxy de novo", "set the proxy again"),
    "drift_does_cure": (
        "configurar o mesmo proxy mais uma vez, o que encerra um ciclo de reconexões",
        "set the same proxy once more, which ends a reconnect loop",
    ),
    "drift_does_rotate": ("trocar o proxy", "replace the proxy"),
    "drift_does_begin_release": ("devolver o proxy", "give the proxy back"),
    "drift_does_cancel_release": ("manter o proxy", "keep the proxy"),
    "drift_does_clear": ("limpar o proxy na Evolution API", "clear the proxy in the Evolution API"),
    "drift_does_row_moved": ("concluir a devolução", "go on with the release"),
    "drift_does_reconnect": ("reiniciar a instância na sua vez", "restart the instance when its turn comes"),
    "drift_does_finish": ("encerrar a concessão", "end the lease"),
    "drift_does_verify": (
        "perguntar pela instância; só um 404 encerra a concessão",
        "ask for the instance; only a 404 ends its lease",
    ),
    "drift_does_reconnect_itself": ("aguardar a próxima conexão", "wait for the next connection"),
    "drift_does_look": ("olhar de novo na próxima leitura", "look again at the next reading"),
    "drift_needs_assign": (
        "o reparo atribui um proxy do pool no lugar deste",
        "the repair assigns a proxy of the pool in its place",
    ),
    "drift_needs_rotate": ("o reparo troca o proxy", "the repair rotates the proxy"),
    "drift_needs_release": (
        "o reparo devolve o proxy; a instância fica sem gerência",
        "the repair gives the proxy back; the instance is left unmanaged",
    ),
    "drift_needs_force": (
        "o reparo encerra a concessão sem provas; o proxy fica em quarentena",
        "the repair ends the lease without proof; its proxy stays quarantined",
    ),
    "drift_needs_forget": (
        "configure o servidor de novo ou esqueça-o: evoproxy forget {server}",
        "configure the server again or forget it: evoproxy forget {server}",
    ),
    "drift_halted_observe": ("modo de observação: nada é feito", "observe mode: nothing is done"),
    "drift_halted_paused": ("aguarda o fim da pausa", "waits for the end of the pause"),
    "drift_halted_braked": ("aguarda o freio do servidor {server}", "waits for the brake of server {server}"),
    # figures that can't be
    "impossible_sum": (
        "Os status somam {parts}, mas há {total} proxies; execute evoproxy check",
        "The statuses add up to {parts}, but there are {total} proxies; run evoproxy check",
    ),
    "impossible_available": ("Proxies livres: {available}", "Available proxies: {available}"),
    "impossible_leases": (
        "Há {leases} concessões, mas só {used} proxies em uso; execute evoproxy check",
        "There are {leases} leases, but only {used} used proxies; run evoproxy check",
    ),
    "impossible_unprotected": (
        "Há {unprotected} instâncias sem proteção, mas só {instances} conhecidas",
        "There are {unprotected} unprotected instances, but only {instances} known ones",
    ),
    "events_lost": ("Eventos de auditoria foram perdidos", "Audit events were lost"),
    # why a brake engaged or let go, why a server is suspected; kept by the pool as a code, see why()
    "why_missing": (
        "das {leased} instâncias com proxy, {missing} faltam na lista e {closed} aparecem fechadas sem motivo",
        "of {leased} leased instances {missing} are missing and {closed} are closed without a reason",
    ),
    "why_server_error": ("a leitura do servidor falhou: {error}", "reading the server failed: {error}"),
    "why_whole": ("a lista esteve completa em {ticks} leituras", "the list was whole for {ticks} readings"),
    "why_failed_sets": (
        "{count} configurações de proxy falharam seguidas",
        "{count} settings of a proxy failed in a row",
    ),
    "why_configured_twice": (
        "os servidores {first} e {second} listam a mesma instância: um servidor está configurado duas vezes",
        "servers {first} and {second} list the same instance: one server is configured twice",
    ),
    "why_success": ("um proxy foi configurado", "a proxy was set"),
    "why_probe": ("uma tentativa de teste deu certo", "a probe succeeded"),
    "why_by_hand": ("por decisão de uma pessoa", "a human decided so"),
    "why_troubled": (
        "{troubled} de {leased} instâncias com proxy não conectam ao mesmo tempo",
        "{troubled} of {leased} leased instances can't connect at once",
    ),
    "why_calm": ("as instâncias conectam de novo", "instances connect again"),
    # why a proxy was chosen, and where those are that were no candidates
    "chosen_pin": ("indicado por uma pessoa", "named by a human"),
    "chosen_row": ("já estava configurado na instância", "it was set in the instance already"),
    "chosen_unknown": ("o motivo não foi registrado", "why was not noted"),
    "chosen_memory": (
        "o último que este número usou; havia outros {candidates} candidatos",
        "the last one that this number had; there were {candidates} other candidates",
    ),
    "chosen_group": (
        "o livre há mais tempo entre {candidates} candidatos do grupo {group}",
        "free for longest of {candidates} candidates in group {group}",
    ),
    "chosen_line": (
        "o livre há mais tempo entre {candidates} candidatos",
        "free for longest of {candidates} candidates",
    ),
    "chosen_kept": (
        "guardado para um número que pode voltar; nenhum outro estava livre",
        "kept for a number that may return; no other was free",
    ),
    "left_out_resting": ("{count} em descanso", "{count} resting"),
    "left_out_kept": ("{count} guardados para números que voltam", "{count} kept for numbers that return"),
    "left_out_elsewhere": ("{count} livres em outros grupos", "{count} free in other groups"),
    "left_out_quarantined": ("{count} em quarentena", "{count} quarantined"),
    "left_out_used": ("{count} em uso", "{count} used"),
    "left_out_disabled": ("{count} desativados", "{count} disabled"),
    "left_out_shunned": ("{count} já trocados nesta instância", "{count} that it was rotated away from"),
    # what the log tells of a server and its instances
    "check_key": (
        "O servidor {server} recusa a chave: confira GLOBAL_API_KEY, ou a apiKey dele em EVOPROXY_SERVERS",
        "Server {server} refuses its key: check GLOBAL_API_KEY, or its apiKey in EVOPROXY_SERVERS",
    ),
    "check_address": (
        "O que o servidor {server} responde não é da Evolution API: EVOLUTION_API_BASE_URL, ou a baseUrl dele em "
        "EVOPROXY_SERVERS, é mesmo o endereço dela?",
        "What server {server} answers is not of the Evolution API: is EVOLUTION_API_BASE_URL, or its baseUrl in "
        "EVOPROXY_SERVERS, really that API's address?",
    ),
    "brake_engaged": ("O freio do servidor {server} foi acionado", "The brake of server {server} has engaged"),
    "brake_released": ("O freio do servidor {server} foi solto", "The brake of server {server} has let go"),
    "server_suspect": (
        "Muitas instâncias do servidor {server} não conectam ao mesmo tempo: o suspeito é o servidor ou a sua rede",
        "Many instances of server {server} can't connect at once: the server or its network is the suspect",
    ),
    "server_cleared": (
        "O servidor {server} não é mais suspeito: as suas instâncias conectam",
        "Server {server} is no longer suspected: its instances connect",
    ),
    "cure": (
        "A instância {instance} não conecta; configurando o mesmo proxy de novo",
        "Instance {instance} can't connect; configuring the same proxy again",
    ),
    "rotating": (
        "O proxy da instância {instance} não conecta; trocando por outro",
        "The proxy of instance {instance} does not connect; replacing it",
    ),
    "rotation_waits": (
        "O proxy da instância {instance} não conecta, e não há outro livre",
        "The proxy of instance {instance} does not connect, and no other is available",
    ),
    "rotations_spent": (
        "O proxy da instância {instance} não conecta e não pode mais ser trocado sozinho; uma pessoa precisa agir",
        "The proxy of instance {instance} does not connect and policy may not replace it any more; a human has to act",
    ),
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


def number(value: int, locale: Locale = "pt-BR", /) -> str:
    """``3.712``, in English ``3,712``."""
    return f"{value:,}".replace(",", "." if locale == "pt-BR" else ",")


def reason(code: str, locale: Locale = "pt-BR", /, given: str | None = None, **params: Any) -> str:
    """Why something is refused, by its code; without a text for that ``given``, else the code itself."""
    known = f"reason_{code}"
    if known in _TEXTS:
        return text(known, locale, **params)
    return code if given is None else given


def why(kept: str, locale: Locale = "pt-BR", /) -> str:
    """The words of a reason that the pool keeps as ``code name=value …``; what has another shape is shown as it is.

    A value may be a code too: of an error, for instance.
    """
    code, *pairs = kept.split() or [""]
    if f"why_{code}" not in _TEXTS:
        return kept
    values = (pair.partition("=") for pair in pairs)
    return text(f"why_{code}", locale, **{name: text(value, locale) for name, _, value in values})


def remark(code: str, locale: Locale, given: str) -> str:
    """What the importer says about a line: in English its own words, ``given``, which are the more exact."""
    return given if locale == "en" else reason(code, locale, given)


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"
