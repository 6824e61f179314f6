//! Names and values of a query string or of a form body, decoded and encoded the way AWS does.

/// The decoded name and value pairs of `text`, in their order. Empty pieces (`&&`) are skipped, a
/// name without `=` has an empty value, and `+` is a space.
pub(crate) fn pairs(text: &[u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + '_ {
    text.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()).map(|piece| {
        match piece.iter().position(|byte| *byte == b'=') {
            Some(at) => (decode(&piece[..at]), decode(&piece[at + 1..])),
            None => (decode(piece), Vec::new()),
        }
    })
}

/// Undoes percent encoding. A `%` without two hexadecimal digits after it stands for itself.
fn decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => decoded.push(b' '),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    rest = after;
                }
                _ => decoded.push(b'%'),
            },
            _ => decoded.push(*first),
        }
    }
    decoded
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Appends `bytes` to `out`, percent-encoding all but the unreserved characters of RFC 3986, with
/// upper-case digits: `UriEncode` of the SigV4 documentation.
pub(crate) fn encode_into(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if unreserved {
            out.push(*byte);
        } else {
            out.push(b'%');
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strings(text: &str) -> Vec<(String, String)> {
        pairs(text.as_bytes())
            .map(|(name, value)| {
                (String::from_utf8(name).unwrap(), String::from_utf8(value).unwrap())
            })
            .collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn pairs_are_decoded_in_order() {
        assert_eq!(
            strings("b=2&a=%2F+x&&c&d=e=f"),
            [pair("b", "2"), pair("a", "/ x"), pair("c", ""), pair("d", "e=f")]
        );
        assert_eq!(strings(""), []);
        assert_eq!(strings("=v"), [pair("", "v")]);
    }

    #[test]
    fn broken_escapes_stand_for_themselves() {
        assert_eq!(
            strings("a=%&b=%4&c=%zz&d=%E1"[..14].as_ref()),
            [pair("a", "%"), pair("b", "%4"), pair("c", "%zz")]
        );
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut text = Vec::new();
            encode_into(&mut text, &bytes);
            prop_assert!(text.is_ascii());
            prop_assert_eq!(decode(&text), bytes);
        }
    }
}
