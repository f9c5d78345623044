"""One thing that was looked at: what was seen, and what it should be."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Check:
    case: str
    seen: str
    wanted: str
    met: bool

    def __str__(self):
        return f"{self.case:74} {self.seen}{'' if self.met else f'  NOT MET: {self.wanted}'}"


def equal(case, seen, wanted):
    return Check(case, str(seen), str(wanted), seen == wanted)


def true(case, met, seen, wanted):
    return Check(case, str(seen), str(wanted), bool(met))
