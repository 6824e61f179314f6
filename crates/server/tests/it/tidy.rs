//! The rules of the house that no compiler knows: who may use whom, how long is too long, what
//! things are called, what must not be there. `docs/STYLE.md` and `ARCHITECTURE.md` give reasons.

mod arrows;
mod source;
mod texts;
