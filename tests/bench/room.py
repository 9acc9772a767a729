"""A class in its room beside other visitors, for `python -m tests.bench.load --room 30`: phones that ask every 1.5 s,
vote and change their votes, and a teacher who goes through the questions."""

import asyncio
import random
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

EVERY = 1.5
"""Seconds between two polls of a phone."""
OPEN_SECONDS = 8.0
"""How long a question stays open."""

LIMITS = httpx.Limits(keepalive_expiry=3)
"""A connection is given up before the server does so, after 5 s: a browser asks again then, this client would fail."""


@dataclass
class Lesson:
    """What a class met: seconds of every answer, by what was asked; statuses; votes given and counted."""

    pupils: int
    opened: float = 0.0
    questions: int = 0
    seconds: dict[str, list[float]] = field(default_factory=dict)
    unchanged: int = 0
    given: int = 0
    counted: int = 0
    failures: list[str] = field(default_factory=list)
    over: bool = False

    async def timed(self, what: str, request: Any) -> httpx.Response:
        started = time.perf_counter()
        answer: httpx.Response = await request
        self.seconds.setdefault(what, []).append(time.perf_counter() - started)
        if answer.status_code >= 400:
            self.failures.append(f"{what}: {answer.status_code} {answer.text[:200]}")
        return answer


async def pupil(lesson: Lesson, address: str, room: str, seed: int, votes: dict[int, dict[int, int]]) -> None:
    """One phone from its arrival to the end; votes: question -> pupil -> the last option that was acknowledged."""
    choice, answered, tag = random.Random(seed), set[int](), ""
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=LIMITS) as client:
        await lesson.timed("page", client.get(room))
        token = (await lesson.timed("join", client.post(f"{room}/join", json={}))).json()["token"]
        while not lesson.over:
            headers = {"x-room-token": token, "if-none-match": tag}
            answer = await lesson.timed("state", client.get(f"{room}/state", headers=headers))
            lesson.unchanged += answer.status_code == 304
            if answer.status_code == 200:
                tag, state = answer.headers["etag"], answer.json()
                if state["phase"] == "open" and (number := state["number"]) not in answered:
                    answered.add(number)
                    for _ in range(choice.choice((1, 1, 2, 3))):  # some think better of it
                        await asyncio.sleep(choice.uniform(0, 1.5))
                        option = choice.randrange(len(state["options"]))
                        body = {"token": token, "question": number, "option": option}
                        if (await lesson.timed("vote", client.post(f"{room}/vote", json=body))).status_code == 204:
                            votes.setdefault(number, {})[seed] = option
            await asyncio.sleep(EVERY + choice.uniform(0, 0.3))


async def teach(address: str, pupils: int) -> Lesson:
    """A whole lesson: every question is open for a while; at its reveal the wall must show the last vote of each."""
    lesson, votes = Lesson(pupils), dict[int, dict[int, int]]()
    async with httpx.AsyncClient(base_url=address, timeout=180, limits=LIMITS) as client:
        started = time.perf_counter()
        asked = {"language": "en", "model": "", "address": f"{address}/"}
        opened = (await client.post("/room", json=asked)).raise_for_status().json()
        lesson.opened = time.perf_counter() - started
        room, token = f"/room/{opened['code']}", opened["token"]
        class_ = [asyncio.create_task(pupil(lesson, address, room, seed, votes)) for seed in range(pupils)]

        async def wall() -> Any:
            return (await lesson.timed("wall", client.get(f"{room}/state", headers={"x-room-token": token}))).json()

        async def press(verb: str, number: int) -> None:
            await lesson.timed(verb, client.post(f"{room}/{verb}", json={"token": token, "question": number}))

        await asyncio.sleep(OPEN_SECONDS / 2)
        await press("step", -1)
        while (state := await wall())["phase"] != "finished":
            until = time.perf_counter() + OPEN_SECONDS
            while time.perf_counter() < until:
                await asyncio.sleep(EVERY)
                state = await wall()
            number = state["number"]
            await press("reveal", number)
            last, shown = votes.get(number, {}), (await wall())["counts"]
            wanted = Counter(last.values())
            if shown != [wanted[option] for option in range(len(shown))]:
                lesson.failures.append(f"question {number}: the wall shows {shown}, the class voted {wanted}")
            lesson.questions, lesson.given = lesson.questions + 1, lesson.given + len(last)
            lesson.counted += sum(shown)
            await press("step", number)
        lesson.over = True
        await asyncio.gather(*class_)
    return lesson


def rows_of_lesson(lesson: Lesson) -> list[tuple[str, str]]:
    """What the class met, in figures."""
    table = [
        ("room: pupils, questions", f"{lesson.pupils}, {lesson.questions}"),
        ("room opened after", f"{lesson.opened:.1f} s"),
        ("votes of pupils given, counted", f"{lesson.given}, {lesson.counted}"),
        ("states unchanged (304)", f"{lesson.unchanged} of {len(lesson.seconds['state'])}"),
    ]
    for what in ("page", "join", "state", "vote", "wall"):
        spent = sorted(lesson.seconds[what])
        p95 = statistics.quantiles(spent, n=20)[-1]
        line = f"{1000 * statistics.median(spent):.0f}, {1000 * p95:.0f}, {1000 * spent[-1]:.0f} ms ({len(spent)})"
        table.append((f"room, {what}: median, p95, worst", line))
    return table
