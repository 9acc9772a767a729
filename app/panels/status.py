"""Lines that say how things stand, and who asked."""

from html import escape

import gradio as gr

from app.models import News, Shown, Stage
from app.wording.catalogue import LANGUAGES, say


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


def visitor_of(request: gr.Request) -> str:
    """Whose limits count: the session of a page or of a client."""
    return str(request.session_hash)


def shown_to(request: gr.Request, stage: Stage) -> Shown:
    """The model that whoever asks sees."""
    return stage.of(visitor_of(request))


def language_of(request: gr.Request) -> str:
    """`?lang=…` if the address has it, else the browser's first language, else English."""
    asked = dict(request.query_params or {}).get("lang") or (request.headers or {}).get("accept-language", "")
    code = str(asked)[:2].lower()
    return code if code in LANGUAGES else "en"
