//! The `cistern` process seen from outside, and the rules of the house.

mod commands;
mod environment;
mod listener;
mod process;
mod start;
mod terminal;
mod tidy;
mod tls;
