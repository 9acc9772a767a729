"""The lesson on paper: a page to print, by a link in the tab."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.engine.fair_line import Visitor
from app.engine.job_queue import JobQueue
from app.models import ModelRegistry
from app.panels.lesson import sheet_view
from app.web.visitor import address_behind, asked_language
from app.wording.catalogue import say
from app.wording.errors import UserError

WAITING = 12
"""Sheets that are made or waited for at once."""


def sheet_route(registry: ModelRegistry) -> Route:
    """`/lesson/sheet?lang=ru&answers=1&model=…`: of a model that is loaded, else of the one that is shown first."""
    jobs = JobQueue(WAITING, WAITING)  # its own: a page that is printed has no session

    async def sheet(request: Request) -> Response:
        query = request.query_params
        language = asked_language(request.scope)
        model = dict(registry.loaded).get(query.get("model", "")) or registry.of("")
        answers = query.get("answers") == "1"
        visitor = Visitor(address_behind(request))
        try:
            page = await jobs.run(visitor, lambda left: sheet_view(model, language, answers))
        except UserError as error:
            sentence = say(error.code, language, **error.values)
            return Response(sentence, 503, media_type="text/plain; charset=utf-8")
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    return Route("/lesson/sheet", sheet)
