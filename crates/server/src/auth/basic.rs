//! Basic credentials (RFC 7617) of the data plane.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::HeaderValue;
use zeroize::Zeroizing;

use super::Refusal;

/// The user name that goes with a login token (ECR User Guide, "Private registry authentication").
pub(super) const TOKEN_USER: &str = "AWS";

/// Clients write Basic credentials with padding and without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A user name and a password.
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: Zeroizing<String>,
}

/// Reads the value of an `Authorization` header. `None` where both parts are empty: some clients
/// answer a Basic challenge so when they have no credentials (skopeo).
pub(super) fn parse(header: &HeaderValue) -> Result<Option<Credentials>, Refusal> {
    let (scheme, encoded) =
        header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Refusal::NotBasic)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Refusal::NotBasic);
    }
    let decoded = Zeroizing::new(BASE64.decode(encoded.trim()).map_err(|_| Refusal::NotBasic)?);
    let text = std::str::from_utf8(&decoded).map_err(|_| Refusal::NotBasic)?;
    let (user, password) = text.split_once(':').ok_or(Refusal::NotBasic)?;
    if user.is_empty() && password.is_empty() {
        return Ok(None);
    }
    let password = Zeroizing::new(password.to_owned());
    Ok(Some(Credentials { user: user.to_owned(), password }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Result<Option<(String, String)>, Refusal> {
        let credentials = parse(&HeaderValue::from_str(header).unwrap())?;
        Ok(credentials.map(|credentials| (credentials.user, credentials.password.to_string())))
    }

    #[test]
    fn credentials() {
        let pair = |user: &str, password: &str| Ok(Some((user.to_owned(), password.to_owned())));
        assert_eq!(read("Basic QVdTOnRva2Vu"), pair("AWS", "token"));
        assert_eq!(read("basic  QVdTOnQ="), pair("AWS", "t"));
        assert_eq!(read("BASIC QVdTOnQ"), pair("AWS", "t"));
        assert_eq!(read("Basic YTpiOmM="), pair("a", "b:c"));
        assert_eq!(read("Basic Og=="), Ok(None));
        for header in ["", "Basic", "Basic !", "Bearer QVdTOnQ=", "Basic QVdT", "Basic /w=="] {
            assert_eq!(read(header), Err(Refusal::NotBasic), "{header}");
        }
    }
}
