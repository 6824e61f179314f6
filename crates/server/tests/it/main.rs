//! The `cistern` process seen from outside, and the rules of the house.

mod circles;
mod commands;
mod environment;
mod kinds;
mod listener;
mod process;
mod start;
mod terminal;
mod tidy;
mod tls;
