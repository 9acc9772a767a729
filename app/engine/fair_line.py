"""A waiting line that is fair to addresses: a client that sends many requests under many session names waits only for
its own, and delays each other client by one.

Addresses take turns, and within an address its sessions do (round robin, Nagle 1987, RFC 970).  A session is a name
that the client chooses; an address is not.  How many places an address may hold shrinks as the line fills (dynamic
thresholds, Choudhury and Hahne 1998), so that a newcomer finds one.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Collection, Iterator
from typing import Generic, NamedTuple, TypeVar

from app.wording.errors import UserError

SHARE = 2
"""An address may hold this multiple of the places that are free: two thirds of the line if nobody else waits."""

Item = TypeVar("Item")


class Visitor(NamedTuple):
    """Who asks: the address of a household, a school or a machine, "" for this program itself, and one of its
    sessions."""

    address: str = ""
    session: str = ""


NOBODY = Visitor()
"""This program itself: its requests are not counted."""


class FairLine(Generic[Item]):
    """Items of visitors, at most `capacity`; not safe to use from several threads at a time."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        # In the order of the turns: addresses, their sessions, the items of a session; none is empty.
        self._turns: OrderedDict[str, OrderedDict[str, deque[Item]]] = OrderedDict()
        self._held: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._held.total()

    def check(self, visitor: Visitor) -> None:
        """
        Raises:
            UserError: `crowded` when the line is full, or has no more room for the visitor's address.
        """
        free = self.capacity - len(self)
        if free <= 0 or (visitor.address and self._held[visitor.address] >= SHARE * free):
            raise UserError("crowded", limit=len(self))

    def append(self, visitor: Visitor, item: Item) -> None:
        """Put an item in line; raises what `check` does."""
        self.check(visitor)
        sessions = self._turns.setdefault(visitor.address, OrderedDict())
        sessions.setdefault(visitor.session, deque()).append(item)
        self._held[visitor.address] += 1

    def take(self, passed_over: Collection[str] = ()) -> Item | None:
        """The item whose turn it is, of an address that is not passed over; None if there is none."""
        address = next((address for address in self._turns if address not in passed_over), None)
        if address is None:
            return None
        sessions = self._turns.pop(address)
        session, items = sessions.popitem(last=False)
        item = items.popleft()
        if items:
            sessions[session] = items
        if sessions:
            self._turns[address] = sessions
        self._count_down(address, 1)
        return item

    def place(self, wanted: Callable[[Item], bool]) -> int:
        """How many items are taken until the wanted one is, itself included, if nobody else comes; 0 if it is not
        here."""
        return next((n for n, item in enumerate(self, 1) if wanted(item)), 0)

    def __iter__(self) -> Iterator[Item]:
        """All items in the order in which they are taken."""
        by_session = [[list(items) for items in sessions.values()] for sessions in self._turns.values()]
        return _rounds([list(_rounds(rows)) for rows in by_session])

    def remove(self, unwanted: Callable[[Item], bool]) -> list[Item]:
        """Take all items out of the line for which something is true, and return them."""
        gone: list[Item] = []
        for address, sessions in list(self._turns.items()):
            for session, items in list(sessions.items()):
                out = [item for item in items if unwanted(item)]
                if not out:
                    continue
                gone += out
                sessions[session] = deque(item for item in items if not any(item is other for other in out))
                if not sessions[session]:
                    del sessions[session]
                self._count_down(address, len(out))
            if not sessions:
                del self._turns[address]
        return gone

    def _count_down(self, address: str, count: int) -> None:
        self._held[address] -= count
        if not self._held[address]:
            del self._held[address]


def _rounds(rows: list[list[Item]]) -> Iterator[Item]:
    """The first of every row, then the second of every row that has one, and so on."""
    for turn in range(max(map(len, rows), default=0)):
        yield from (row[turn] for row in rows if turn < len(row))
