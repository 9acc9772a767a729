"""Which threads compute on several cores: those that run a network.  All others, the hundred that may draw panels
among them, have one each: a team of threads for every one of them would keep the network's team from its cores
(on two cores, two threads then write at half the pace of one)."""

import threading

import torch

_granted: int | None = None


def set_network_threads(count: int) -> None:
    """Set how many cores the threads that call `use_network_threads` compute on; all others get one.  Without this
    call torch's own setting holds for every thread."""
    global _granted
    _granted = count
    torch.set_num_threads(1)


def network_threads() -> int:
    """What `set_network_threads` set; 1 without that call."""
    return _granted or 1


def use_network_threads() -> None:
    """Give the calling thread the number of cores that `set_network_threads` set."""
    if _granted is not None:
        set_own_threads(_granted)


def set_own_threads(count: int) -> None:
    """Set the number of cores of the calling thread, which has computed nothing yet, and of no other."""
    _set(count, torch.get_num_threads())  # what new threads have; the first call in a thread also makes it its own


def set_running_threads(count: int) -> None:
    """Set it for a thread that has computed already, after `set_network_threads`."""
    _set(count, 1)


def _set(count: int, others: int) -> None:
    torch.set_num_threads(count)  # for threads that are still to come too: so another one sets it back for them
    reset = threading.Thread(target=torch.set_num_threads, args=(others,))
    reset.start()
    reset.join()
