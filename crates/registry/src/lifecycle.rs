//! Lifecycle policies, evaluated and carried out.

mod evaluation;
