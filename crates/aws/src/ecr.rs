//! Amazon ECR: its operations and the shapes of those that are answered here.
//!
//! Fields are those of botocore's `ecr` model 2015-09-21, each answer with exactly the members it
//! has there. A member that was not given is left out of the JSON: Terraform plans a replacement
//! for every one that appears uninvited.

mod image;
mod image_batch;
mod layer;
mod operation;
mod repository;
mod rule;
mod template;
mod token;

pub use image::*;
pub use image_batch::*;
pub use layer::*;
pub use operation::Operation;
pub use repository::*;
pub use rule::*;
pub use template::*;
pub use token::*;

#[cfg(test)]
mod tests;
