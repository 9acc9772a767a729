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
    if _granted is None:
        return
    torch.get_num_threads()  # its first call in a thread sets what torch has for new threads
    torch.set_num_threads(_granted)
    # That was set for threads that are still to come too, but for those that another one sets it for.
    reset = threading.Thread(target=torch.set_num_threads, args=(1,))
    reset.start()
    reset.join()
