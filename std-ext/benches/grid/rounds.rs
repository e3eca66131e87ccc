//! Rounds in which all contestants take turns, so that whatever else the machine does falls on all of them.

use core::time::Duration;
use std::time::Instant;

/// Median nanoseconds of `run(0)` to `run(count − 1)`, after a round that warms up and is not counted.
///
/// Each round begins one contestant later: the first pays for the cache. There are as many rounds as `budget` has room for, from 3 to 51.
pub fn medians(count: usize, budget: Duration, mut run: impl FnMut(usize)) -> Vec<f64> {
    let start = Instant::now();
    (0..count).for_each(&mut run);
    let rounds = (budget.as_nanos() / start.elapsed().as_nanos().max(1)).clamp(3, 51) as usize;
    let mut times = vec![Vec::with_capacity(rounds); count];
    for round in 0..rounds {
        for turn in 0..count {
            let contestant = (round + turn) % count;
            let start = Instant::now();
            run(contestant);
            times[contestant].push(start.elapsed().as_nanos() as f64);
        }
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[rounds / 2]
    };
    times.into_iter().map(median).collect()
}
