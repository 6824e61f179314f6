//! The `cistern` process seen from outside, and the rules of the house.

mod environment;
mod listener;
mod process;
mod start;
mod tidy;
mod tls;
