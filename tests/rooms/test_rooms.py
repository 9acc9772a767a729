"""Rooms under a clock of the test's own: who may do what and when, limits, and what is kept from whom."""

import json
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import pytest

from app.rooms.codes import LENGTH, LETTERS, new_code, typed_code
from app.rooms.registry import ABANDONED_SECONDS, LIFE_SECONDS, MAX_ROOMS, UNUSED_SECONDS, RoomRegistry
from app.rooms.room import IDLE_SECONDS, MAX_PUPILS, MAX_REQUESTS, WINDOW_SECONDS, Room
from app.rooms.views import Phase
from app.wording.errors import UserError
from tests.support.classroom import QUESTIONS, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def room(clock: Clock) -> Room:
    return RoomRegistry(clock).open(QUESTIONS, "en")


def refused(code: str, call: Any, *arguments: Any) -> None:
    with pytest.raises(UserError) as told:
        call(*arguments)
    assert told.value.code == code and str(told.value)


def test_codes_have_no_look_alikes_and_are_read_as_people_type_them() -> None:
    codes = {new_code() for _ in range(2000)}
    assert len(codes) > 1900 and {len(code) for code in codes} == {LENGTH}
    assert set("".join(codes)) == set(LETTERS) and not set(LETTERS) & set("BGILOQSUVZ0125689")
    assert typed_code(" hax\ttw ") == "HAXTW"
    assert typed_code("НАХТР") == typed_code("нахтр") == "HAXTP"  # Cyrillic
    for odd in ("", "HAXT", "HAXTWW", "HAXT1", "HAX<T", "\ud800AXTW", None, 5, ["HAXTW"], "H" * 10_000):
        assert typed_code(odd) == ""


def test_a_lesson_from_the_first_question_to_the_last(room: Room) -> None:
    pupils, teacher = [room.join() for _ in range(3)], room.teacher
    assert room.wall_view(teacher).phase is Phase.WAITING and room.wall_view(teacher).pupils == 3
    room.step(teacher, -1)
    for pupil, option in zip(pupils, (2, 2, 0), strict=True):
        room.vote(pupil, 0, option)
    room.vote(pupils[2], 0, 1)  # thought better of it
    wall = room.wall_view(teacher)
    assert wall.counts == (0, 1, 2, 0) and wall.votes == 3 and wall.right is None
    room.reveal(teacher, 0)
    seen = room.pupil_view(pupils[2])
    assert (seen.phase, seen.right, seen.counts, seen.mine, seen.score) == (Phase.REVEALED, 2, (0, 1, 2, 0), 1, 0)
    assert room.pupil_view(pupils[0]).score == 1
    room.step(teacher, 0)
    room.vote(pupils[0], 1, 0)
    room.step(teacher, 1)  # without a reveal: does not count
    room.vote(pupils[0], 2, 1)
    room.reveal(teacher, 2)
    room.step(teacher, 2)
    end = room.pupil_view(pupils[0])
    assert (end.phase, end.score, end.revealed, end.prompt, end.options) == (Phase.FINISHED, 2, 2, "", ())
    assert room.wall_view(teacher).results == (("Which is nearest?", 2, 3), ("How many pixels?", 1, 1))


def test_neither_answer_nor_counts_reach_a_pupil_before_the_reveal(room: Room) -> None:
    pupil = room.join()
    room.step(room.teacher, -1)
    before = room.pupil_view(pupil)
    assert before.right is None and before.counts is None and room.wall_view(room.teacher).right is None
    room.vote(room.join(), 0, 2)
    assert room.pupil_view(pupil) == before, "others' votes leave no trace"
    with_key = json.dumps(asdict(room.pupil_view(pupil)))
    room.questions = tuple(type(q)(q.prompt, q.options, 0) for q in room.questions)  # type: ignore[call-arg]
    assert json.dumps(asdict(room.pupil_view(pupil))) == with_key, "the same whatever is right"


def test_a_press_that_comes_twice_steps_once(room: Room) -> None:
    room.step(room.teacher, -1)
    room.step(room.teacher, -1)
    assert room.wall_view(room.teacher).number == 0
    room.reveal(room.teacher, 1)
    assert room.wall_view(room.teacher).phase is Phase.OPEN
    for number in (0, 1, 2, 3, 3, 4):
        room.step(room.teacher, number)
    assert room.wall_view(room.teacher).number == 3
    room.reveal(room.teacher, 3)
    assert room.wall_view(room.teacher).phase is Phase.FINISHED


@pytest.mark.parametrize("token", [None, "", "x", 7, ["x"], {}, "\ud800", "x" * 9999])
def test_tokens_that_are_none(room: Room, token: Any) -> None:
    pupil = room.join()
    for stranger in (token, pupil):
        refused("room_not_teacher", room.step, stranger, -1)
        refused("room_not_teacher", room.reveal, stranger, -1)
        refused("room_not_teacher", room.wall_view, stranger)
    refused("room_stranger", room.pupil_view, token)
    refused("room_stranger", room.vote, token, 0, 0)
    refused("room_stranger", room.vote, room.teacher, 0, 0)


