"""Status lines."""

from html import escape

from app.models import LoadingState
from app.wording.catalogue import say
from app.wording.errors import UserError


def status_html(message: str, failed: bool = False) -> str:
    """One line under the prompt: what happened, or what to do."""
    kind, role = (" gs-failed", "alert") if failed else ("", "status")
    return f"<p class='gs-status{kind}' role='{role}'>{escape(message)}</p>" if message else ""


def loading_html(loading: LoadingState, error: UserError | None, language: str) -> str:
    """One line: why a model is not shown, to be taken away; else what is being loaded, with a bar."""
    if error is not None:
        line = status_html(say(error.code, language, **error.values), failed=True)
        close = escape(say("dismiss", language), quote=True)
        cross = f" <button type='button' class='gs-dismiss' title='{close}' aria-label='{close}'>×</button>"
        line = line.replace("</p>", cross + "</p>")
    else:
        line = progress_html(say(loading.stage, language, model=loading.key), loading.share) if loading.busy else ""
    return line.replace("gs-status", "gs-news")  # the line under the prompt is another one


def progress_html(sentence: str, share: float) -> str:
    """One line: what is being done, with a bar."""
    return (
        f"<p class='gs-status' role='status'><progress max='1' value='{share:.2f}'></progress> {escape(sentence)}</p>"
    )
