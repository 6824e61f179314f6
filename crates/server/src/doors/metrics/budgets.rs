//! What upstreams said about how much they may be asked, as gauges.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, gauge::ConstGauge},
};
use registry::Registry;
use upstream::Budget;

type Sample = fn(&Budget, SystemTime) -> Option<i64>;

/// Name, help, unit-free value; a budget without the value has no sample.
const GAUGES: [(&str, &str, Sample); 5] = [
    ("upstream_budget_limit", "requests that an upstream allows in a window", |budget, _| {
        count(budget.limit)
    }),
    ("upstream_budget_remaining", "requests that an upstream said were left", |budget, _| {
        count(budget.remaining)
    }),
    ("upstream_budget_window_seconds", "length of an upstream's window", |budget, _| {
        budget.window.map(seconds)
    }),
    (
        "upstream_manifests_held_seconds",
        "time for which an upstream is not asked for manifests, by its Retry-After",
        |budget, now| Some(left(budget.manifests_held_until, now)),
    ),
    (
        "upstream_blobs_held_seconds",
        "time for which an upstream is not asked for blobs, by its Retry-After",
        |budget, now| Some(left(budget.blobs_held_until, now)),
    ),
];

/// The budgets of upstreams, read when they are asked for.
pub(super) struct Budgets(pub(super) Registry);

impl fmt::Debug for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Budgets")
    }
}

impl Collector for Budgets {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let budgets = self.0.budgets();
        let millis = u64::try_from(self.0.clock().now().0).unwrap_or_default();
        let now = UNIX_EPOCH + Duration::from_millis(millis);
        for (name, help, sample) in GAUGES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for budget in &budgets {
                let Some(value) = sample(budget, now) else { continue };
                let labels = [
                    ("upstream", budget.upstream.as_str()),
                    ("endpoint", budget.endpoint.as_str()),
                    ("identity", budget.identity.short()),
                ];
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

fn count(count: Option<u64>) -> Option<i64> {
    count.map(|count| i64::try_from(count).unwrap_or(i64::MAX))
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn left(until: Option<SystemTime>, now: SystemTime) -> i64 {
    until.and_then(|until| until.duration_since(now).ok()).map_or(0, seconds)
}
