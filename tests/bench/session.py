"""A page's own conversation with the server, spoken without a browser."""

import asyncio
import json
import re
import time
from contextlib import AbstractAsyncContextManager
from html import unescape
from typing import Any

import gradio as gr
import httpx

from app.web.layout import WRITTEN

STATUS, STRIP = (WRITTEN.index(name) for name in ("status", "strip"))
"""Places in the answers of the listeners that write and read."""


_SKIPPED = (gr.skip(), {"props": gr.skip(), **gr.skip()})
"""How a component that stays as it is comes, at once and in a stream."""


class Session:
    """A page's own conversation with the server, spoken without a browser."""

    def __init__(
        self, client: httpx.AsyncClient, config: dict[str, Any], name: str, begun: asyncio.Event | None = None
    ) -> None:
        self._client, self._name, self._event, self._begun = client, name, "", begun
        self._listeners = {d["api_name"]: d for d in config["dependencies"]}
        self._values = {c["id"]: c["props"].get("value") for c in config["components"]}
        self.latest: tuple[str, list[Any]] = ("", [])
        """The listener that was called last, and its latest answer."""

    async def call(self, name: str, event: Any = None, **given: Any) -> list[tuple[float, list[Any]]]:
        """Answers of a listener, each with its seconds since the call; `input_<n>` replaces its n-th input."""
        started, self.latest = time.perf_counter(), (name, [])
        if (answer := await self.join(name, event, **given)) is not None:
            return [(time.perf_counter() - started, answer)]
        answers: list[tuple[float, list[Any]]] = []
        async with self.listen() as stream:
            async for line in stream.aiter_lines():
                message = json.loads(line[5:]) if line.startswith("data:") else {}
                if message.get("event_id") not in (None, self._event):
                    continue  # of an earlier call that nobody listened to
                kind, output = message.get("msg"), message.get("output") or {}
                if kind == "process_completed" and not message["success"]:
                    raise RuntimeError(str(output))
                if kind == "process_generating" or (kind == "process_completed" and not answers):
                    values = _patched(answers[-1][1], output["data"]) if answers else output["data"]
                    answers.append((time.perf_counter() - started, values))
                    self.latest = (name, values)
                    if self._begun and name == "on_generate" and written_text(values):
                        self._begun.set()
                if kind == "process_completed":
                    break
        return answers

    async def join(self, name: str, event: Any = None, **given: Any) -> list[Any] | None:
        """Ask a listener; its answer, or None where that comes by `listen`."""
        listener = self._listeners[name]
        data = [self._values.get(component) for component in listener["inputs"]]
        for key, value in given.items():
            data[int(key.removeprefix("input_"))] = value
        body = {"data": data, "fn_index": listener["id"], "session_hash": self._name, "event_data": event}
        answer = await self._client.post(
            "/gradio_api/" + ("queue/join" if listener["queue"] else "run/predict"), json=body
        )
        answer.raise_for_status()
        if not listener["queue"]:
            return list(answer.json()["data"])
        self._event = str(answer.json()["event_id"])
        return None

    def listen(self) -> AbstractAsyncContextManager[httpx.Response]:
        """The stream in which answers come."""
        return self._client.stream("GET", f"/gradio_api/queue/data?session_hash={self._name}")


def _patched(shown: list[Any], changes: list[Any]) -> list[Any]:
    """Values after a message of differences, as far as whole values and texts that grow go; what is skipped stays."""
    values = list(shown)
    for n, steps in enumerate(changes):
        for action, path, value in steps:
            if not path and value not in _SKIPPED:
                values[n] = values[n] + value if action == "append" else value
    return values


def written_text(values: list[Any]) -> str:
    """The text of an answer of `on_generate`, as far as it is written; chips that come again take their places."""
    chips = re.findall(r"data-index='(\d+)'.*?<bdi class='gs-tok'>(.*?)</bdi>", str(values[STRIP]) if values else "")
    return "".join(map(unescape, dict(chips).values()))