@pytest.mark.parametrize(
    ("number", "option"),
    [
        (0, 4), (0, -1), (0, 10**30), (0, "0"), (0, None), (0, 1.0), (0, True), (0, [0]), ("0", 0), (3, 0), (-1, 0),
        (None, 0), (True, 0), ({}, {}),
    ],
)  # fmt: skip
def test_votes_for_nothing_that_can_be_voted_for(room: Room, number: Any, option: Any) -> None:
    pupil = room.join()
    room.step(room.teacher, -1)
    refused("room_bad_vote", room.vote, pupil, number, option)
    assert room.wall_view(room.teacher).votes == 0


def test_votes_count_only_while_their_question_is_open(room: Room) -> None:
    pupil = room.join()
    refused("room_not_open", room.vote, pupil, 0, 0)
    room.step(room.teacher, -1)
    refused("room_not_open", room.vote, pupil, 1, 0)
    room.vote(pupil, 0, 0)
    room.reveal(room.teacher, 0)
    refused("room_not_open", room.vote, pupil, 0, 2)
    room.step(room.teacher, 0)
    refused("room_not_open", room.vote, pupil, 0, 2)
    assert room.pupil_view(pupil).score == 0


def test_a_full_room_lets_nobody_in_until_a_phone_falls_silent(room: Room, clock: Clock) -> None:
    pupils = [room.join() for _ in range(MAX_PUPILS)]
    refused("room_full", room.join)
    assert room.join(pupils[5]) == pupils[5], "a reload keeps the seat"
    room.step(room.teacher, -1)
    room.vote(pupils[7], 0, 2)
    clock.wait(IDLE_SECONDS)
    for pupil in (*pupils[:7], *pupils[8:]):
        room.pupil_view(pupil)
    late = room.join(pupils[7] + "x")
    assert late not in pupils and room.wall_view(room.teacher).votes == 0, "who left took the vote along"
    refused("room_stranger", room.pupil_view, pupils[7])
    refused("room_full", room.join)


def test_one_pupil_cannot_ask_without_end(room: Room, clock: Clock) -> None:
    pupil, other = room.join(), room.join()
    room.step(room.teacher, -1)
    for n in range(MAX_REQUESTS):
        room.vote(pupil, 0, n % 4)
    refused("room_hasty", room.vote, pupil, 0, 0)
    refused("room_hasty", room.pupil_view, pupil)
    room.vote(other, 0, 1)
    clock.wait(WINDOW_SECONDS)
    room.vote(pupil, 0, 2)


def test_a_room_ends_with_its_time(clock: Clock) -> None:
    rooms = RoomRegistry(clock)
    room = rooms.open(QUESTIONS, "ru")
    clock.wait(LIFE_SECONDS - 1)
    assert rooms.find(room.code.lower()) is room
    clock.wait(1)
    refused("no_such_room", rooms.find, room.code)
    rooms.open(QUESTIONS, "ru")
    assert len(rooms) == 1, "and takes no place"
    refused("no_such_room", rooms.find, "AAAAA")
    refused("no_such_room", rooms.find, None)


def test_rooms_run_out_and_abandoned_ones_make_place(clock: Clock) -> None:
    rooms = RoomRegistry(clock)
    opened = [rooms.open(QUESTIONS, "en") for _ in range(MAX_ROOMS)]
    for room in opened:
        room.join()
    refused("rooms_taken", rooms.open, QUESTIONS, "en")
    refused("rooms_taken", rooms.check_place)
    clock.wait(ABANDONED_SECONDS)
    for room in (*opened[:3], *opened[4:]):
        room.wall_view(room.teacher)
    unused = rooms.open(QUESTIONS, "en")
    refused("no_such_room", rooms.find, opened[3].code)
    clock.wait(UNUSED_SECONDS)
    next_one = rooms.open(QUESTIONS, "en")
    refused("no_such_room", rooms.find, unused.code)
    assert rooms.find(next_one.code) is next_one and len(rooms) == MAX_ROOMS


def test_votes_of_many_threads_all_count() -> None:
    rooms = RoomRegistry()
    room = rooms.open(QUESTIONS, "en")
    room.step(room.teacher, -1)

    def attend(seed: int) -> int:
        token, choice = room.join(), random.Random(seed)
        for _ in range(20):
            option = choice.randrange(4)
            room.vote(token, 0, option)
            room.wall_view(room.teacher)
        return option

    with ThreadPoolExecutor(16) as pool:
        last = Counter(pool.map(attend, range(MAX_PUPILS)))
    assert room.wall_view(room.teacher).counts == tuple(last[option] for option in range(4))
