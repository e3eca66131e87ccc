"""Rounds in which all contestants take turns, so that whatever else the machine does falls on all of them."""

import time

from . import ours, theirs

PAUSE = 0.01  # idle threads of one side stop spinning before the other's turn

ONE_THREAD = ("sum", "optax cross-entropy")


def turns(number, *names):
    """Each round begins one contestant later: the first pays for the cache."""
    return [*names[number % len(names) :], *names[: number % len(names)]]


def rounds(binary, problem, our_names, their_names, threads, count, progress):
    """Nanoseconds a logit, for every contestant and number of threads one number a round."""
    times = {}
    with ours.Process(binary, problem) as process:
        for number in range(count):
            progress(f"{problem.name}: round {number + 1} of {count}")
            for name in turns(number, *our_names, *their_names):
                for degree in threads if name not in ONE_THREAD else threads[:1]:
                    time.sleep(PAUSE)
                    if name in our_names:
                        nanoseconds = float(process.ask("time", name, degree))
                    else:
                        nanoseconds = theirs.timed(theirs.CONTESTANTS[name], problem.inputs, degree)
                    times.setdefault(name, {}).setdefault(str(degree), []).append(nanoseconds / problem.logits)
    return times
