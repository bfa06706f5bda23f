"""The vendors' ways to write a proxy list, read into :class:`service.models.ProxySpec` and written back.

Pure: no network, no store, no clock. What is read is told as :class:`Parsed`, :class:`Rejected` and :class:`Warned`.
"""

from service.importing.outcomes import Outcome, Parsed, Rejected, Warned
from service.importing.reader import ProxyReader, parse
from service.importing.render import render

__all__ = ["Outcome", "Parsed", "ProxyReader", "Rejected", "Warned", "parse", "render"]
