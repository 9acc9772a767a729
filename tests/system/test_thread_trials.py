"""How many threads the network runs on, over a machine whose steps take what the test says."""

from app.system.thread_trials import ThreadTrials


class Machine:
    """A clock that moves by what a step takes on so many threads."""

    def __init__(self, granted: int, together: float, alone: float) -> None:
        self.together, self.alone = together, alone
        self.now, self.threads, self.granted = 0.0, granted, granted
        self.used: list[int] = []
        self.trials = ThreadTrials(lambda: granted, self.set_threads, lambda: self.now)

    def set_threads(self, count: int) -> None:
        self.threads = count

    def run(self, steps: int, kind: int | None = 1) -> list[int]:
        """The number of threads that each of some steps ran on."""
        used = []
        for _ in range(steps):
            used.append(self.threads)
            with self.trials.timed(kind):
                self.now += self.together if self.threads > 1 else self.alone
        return used


def test_a_team_is_kept_where_it_is_faster_and_rarely_doubted() -> None:
    machine = Machine(2, together=0.002, alone=0.003)
    used = machine.run(60_000)  # two minutes
    assert used[-1] == 2 and used.count(1) < 0.001 * len(used)


def test_one_thread_takes_over_where_others_take_the_cores_and_gives_back() -> None:
    machine = Machine(3, together=0.002, alone=0.003)
    machine.run(20_000)
    machine.together = 0.05  # another process has come
    used = machine.run(2_000)
    assert used.index(1) < 30 and set(used[60:]) == {1, 3} and used[-1] == 1
    machine.run(20_000)
    assert used.count(3) * 0.05 < 0.35 * 2_000 * 0.003, "what trying costs"
    machine.together = 0.002  # and gone
    used = machine.run(12_000)
    assert used[-1] == 3


def test_steps_of_different_work_are_not_compared() -> None:
    machine = Machine(2, together=0.05, alone=0.003)
    for kind in range(200):
        assert set(machine.run(3, kind)) == {2}
    assert set(machine.run(100, None)) == {2}


def test_who_has_one_thread_tries_nothing() -> None:
    machine = Machine(1, together=0.002, alone=0.003)
    assert set(machine.run(5_000)) == {1}
