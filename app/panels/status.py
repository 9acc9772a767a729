"""Lines that say how things stand."""

from html import escape

from app.models import LoadingState
from app.wording.catalogue import say


def status_html(message: str, failed: bool = False) -> str:
    """One line under the prompt: what happened, or what to do."""
    kind, role = (" gs-failed", "alert") if failed else ("", "status")
    return f"<p class='gs-status{kind}' role='{role}'>{escape(message)}</p>" if message else ""


def loading_html(loading: LoadingState, language: str) -> str:
    """One line: what is being loaded, with a bar; or why it is not shown."""
    if loading.error is not None:
        line = status_html(say(loading.error.code, language, **loading.error.values), failed=True)
    else:
        line = progress_html(say(loading.stage, language, model=loading.key), loading.share) if loading.busy else ""
    return line.replace("gs-status", "gs-news")  # the line under the prompt is another one


def progress_html(sentence: str, share: float) -> str:
    """One line: what is being done, with a bar."""
    return (
        f"<p class='gs-status' role='status'><progress max='1' value='{share:.2f}'></progress> {escape(sentence)}</p>"
    )
