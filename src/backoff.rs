//! Delays between retries: doubled each time up to a limit, with some jitter, so that many devices or
//! collectors that lost the same peer do not come back at the same moment.

use std::time::Duration;

/// The delay before a retry; `retry` counts from 0. Up to a fifth is added at random.
#[must_use]
pub fn delay(first: Duration, retry: u32, longest: Duration, jitter: &mut fastrand::Rng) -> Duration {
    first.saturating_mul(1 << retry.min(16)).min(longest).mul_f64(1.0 + 0.2 * jitter.f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(60));
        let mut jitter = fastrand::Rng::with_seed(1);
        for (retry, least) in [(0, 1), (1, 2), (5, 32), (6, 60), (u32::MAX, 60)] {
            let least = Duration::from_secs(least);
            let delay = delay(first, retry, longest, &mut jitter);
            assert!(delay >= least && delay <= least.mul_f64(1.2), "{retry}: {delay:?}");
        }
    }
}
