//! Amazon ECR: its operations and the shapes of those that are answered here.
//!
//! Fields are those of botocore's `ecr` model 2015-09-21, each answer with exactly the members it
//! has there. A member that was not given is left out of the JSON: Terraform plans a replacement
//! for every one that appears uninvited.

mod image;
mod image_batch;
mod label;
mod layer;
mod layer_upload;
mod lifecycle_preview;
mod operation;
mod policy;
mod referrer;
mod registry;
mod repository;
mod rule;
mod scanning;
mod setting;
mod storage_class;
mod template;
mod token;

pub use image::*;
pub use image_batch::*;
pub use label::*;
pub use layer::*;
pub use layer_upload::*;
pub use lifecycle_preview::*;
pub use operation::Operation;
pub use policy::*;
pub use referrer::*;
pub use registry::*;
pub use repository::*;
pub use rule::*;
pub use scanning::*;
pub use setting::*;
pub use storage_class::*;
pub use template::*;
pub use token::*;

#[cfg(test)]
mod tests;
