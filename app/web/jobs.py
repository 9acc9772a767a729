"""Listeners that compute in the thread of the jobs: an error becomes one sentence in the visitor's language."""

import logging

from app.panels.status import status_html
from app.wording.catalogue import say
from app.wording.errors import UserError

log = logging.getLogger(__name__)


def told(error: Exception, language: str) -> str:
    """A line for the status: what is wrong with what was asked for, or that the fault is ours."""
    if isinstance(error, UserError):
        return status_html(say(error.code, language, **error.values), failed=True)
    log.error("an instrument failed", exc_info=error)
    return status_html(say("busy", language), failed=True)
