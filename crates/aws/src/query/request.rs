//! How the shapes of requests are written down, and read from a form.

use super::Form;
use crate::exception::{CommonException, Exception};

/// Writes structs of requests, and how each is read from a form: every member with its name on the
/// wire.
macro_rules! requests {
    ($(
        $(#[$attribute:meta])*
        $request:ident { $($(#[$about:meta])* $member:ident: $kind:ty = $name:literal;)* }
    )+) => {$(
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $request {
            $($(#[$about])* pub $member: $kind,)*
        }

        impl $request {
            /// Reads the request from a form.
            ///
            /// # Errors
            /// `ValidationError` where a member is missing that is required, `MalformedInput`
            /// where a number is none.
            pub fn read(form: &$crate::query::Form) -> Result<Self, $crate::Exception> {
                Ok(Self { $($member: $crate::query::Member::read(form, $name)?,)* })
            }
        }
    )+};
}
pub(crate) use requests;

/// A kind of member that can be read from a form.
pub(crate) trait Member: Sized {
    /// Reads the member of that name.
    fn read(form: &Form, name: &str) -> Result<Self, Exception>;
}

/// A text that must be there.
impl Member for String {
    fn read(form: &Form, name: &str) -> Result<Self, Exception> {
        form.get(name).map(str::to_owned).ok_or_else(|| missing(&camel_case(name)))
    }
}

impl Member for Option<String> {
    fn read(form: &Form, name: &str) -> Result<Self, Exception> {
        Ok(form.get(name).map(str::to_owned))
    }
}

impl Member for Option<i64> {
    fn read(form: &Form, name: &str) -> Result<Self, Exception> {
        let number = form.get(name).map(str::parse).transpose();
        number.map_err(|_| {
            let text = format!("The member '{}' must be a whole number.", camel_case(name));
            Exception::new(CommonException::Serialization, text)
        })
    }
}

impl Member for Vec<String> {
    fn read(form: &Form, name: &str) -> Result<Self, Exception> {
        Ok(form.texts(name).into_iter().map(str::to_owned).collect())
    }
}

/// The refusal of a form without a member that is required, in the frame of AWS's own texts.
pub(crate) fn missing(member: &str) -> Exception {
    Exception::new(
        CommonException::Validation,
        format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
             Member must not be null"
        ),
    )
}

/// AWS names members in its texts as in Java: `roleName`.
fn camel_case(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}
