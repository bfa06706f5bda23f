"""What the command line says beside :mod:`service.messages`, in pt-BR and English."""

from __future__ import annotations

from collections.abc import Mapping

from service.messages import Locale

TEXTS: Mapping[str, tuple[str, str]] = {
    "no_running_redis": (
        "Nenhum Redis em execução em {data_dir}: inicie o evoproxy serve ou defina REDIS_URL",
        "No Redis runs in {data_dir}: start evoproxy serve, or set REDIS_URL",
    ),
    "ambiguous_instance": (
        "A instância {instance} existe em vários servidores: {server}; informe --server",
        "Instance {instance} exists on several servers: {server}; name one with --server",
    ),
    "no_such_server": (
        "Servidor desconhecido: {server}; configurados: {servers}",
        "Unknown server {server}; configured are: {servers}",
    ),
    "no_name": (
        "um nome tem de 1 a {longest} caracteres, e não é . nem ..",
        "a name has 1 to {longest} characters, and is neither . nor ..",
    ),
    "no_proxy_id": (
        "não é o id de um proxy: são 20 dígitos, que evoproxy proxies mostra",
        "not the id of a proxy: it has 20 digits, and evoproxy proxies shows it",
    ),
    "no_moment": (
        "não é um prazo: use 30d, 12h, 15m ou uma data como 2026-01-31T12:00:00Z",
        "not a time: use 30d, 12h, 15m, or one like 2026-01-31T12:00:00Z",
    ),
    "nobody_named": ("informe --instance ou --proxy", "name one with --instance or --proxy"),
    "nothing_to_change": (
        "nada a alterar: informe --group, --label ou --expires",
        "nothing to change: give --group, --label or --expires",
    ),
    "no_job_named": ("--cancel precisa do id de um trabalho", "--cancel needs the id of a job"),
    "removed": ("proxy {proxy} removido", "proxy {proxy} removed"),
    "no_file": ("{file}: o arquivo não existe", "{file}: no such file"),
    "is_directory": ("{file}: é um diretório, não um arquivo", "{file}: is a directory, not a file"),
    "unreadable_file": ("{file}: não pode ser lido: {reason}", "{file}: can't be read: {reason}"),
    "large_file": (
        "{file}: maior que {limit} MB; divida-o em arquivos menores",
        "{file}: larger than {limit} MB; split it into smaller files",
    ),
    "no_regular_file": (
        "{file}: já existe e não é um arquivo comum",
        "{file}: is there already, and no regular file",
    ),
    "unwritable_file": ("{file}: não pode ser escrito: {reason}", "{file}: can't be written: {reason}"),
    "exported": ("{count} proxies exportados para {file}", "{count} proxies exported to {file}"),
    "rotated": (
        "{looked} proxies verificados, {resealed} senhas cifradas de novo; só a primeira chave é necessária agora",
        "{looked} proxies looked at, {resealed} passwords encrypted anew; only the first key is needed now",
    ),
    "merge_of_file": (
        "{file}: --merge vale só para a tabela; evoproxy populate acrescenta os proxies de um arquivo",
        "{file}: --merge is for the table only; evoproxy populate adds the proxies of a file",
    ),
    "restored": (
        "Nada é atribuído antes de cada servidor ser lido de novo. Tokens da API não são restaurados: crie-os com"
        " evoproxy token create; o do superadmin volta quando o serviço reinicia",
        "Nothing is handed out before each server was read again. Tokens of the API are not restored: make them with"
        " evoproxy token create; the superadmin's comes back when the service restarts",
    ),
    "damaged_row": (
        "linha de proxies_tables danificada, não restaurada: {proxy}",
        "damaged row of proxies_tables, not restored: {proxy}",
    ),
    "migrated": ("tabelas na versão {version}", "tables are at version {version}"),
    "compared": (
        "{compared} proxies comparados; na tabela, {absent} faltavam, {differing} diferiam, {surplus} sobravam",
        "{compared} proxies compared; in the table {absent} were missing, {differing} different, {surplus} surplus",
    ),
    "no_proxy_in_file": ("{file}: nenhum proxy no arquivo", "{file}: holds no proxy"),
    "rejected": ("linha {line} recusada: {reason}", "line {line} rejected: {reason}"),
    "more_rejected": ("… e mais {count} linhas recusadas", "… and {count} more lines rejected"),
    "warned": ("linha {line}, aviso: {reason}", "line {line}, warning: {reason}"),
    "more_warned": ("… e mais {count} avisos", "… and {count} more warnings"),
    "more_lines": (
        "… e mais {count} linhas; --json traz mais delas",
        "… and {count} more lines; --json has more of them",
    ),
    "dry_run": ("simulação: nada foi alterado", "dry run: nothing was changed"),
    "checked": (
        "{looked} registros verificados, {broken} com promessa quebrada",
        "{looked} records checked, {broken} with a broken promise",
    ),
    "plan_paused": (
        "aviso: a atribuição automática está pausada; nada disso começa antes de ser retomada",
        "warning: automatic assignment is paused; none of this begins before it is resumed",
    ),
    "plan_braked": (
        "aviso: o freio do servidor {server} está acionado; parte disso espera",
        "warning: the brake of server {server} is engaged; some of this waits",
    ),
    "plan_short": (
        "aviso: faltam {count} proxies; as últimas instâncias ficam sem",
        "warning: {count} proxies are missing; the last instances get none",
    ),
    "plan_short_of_group": (
        "aviso: faltam {count} proxies no grupo {group}, que uma regra estrita exige",
        "warning: {count} proxies are missing in group {group}, which a strict rule asks for",
    ),
    "plan_unread": (
        "qual, só se sabe depois da primeira leitura do servidor: instâncias já usam proxies que o pool tem por livres",
        "which one is known once the server was read: rows name some of the free proxies",
    ),
    "left_external": (
        "o proxy que ela usa não está no pool; fica como está",
        "the proxy that it uses is not in the pool; it is left as it is",
    ),
    "left_not_managed": (
        "EVOPROXY_INCLUDE, EVOPROXY_EXCLUDE ou EVOPROXY_INTEGRATIONS a deixam de fora",
        "EVOPROXY_INCLUDE, EVOPROXY_EXCLUDE or EVOPROXY_INTEGRATIONS leave it out",
    ),
    "left_released_by_hand": (
        "alguém devolveu o proxy dela; evoproxy assign volta a gerenciá-la",
        "somebody released it; evoproxy assign manages it again",
    ),
    "outdated_tables": (
        "As tabelas em SQL não são as desta versão: execute antes evoproxy migrate",
        "The tables in SQL are not those of this version: run evoproxy migrate first",
    ),
    "retry_after": ("tente de novo em {seconds} s", "try again in {seconds} s"),
    "repaired": ("reparado, ou iniciado o que o repara", "repaired, or what repairs it has begun"),
    "repairs_itself": ("repara-se sozinho: {plan}", "repairs itself: {plan}"),
    "ignored": (
        "{server}: proxies são atribuídos mesmo antes da primeira leitura deste servidor",
        "{server}: proxies are handed out although this server was not read yet",
    ),
    "heeded": (
        "{server}: nada é atribuído antes da primeira leitura deste servidor",
        "{server}: nothing is handed out before this server was read",
    ),
    "forgotten": (
        "{server} esquecido: {leases} concessões encerradas, {instances} instâncias",
        "{server} forgotten: {leases} leases ended, {instances} instances",
    ),
    "released": ("{instance}: proxy devolvido", "{instance}: its proxy was given back"),
    "no_webhook_url": (
        "evoproxy escuta em todos os endereços ({host}); informe com --url por onde a Evolution API o alcança",
        "evoproxy listens on every address ({host}); say with --url where the Evolution API reaches it",
    ),
    "webhook_left_alone": (
        "{instance}: já tem um webhook próprio, que não foi alterado",
        "{instance}: has a webhook of its own, which was left alone",
    ),
    "webhook_failed": ("{instance}: não foi possível definir o webhook: {reason}", "{instance}: failed: {reason}"),
    "webhook_environment": (
        "\nNo ambiente do servidor {server} da Evolution API (contém um segredo), reiniciando-o depois:",
        "\nFor the environment of the Evolution API server {server} (this holds a secret); then restart it:",
    ),
    "demo": (
        "\n  Endereço: {url}\n  Token:    {token}\n\n  Ctrl-C encerra tudo.\n",
        "\n  Address: {url}\n  Token:   {token}\n\n  Ctrl-C ends all of it.\n",
    ),
    "remote_unreachable": (
        "O evoproxy em {url} não está acessível: {reason}",
        "The evoproxy at {url} can't be reached: {reason}",
    ),
    "no_evoproxy": (
        "{url} não responde como um evoproxy ({answer}); confira --url",
        "{url} does not answer as an evoproxy does ({answer}); see to --url",
    ),
    "no_token": (
        "--url precisa de um token: --token @ARQUIVO, ou digite-o em um terminal",
        "--url needs a token: --token @FILE, or type it on a terminal",
    ),
    "token_without_url": ("--token vale só com --url", "--token is for use with --url only"),
    "no_token_text": (
        "isso não pode ser um token: vazio, ou com caracteres que nenhum tem",
        "that can be no token: empty, or with characters that none has",
    ),
    "clear_token": (
        "aviso: o token vai em claro até {url}; use https",
        "warning: the token goes to {url} in clear; use https",
    ),
    "ask_token": ("Token de {url}", "Token for {url}"),
    "paused": ("pausado: nada é feito automaticamente até evoproxy resume", "paused: nothing is done until resumed"),
    "resumed": ("retomado", "resumed"),
    "token_once": ("Guarde-o agora: ele não será mostrado de novo", "Keep it now: it is not shown again"),
    "revoked": ("token {name} revogado", "token {name} revoked"),
}


def text(code: str, locale: Locale, **params: object) -> str:
    """The sentence of ``code`` with its placeholders filled."""
    portuguese, english = TEXTS[code]
    return (portuguese if locale == "pt-BR" else english).format_map(params)
