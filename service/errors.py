"""The error tree.

One code string names a refusal everywhere: in lower case it is the exception's ``code``, the problem's
``code``, the log field and the metric label; in upper case it is the word that a Lua script answers.
Messages for people live in :mod:`service.messages`, keyed by the same code. No error ever carries a
secret: parameters are names, ids, counts and reasons.
"""

from __future__ import annotations

from typing import Any


class EvoproxyError(Exception):
    """Base of all errors that evoproxy raises on purpose.

    ``code`` names the refusal; ``params`` fill the placeholders of its message.
    """

    code: str = "internal"

    def __init__(self, code: str | None = None, /, **params: Any) -> None:
        if code is not None:
            self.code = code
        self.params = params
        super().__init__(self.code, params)

    def __str__(self) -> str:
        details = " ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{self.code} {details}".rstrip()


class InvalidInputError(EvoproxyError):
    """A value that can't be accepted. Params: ``field`` (or ``line``) and ``reason``."""

    code = "invalid"


class SettingsError(EvoproxyError):
    """Settings that stop the start. Param ``problems``: one line a mistake, each naming its setting."""

    code = "settings"


class RefusedError(EvoproxyError):
    """The pool refused a transition; ``code`` is the script's word in lower case.

    Nothing was changed. The words are listed in lua/README.md.
    """

    code = "refused"


class StoreUnavailableError(EvoproxyError):
    """Redis (or SQL) could not be reached or did not answer in time. Param ``store``."""

    code = "store_unavailable"


class EvolutionError(EvoproxyError):
    """Base of what the Evolution API can do to a call. Params: ``server``, ``call``, ``status``."""

    code = "evolution"


class EvolutionRejectedError(EvolutionError):
    """An explicit refusal (400, 403, 422): nothing was changed there. Param ``reason``: a short, masked text."""

    code = "evolution_rejected"


class EvolutionUnauthorizedError(EvolutionError):
    """The key was refused (401)."""

    code = "evolution_unauthorized"


class EvolutionNotFoundError(EvolutionError):
    """The instance (or route) does not exist there (404). Existence is checked before the key."""

    code = "evolution_not_found"


class EvolutionUnavailableError(EvolutionError):
    """The server erred (5xx, an unreadable body) or no connection was made: the request was not carried out
    or, for a read, has no answer."""

    code = "evolution_unavailable"


class EvolutionUnknownError(EvolutionError):
    """The request was sent and no answer came (time limit, cut connection): it may yet be carried out."""

    code = "evolution_unknown"
