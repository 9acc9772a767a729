"""Which threads compute on several cores: those that run a network.  All others, the hundred that may draw panels
among them, have one each: a team of threads for every one of them would keep the network's team from its cores
(on two cores, two threads then write at half the pace of one)."""

import threading

import torch

_granted: int | None = None


def grant_cores(count: int) -> None:
    """Let threads that `take_cores` compute on so many cores, and all others on one.  Without this call torch's own
    setting holds for all of them."""
    global _granted
    _granted = count
    torch.set_num_threads(1)


def take_cores() -> None:
    """Have the calling thread compute on the cores that are granted."""
    if _granted is not None:
        compute_on(_granted)


def compute_on(count: int) -> None:
    """Have the calling thread, which has computed nothing yet, and no other one compute on so many cores."""
    others = torch.get_num_threads()  # what new threads have; the first call in a thread also makes it its own
    torch.set_num_threads(count)  # for threads that are still to come too: so another one sets it back for them
    reset = threading.Thread(target=torch.set_num_threads, args=(others,))
    reset.start()
    reset.join()
