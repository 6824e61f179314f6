//! Cistern's own operations: what it can do and AWS's services cannot.
//!
//! Spoken like ECR's: JSON 1.1, target prefix `Cistern_V1`, signed for the service `cistern`, with
//! ECR's exceptions and its words for what ECR has too. Unlike AWS's, the documents in these shapes
//! refuse members that they do not know: a policy that silently does not hold is worse.

mod collection;
mod explanation;
mod import;
mod operation;
mod rule_policy;
mod warming;

pub use collection::*;
pub use explanation::*;
pub use import::*;
pub use operation::Operation;
pub use rule_policy::*;
pub use warming::*;
