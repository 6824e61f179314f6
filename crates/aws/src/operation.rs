//! How a service's operations are tabled.

/// Writes an enum of operations together with its names.
macro_rules! operations {
    ($(#[$attribute:meta])* $operations:ident; $($operation:ident)+) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $operations {
            $(#[doc = concat!("`", stringify!($operation), "`.")] $operation,)+
        }

        impl $operations {
            /// Every one, in the order of the alphabet.
            pub const ALL: &[Self] = &[$(Self::$operation),+];

            /// The name on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$operation => stringify!($operation)),+ }
            }

            /// The operation of that name; none where the service has no such operation.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|operation| operation.name() == name)
            }
        }

        impl std::fmt::Display for $operations {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.name())
            }
        }
    };
}
pub(crate) use operations;
