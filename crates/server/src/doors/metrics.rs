//! Counts and times for `/metrics`, in the text format of OpenMetrics.

use std::{fmt, time::Duration};

use http::StatusCode;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry as Exposition,
};
use registry::{Counter as Fact, Registry};

mod budgets;

use super::Door;

/// The content type of the text.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    door: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DoorLabels {
    door: &'static str,
}

/// The metrics of the doors, and the registry's counters beside them.
pub(super) struct Metrics {
    exposition: Exposition,
    // Looked up once: a family's own lookup hashes and locks.
    requests: [[Counter; CLASSES.len()]; Door::ALL.len()],
    seconds: [Histogram; Door::ALL.len()],
}

impl Metrics {
    pub(super) fn new(registry: Registry) -> Self {
        let requests = Family::<RequestLabels, Counter>::default();
        let seconds = Family::<DoorLabels, Histogram>::new_with_constructor(|| {
            // 10 µs, a warm manifest, to 84 s, a large blob's first byte from far away.
            Histogram::new(exponential_buckets(0.000_01, 3.0, 15))
        });
        let metrics = Self {
            requests: Door::ALL.map(|door| {
                CLASSES.map(|status| {
                    requests.get_or_create(&RequestLabels { door: door.as_str(), status }).clone()
                })
            }),
            seconds: Door::ALL
                .map(|door| seconds.get_or_create(&DoorLabels { door: door.as_str() }).clone()),
            exposition: Exposition::with_prefix("cistern"),
        };
        let mut exposition = metrics.exposition;
        exposition.register("requests", "answered requests", requests);
        exposition.register(
            "request_duration_seconds",
            "time from a request's head to its answer's head",
            seconds,
        );
        exposition.register_collector(Box::new(budgets::Budgets(registry.clone())));
        exposition.register_collector(Box::new(Facts(registry)));
        Self { exposition, ..metrics }
    }

    /// Counts an answer.
    pub(super) fn observe(&self, door: Door, status: StatusCode, elapsed: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        self.requests[door as usize][class].inc();
        self.seconds[door as usize].observe(elapsed.as_secs_f64());
    }

    /// Writes all metrics.
    pub(super) fn render(&self) -> String {
        let mut out = String::new();
        text::encode(&mut out, &self.exposition).expect("a string takes every write");
        out
    }
}

/// The registry's counters, read when they are asked for.
struct Facts(Registry);

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Facts")
    }
}

impl Collector for Facts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for fact in Fact::ALL {
            let (name, help) = fact.describe();
            let counter = ConstCounter::new(self.0.counters().get(fact));
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        Ok(())
    }
}
