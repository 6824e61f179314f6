//! Timestamps in every notation, there and back.

use proptest::prelude::*;

use super::*;

#[test]
fn json_is_seconds_with_a_fraction() {
    let json =
        |milliseconds| serde_json::to_string(&Timestamp::from_milliseconds(milliseconds)).unwrap();
    assert_eq!(json(1_795_206_389_168), "1795206389.168");
    assert_eq!(json(1_795_206_389_000), "1795206389");
    assert_eq!(json(1_795_206_389_100), "1795206389.1");
    assert_eq!(json(0), "0");
}

#[test]
fn json_of_other_writers_is_read() {
    let read = |text| serde_json::from_str::<Timestamp>(text).unwrap().as_milliseconds();
    assert_eq!(read("1.795206389168E9"), 1_795_206_389_168);
    assert_eq!(read("1795206389"), 1_795_206_389_000);
    assert_eq!(read("-1.5"), -1500);
    assert!(serde_json::from_str::<Timestamp>("\"2015-08-30\"").is_err());
}

#[test]
fn calendar_forms() {
    let moment = Timestamp::from_seconds(1_440_938_160);
    assert_eq!(moment.to_basic_format(), "20150830T123600Z");
    assert_eq!(moment.to_extended_format(), "2015-08-30T12:36:00.000Z");
    assert_eq!(Timestamp::parse_basic_format("20150830T123600Z"), Ok(moment));
    assert_eq!(Timestamp::parse_http_date("Sun, 30 Aug 2015 12:36:00 GMT"), Ok(moment));
    assert_eq!(Timestamp::from_milliseconds(-1).to_extended_format(), "1969-12-31T23:59:59.999Z");
}

#[test]
fn leap_days() {
    let read = |text: &str| Timestamp::parse_basic_format(text).map(Timestamp::as_seconds);
    assert_eq!(read("20240229T000000Z"), Ok(1_709_164_800));
    assert_eq!(read("20000229T000000Z"), Ok(951_782_400));
    assert!(read("21000229T000000Z").is_err());
    assert!(read("20230229T000000Z").is_err());
}

#[test]
fn other_texts_are_refused() {
    for text in [
        "",
        "20150830",
        "2015-08-30T12:36:00Z",
        "20150830T123600",
        "20150830t123600Z",
        "20151330T123600Z",
        "20150832T123600Z",
        "20150800T123600Z",
        "20150830T243600Z",
        "20150830T126000Z",
        "20150830T12360+Z",
        "2015083ሴ12360Z",
    ] {
        assert!(Timestamp::parse_basic_format(text).is_err(), "{text:?}");
    }
    for text in [
        "Sun, 30 Aug 2015 12:36:00",
        "Mon, 30 Aug 2015 12:36:00 GMT",
        "Sun, 30 aug 2015 12:36:00 GMT",
        "Sun, 30-Aug 2015 12:36:00 GMT",
        "Sun, 30 Aug 2015 12-36:00 GMT",
        "Sun, 3ሴ Aug 2015 12:36:00 GMT",
        "20150830T123600Z",
    ] {
        assert!(Timestamp::parse_http_date(text).is_err(), "{text:?}");
    }
}

#[test]
fn clocks_before_the_epoch() {
    let time = UNIX_EPOCH - Duration::from_millis(1500);
    assert_eq!(Timestamp::from_system_time(time).as_milliseconds(), -1500);
    assert_eq!(Timestamp::from_system_time(time).as_seconds(), -2);
}

proptest! {
    #[test]
    fn json_round_trips(milliseconds in -62_135_596_800_000_i64..253_402_300_800_000) {
        let moment = Timestamp::from_milliseconds(milliseconds);
        let json = serde_json::to_string(&moment).unwrap();
        prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), moment);
    }

    #[test]
    fn basic_format_round_trips(seconds in -62_135_596_800_i64..253_402_300_800) {
        let moment = Timestamp::from_seconds(seconds);
        let text = moment.to_basic_format();
        prop_assert_eq!(Timestamp::parse_basic_format(&text), Ok(moment));
    }
}
