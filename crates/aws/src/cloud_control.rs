//! AWS Cloud Control API: its operations and shapes, and what the published schemas say of the
//! resource types that are offered here.
//!
//! Fields are those of botocore's `cloudcontrol` model 2021-09-30. Properties of resources travel as
//! JSON inside strings; the model calls those strings sensitive, and so do the shapes.

mod operation;
mod progress;
mod request;
pub mod schema;

pub use operation::Operation;
pub use progress::{HandlerErrorCode, ProgressEvent, ProgressEventResponse};
pub use request::*;
