//! Scenarios with real programs around the real binary.

mod harness;
