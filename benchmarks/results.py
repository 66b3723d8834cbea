"""What a run of the benchmarks prints, and whether all of it held."""

_NOISE = 1.15
"""By so much a figure may be past its bound, and is said to be, before the whole fails: what two runs of the same code
differ by on a machine that does other things as well."""


class Bench:
    """Prints results and remembers whether all held."""

    def __init__(self) -> None:
        self.held = True

    def check(self, what: str, value: float, bound: float, unit: str, *, at_least: bool = False) -> None:
        """One figure against its bound."""
        holds = value >= bound if at_least else value <= bound
        self.held &= value >= bound / _NOISE if at_least else value <= bound * _NOISE
        said, wrong = ("at least", "UNDER") if at_least else ("at most", "OVER")
        print(f"{'ok' if holds else wrong:<5} {what}: {value:.2f} {unit} ({said} {bound:.2f})", flush=True)

    def not_taken(self, what: str, why: str) -> None:
        """A figure that this run doesn't have."""
        print(f"NOT TAKEN {what}: {why}", flush=True)
