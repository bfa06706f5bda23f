// What the page says, in Portuguese for browsers that ask for it, else in English.

const WORDS = {
  pt: {
    token: "Token de acesso", enter: "Entrar", leave: "Sair",
    tokenHint: "Fica só nesta aba do navegador. O primeiro token é mostrado na primeira partida do serviço.",
    refused: "O token não foi aceito.", busy: "Muitas tentativas; aguarde um minuto.",
    off: "desconectado", connecting: "conectando…", live: "ao vivo", stale: "dados desatualizados",
    unavailable: "O Redis não está acessível; os números abaixo são antigos.",
    pool: "Proxies", leases: "Atribuições e instâncias", servers: "Servidores Evolution", groups: "Grupos",
    unprotected: "Sem proteção", unprotectedNote: "instâncias abertas sem proxy aplicado", left: "cerca de {time} restantes",
    used: "Em uso", usedNote: "do que pode ser usado", available: "Disponíveis", availableNote: "de {total} proxies",
    open: "Abertas", openNote: "de {instances} instâncias",
    cooling: "Em descanso", quarantined: "Em quarentena", disabled: "Desativados",
    reserved: "Reservadas", releasing: "Liberando", stuck: "Travadas", external: "Externas",
    notApplied: "Não aplicadas", reservations: "Reservas", connecting_: "Conectando", close: "Fechadas",
    name: "Nome", leasesCount: "Atribuições", queue: "Na fila", lastPoll: "Leitura", state: "Estado",
    ok: "ok", unread: "aguardando a primeira leitura", ignored: "ignorado", former: "fora da configuração", never: "nunca",
    noServer: "Nenhum servidor configurado: defina EVOLUTION_API_BASE_URL e GLOBAL_API_KEY.",
    noGroup: "sem grupo", total: "Total", utilization: "Uso",
    paused: "A atribuição automática está pausada.", observe: "Modo de observação: nada é escrito na Evolution API.",
    brake: "Freio acionado em {server} ({half}): {reason}",
    suspect: "O servidor {server} ou a rede dele está sob suspeita desde {time}: {reason}", waiting: "Nada é atribuído antes da primeira leitura de: {servers}",
    release: "liberações", set: "atribuições", asOf: "Números de {time}.",
  },
  en: {
    token: "Access token", enter: "Enter", leave: "Leave",
    tokenHint: "Kept in this browser tab only. The first token is shown when the service starts for the first time.",
    refused: "The token was refused.", busy: "Too many attempts; wait a minute.",
    off: "not connected", connecting: "connecting…", live: "live", stale: "data is stale",
    unavailable: "Redis can't be reached; the figures below are old.",
    pool: "Proxies", leases: "Leases and instances", servers: "Evolution servers", groups: "Groups",
    unprotected: "Unprotected", unprotectedNote: "open instances without an applied proxy", left: "about {time} left",
    used: "Used", usedNote: "of what can be used", available: "Available", availableNote: "of {total} proxies",
    open: "Open", openNote: "of {instances} instances",
    cooling: "Cooling", quarantined: "Quarantined", disabled: "Disabled",
    reserved: "Reserved", releasing: "Releasing", stuck: "Stuck", external: "External",
    notApplied: "Not applied", reservations: "Reservations", connecting_: "Connecting", close: "Closed",
    name: "Name", leasesCount: "Leases", queue: "Queued", lastPoll: "Last read", state: "State",
    ok: "ok", unread: "waiting for its first reading", ignored: "ignored", former: "no longer configured", never: "never",
    noServer: "No server is configured: set EVOLUTION_API_BASE_URL and GLOBAL_API_KEY.",
    noGroup: "no group", total: "Total", utilization: "Usage",
    paused: "Automatic assignment is paused.", observe: "Observe mode: nothing is written to the Evolution API.",
    brake: "Brake engaged on {server} ({half}): {reason}",
    suspect: "Server {server} or its network has been under suspicion since {time}: {reason}", waiting: "Nothing is assigned before the first reading of: {servers}",
    release: "releases", set: "assignments", asOf: "Figures of {time}.",
  },
};

export const locale = navigator.languages.find((tag) => /^(pt|en)/i.test(tag)) ?? "en";
const words = WORDS[/^pt/i.test(locale) ? "pt" : "en"];
const numbers = new Intl.NumberFormat(locale);
const times = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });

export const say = (word, values = {}) =>
  words[word].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "?");
export const number = (value) => numbers.format(value);
export const percent = (value) => `${numbers.format(value)} %`;
const units = (value, unit) => new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short" }).format(value);
export const duration = (seconds) => {
  const minutes = Math.ceil(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return hours ? `${units(hours, "hour")} ${units(minutes % 60, "minute")}` : units(minutes, "minute");
};
export const time = (text) => (text ? times.format(new Date(text)) : say("never"));
