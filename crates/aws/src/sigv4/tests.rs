//! See also `tests/it`: published vectors and requests captured from real clients.
