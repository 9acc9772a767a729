"""Who asks: the session, the model it is shown, and the language of its browser."""

import gradio as gr

from app.models import LoadedModel, ModelRegistry
from app.wording.catalogue import LANGUAGES


def visitor_of(request: gr.Request) -> str:
    """Whose limits count: the session of a page or of a client."""
    return str(request.session_hash)


def model_of(request: gr.Request, registry: ModelRegistry) -> LoadedModel:
    """The model that this visitor sees."""
    return registry.of(visitor_of(request))


def language_of(request: gr.Request) -> str:
    """`?lang=…` if the address has it, else the browser's first language, else English."""
    asked = dict(request.query_params or {}).get("lang") or (request.headers or {}).get("accept-language", "")
    code = str(asked)[:2].lower()
    return code if code in LANGUAGES else "en"
