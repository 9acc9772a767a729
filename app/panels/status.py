"""Lines that say how things stand."""

from html import escape

from app.models import News
from app.wording.catalogue import say


def status_html(message: str, failed: bool = False) -> str:
    """One line under the prompt: what happened, or what to do."""
    kind, role = (" gs-failed", "alert") if failed else ("", "status")
    return f"<p class='gs-status{kind}' role='{role}'>{escape(message)}</p>" if message else ""


def news_html(news: News, language: str) -> str:
    """One line: what is being loaded, with a bar; or why it is not shown."""
    if news.error is not None:
        line = status_html(say(news.error.code, language, **news.error.values), failed=True)
    else:
        line = progress_html(say(news.stage, language, model=news.key), news.share) if news.busy else ""
    return line.replace("gs-status", "gs-news")  # the line under the prompt is another one


def progress_html(sentence: str, share: float) -> str:
    """One line: what is being done, with a bar."""
    return (
        f"<p class='gs-status' role='status'><progress max='1' value='{share:.2f}'></progress> {escape(sentence)}</p>"
    )
