"""All rooms of this server.  Nothing of them is written anywhere: they end with their time, or with the server."""

import threading
import time
from collections.abc import Sequence
from typing import Any

from app.rooms.codes import new_code, typed_code
from app.rooms.room import Clock, Question, Room
from app.wording.errors import UserError

MAX_ROOMS = 50
LIFE_SECONDS = 3 * 3600.0
ABANDONED_SECONDS = 600.0
"""After this long without its teacher a room makes way for a new one if all are taken,"""
UNUSED_SECONDS = 60.0
"""and a room that no pupil ever joined after this long."""


class RoomRegistry:
    """Rooms by their codes."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._rooms: dict[str, Room] = {}

    def open(self, questions: Sequence[Question], language: str) -> Room:
        """A new room.

        Raises:
            UserError: `rooms_taken`.
        """
        with self._lock:
            self._make_place()
            code = new_code()
            while code in self._rooms:
                code = new_code()
            self._rooms[code] = Room(code, questions, language, self._clock)
            return self._rooms[code]

    def check_place(self) -> None:
        """Refuse before questions are computed for nothing.

        Raises:
            UserError: `rooms_taken`.
        """
        with self._lock:
            self._make_place()

    def find(self, code: Any) -> Room:
        """The room of a code, as somebody typed it.

        Raises:
            UserError: `no_such_room`: there was none, or its time is over.
        """
        with self._lock:
            room = self._rooms.get(typed_code(code))
            if room is None or self._over(room):
                raise UserError("no_such_room")
            return room

    def __len__(self) -> int:
        with self._lock:
            return len(self._rooms)

    def _over(self, room: Room) -> bool:
        return self._clock() - room.opened >= LIFE_SECONDS

    def _make_place(self) -> None:
        self._rooms = {code: room for code, room in self._rooms.items() if not self._over(room)}
        if len(self._rooms) < MAX_ROOMS:
            return
        now = self._clock()
        for room in sorted(self._rooms.values(), key=lambda room: room.attended):
            if now - room.attended >= (UNUSED_SECONDS if room.empty else ABANDONED_SECONDS):
                del self._rooms[room.code]
                return
        raise UserError("rooms_taken", limit=MAX_ROOMS)
