//! What is read, what is refused, and where.

use std::io::{self, Read};

use super::*;

const HEADER: &str = "time,side,metric,value\n";
const ROW: &str = "2026-01-28T09:00:00Z,green,requests,100\n";

fn read(csv: &str) -> Result<Recording, RecordingError> {
    Recording::read(csv.as_bytes())
}

fn read_rows(rows: &str) -> Recording {
    read(&format!("{HEADER}{rows}")).unwrap()
}

fn period(text: &str) -> Period {
    Period::containing(Timestamp::parse(text).unwrap())
}

fn requests(recording: &Recording, time: &str) -> Option<f64> {
    recording.value(period(time), Side::Green, &Metric::Requests)
}

#[test]
fn a_value_is_found_by_period_side_and_metric() {
    let recording = read_rows(&format!("{ROW}2026-01-28T09:01:00Z,blue,latency_p95_ms,12.5\n"));
    assert_eq!(recording.value(period("2026-01-28T09:01:00Z"), Side::Blue, &Metric::LatencyP95), Some(12.5));
    assert_eq!(recording.value(period("2026-01-28T09:01:00Z"), Side::Green, &Metric::LatencyP95), None);
    assert_eq!(recording.value(period("2026-01-28T09:00:00Z"), Side::Blue, &Metric::LatencyP95), None);
    assert_eq!(recording.value(period("9999-01-28T09:00:00Z"), Side::Blue, &Metric::LatencyP95), None);
}

#[test]
fn rows_come_in_any_order() {
    let rows = ["09:02:00Z,green,requests,3", "09:00:00Z,green,requests,1", "09:01:00Z,green,requests,2"];
    let recording = read_rows(&rows.map(|row| format!("2026-01-28T{row}\n")).concat());
    let values: Vec<_> =
        recording.periods().flat_map(|rows| rows.values().map(|row| row.2).collect::<Vec<_>>()).collect();
    assert_eq!(values, [1.0, 2.0, 3.0]);
}

#[test]
fn the_replay_starts_at_the_first_requests_of_green_and_ends_at_its_last_row() {
    let recording = read_rows(
        "2026-01-28T08:00:00Z,blue,requests,1\n2026-01-28T08:30:00Z,green,errors,1\n\
         2026-01-28T09:00:00Z,green,requests,1\n2026-01-28T09:05:00Z,green,redis_up,1\n\
         2026-01-28T09:09:00Z,blue,requests,1\n",
    );
    assert_eq!(recording.start(), period("2026-01-28T09:00:00Z"));
    assert_eq!(recording.end(), period("2026-01-28T09:05:00Z"));
}

#[test]
fn a_replay_goes_over_minutes_without_rows_and_leaves_out_what_is_before_and_after() {
    let recording = Draft::new()
        .set(-2..5, Side::Blue, Metric::Requests, 1.0)
        .set(0..1, Side::Green, Metric::Requests, 2.0)
        .set(3..4, Side::Green, Metric::Requests, 3.0)
        .remove(1..2, Side::Blue, &Metric::Requests)
        .build()
        .unwrap();
    let counts: Vec<_> = recording.replay().map(|rows| rows.values().count()).collect();
    assert_eq!(counts, [2, 0, 1, 2]);
    let periods: Vec<_> = recording.replay().map(|rows| rows.period()).collect();
    assert_eq!(periods, [0, 1, 2, 3].map(Draft::period));
    assert_eq!(recording.periods().count(), 6);
}

#[test]
fn a_row_is_known_by_side_metric_and_time() {
    let recording = read_rows(&format!("{ROW}2026-01-28T08:00:00Z,blue,requests,NaN\n"));
    assert!(recording.has_row(Side::Blue, &Metric::Requests));
    assert!(!recording.has_row(Side::Blue, &Metric::Errors));
    assert!(recording.has_row_from(Side::Blue, &Metric::Requests, period("2026-01-28T08:00:00Z")));
    assert!(!recording.has_row_from(Side::Blue, &Metric::Requests, period("2026-01-28T08:01:00Z")));
}

#[test]
fn crlf_and_a_byte_order_mark_are_read_whatever_pieces_the_bytes_come_in() {
    struct OneByOne<'a>(&'a [u8]);
    impl Read for OneByOne<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(buffer.len()).min(1);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }
    let csv = format!("\u{feff}{HEADER}{ROW}").replace('\n', "\r\n");
    for recording in [read(&csv), Recording::read(OneByOne(csv.as_bytes()))] {
        assert_eq!(requests(&recording.unwrap(), "2026-01-28T09:00:00Z"), Some(100.0));
    }
}

#[test]
fn quotes_spaces_and_blank_lines_are_read() {
    let csv =
        "\ntime , side,metric,value\r\n\r\n\"2026-01-28T09:00:00Z\",\"green\", requests ,\" 100\"\r\n \n";
    assert_eq!(requests(&read(csv).unwrap(), "2026-01-28T09:00:00Z"), Some(100.0));
}

#[test]
fn the_last_line_needs_no_line_feed() {
    assert_eq!(requests(&read_rows(ROW.trim_end()), "2026-01-28T09:00:00Z"), Some(100.0));
}

#[test]
fn a_utc_offset_is_taken_off() {
    for time in ["2026-01-28T18:00:00+09:00", "2026-01-28T03:30:00-05:30", "2026-01-28T09:00:00-00:00"] {
        let recording = read_rows(&format!("{time},green,requests,1\n"));
        assert_eq!(recording.start(), period("2026-01-28T09:00:00Z"), "{time}");
    }
}

#[test]
fn a_fraction_of_zero_seconds_is_a_whole_minute() {
    let recording = read_rows("2026-01-28T09:00:00.000Z,green,requests,1\n");
    assert_eq!(recording.start(), period("2026-01-28T09:00:00Z"));
}

#[test]
fn not_a_number_and_the_infinities_are_numbers() {
    for (text, value) in [("inf", f64::INFINITY), ("Infinity", f64::INFINITY), ("-INF", f64::NEG_INFINITY)] {
        let recording = read_rows(&format!("{ROW}2026-01-28T09:00:00Z,green,queue,{text}\n"));
        assert_eq!(recording.value(recording.start(), Side::Green, &"queue".into()), Some(value), "{text}");
    }
    assert!(requests(&read_rows(&ROW.replace("100", "nan")), "2026-01-28T09:00:00Z").unwrap().is_nan());
}

#[test]
fn a_number_too_large_for_a_double_is_infinite() {
    let recording = read_rows(&ROW.replace("100", "1e999"));
    assert_eq!(requests(&recording, "2026-01-28T09:00:00Z"), Some(f64::INFINITY));
}

#[test]
fn minus_zero_is_no_negative_count() {
    assert_eq!(requests(&read_rows(&ROW.replace("100", "-0")), "2026-01-28T09:00:00Z"), Some(-0.0));
}

#[test]
fn a_custom_metric_keeps_its_name_and_may_be_negative() {
    let recording = read_rows(&format!("{ROW}2026-01-28T09:00:00Z,green,\"kasse, süd\",-3\n"));
    assert_eq!(recording.value(recording.start(), Side::Green, &"kasse, süd".into()), Some(-3.0));
}

#[test]
fn the_same_minute_of_another_side_or_metric_is_no_duplicate() {
    let recording =
        read_rows(&format!("{ROW}{}{}", ROW.replace("green", "blue"), ROW.replace("requests", "errors")));
    assert_eq!(recording.row_count(), 3);
}

#[test]
fn ten_years_are_read_even_over_leap_days() {
    let first = "2016-01-28T09:00:00Z,green,requests,1\n";
    assert_eq!(read_rows(&format!("{ROW}{first}")).start(), period("2016-01-28T09:00:00Z"));
    let error = read(&format!("{HEADER}{first}{}", ROW.replace("09:00", "09:01"))).unwrap_err();
    assert_eq!(error.line(), Some(3));
}

#[test]
fn the_first_and_the_last_minute_that_can_be_written_are_read() {
    for time in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:00Z"] {
        let recording = read_rows(&format!("{time},green,requests,1\n"));
        assert_eq!(recording.start().to_string(), time);
        assert_eq!(recording.replay().count(), 1);
    }
}

#[test]
fn what_is_written_is_read_back() {
    let recording = read_rows(&format!(
        "{ROW}2026-01-28T09:01:00Z,blue,requests,0.1\n2026-01-28T09:01:00Z,blue,\"a \"\"b\"\", c\",NaN\n\
         2026-01-28T09:02:00Z,green,queue,-inf\n2026-01-28T09:02:00Z,green,tiny,5e-324\n"
    ));
    let mut csv = Vec::new();
    recording.write_csv(&mut csv).unwrap();
    let mut again = Vec::new();
    Recording::read(csv.as_slice()).unwrap().write_csv(&mut again).unwrap();
    assert_eq!(String::from_utf8(csv).unwrap(), String::from_utf8(again).unwrap());
    assert_eq!(recording.row_count(), 5);
}

#[test]
fn the_order_of_the_rows_leaves_no_trace() {
    let rows = [ROW.to_owned(), ROW.replace("requests", "a"), ROW.replace("green,requests", "blue,z")];
    let forward = read_rows(&rows.concat());
    let backward = read_rows(&rows.iter().rev().cloned().collect::<String>());
    assert_eq!(format!("{forward:?}"), format!("{backward:?}"));
}

#[test]
fn rows_are_checked_like_lines() {
    let row = |minute, metric: &str, value| (Draft::period(minute), Side::Green, Metric::from(metric), value);
    let duplicate =
        Recording::from_rows([row(0, "requests", 1.0), row(1, "requests", 1.0), row(0, "requests", 2.0)]);
    assert_eq!(duplicate.unwrap_err().line(), Some(4));
    let negative = Recording::from_rows([row(0, "requests", 1.0), row(0, "errors", -1.0)]);
    assert_eq!(negative.unwrap_err().line(), Some(3));
    let untrimmed = Recording::from_rows([row(0, " requests", 1.0)]);
    assert!(matches!(untrimmed, Err(RecordingError::MetricName { line: 2, .. })));
    assert!(matches!(Recording::from_rows([]), Err(RecordingError::NoGreenRequests)));
}

#[test]
fn a_known_metric_under_a_custom_name_is_the_known_one() {
    let rows = [(Draft::period(0), Side::Green, Metric::Custom("requests".into()), 1.0)];
    assert_eq!(Recording::from_rows(rows).unwrap().metrics().collect::<Vec<_>>(), [&Metric::Requests]);
}

/// A malformed recording: the bytes, the line that the error must name, and a piece of its message.
type Malformed = (&'static str, Vec<u8>, Option<u32>, &'static str);

fn malformed(
    name: &'static str,
    bytes: impl Into<Vec<u8>>,
    line: impl Into<Option<u32>>,
    piece: &'static str,
) -> Malformed {
    (name, bytes.into(), line.into(), piece)
}

/// A header, one good row and then `row` on line 3.
fn third(row: &str) -> String {
    format!("{HEADER}{ROW}{row}\n")
}

/// A header, one good row and then a row with this time.
fn at(time: &str) -> String {
    third(&format!("{time},green,requests,1"))
}

/// A header, one good row and then a row with this value of `errors`.
fn errors(value: &str) -> String {
    third(&format!("2026-01-28T09:00:00Z,green,errors,{value}"))
}

fn malformed_recordings() -> Vec<Malformed> {
    let not_utf8 = [HEADER.as_bytes(), ROW.as_bytes(), b"2026-01-28T09:00:00Z,green,l\xe4tency,1\n"].concat();
    let truncated_utf8 = [HEADER.as_bytes(), ROW.as_bytes(), b"2026-01-28T09:00:00Z,green,m\xc3"].concat();
    vec![
        malformed("empty", "", None, "is empty"),
        malformed("only a byte-order mark", "\u{feff}", None, "empty"),
        malformed("only line feeds", "\n\r\n\n", None, "is empty"),
        malformed("only a header", HEADER, None, "no row of `requests` for green"),
        malformed("no header", ROW, 1, "`2026-01-28T09:00:00Z,green,requests,100` is not the header"),
        malformed("another header", "timestamp,value\n1,2\n", 1, "`timestamp,value` is not the header"),
        malformed(
            "columns in another order",
            "side,time,metric,value\n",
            1,
            "must be `time,side,metric,value`",
        ),
        malformed("a header after blank lines", "\n\ntime;side;metric;value\n", 3, "is not the header"),
        malformed(
            "too few fields",
            third("2026-01-28T09:00:00Z,green,errors") + ROW,
            3,
            "3 fields instead of 4",
        ),
        malformed(
            "too many fields",
            third("2026-01-28T09:00:00Z,green,errors,1,000"),
            3,
            "5 fields instead of 4",
        ),
        malformed(
            "another separator",
            third("2026-01-28T09:00:00Z;green;errors;1"),
            3,
            "1 fields instead of 4",
        ),
        malformed("cut in the metric", third("2026-01-28T09:00:00Z,green,req").trim_end(), 3, "cut short"),
        malformed("cut in the time", third("2026-01-28T09").trim_end(), 3, "after 1 of 4 fields"),
        malformed(
            "cut before the value",
            third("2026-01-28T09:00:00Z,green,errors,").trim_end(),
            3,
            "`` is no number",
        ),
        malformed("cut in a character", truncated_utf8, 3, "cut short"),
        malformed("Latin-1", not_utf8, 3, "is not UTF-8"),
        malformed("UTF-16", b"\xff\xfet\0i\0m\0e\0".as_slice(), 1, "is not the header"),
        malformed(
            "an open quotation mark",
            third("2026-01-28T09:00:00Z,green,\"errors,1") + ROW,
            3,
            "3 of 4 fields",
        ),
        malformed("an endless line", third("\"") + &ROW.repeat(40_000), 3, "longer than 1048576 bytes"),
        malformed("no time", at("yesterday"), 3, "`yesterday` is no time"),
        malformed("a time without an offset", at("2026-01-28T09:00:00"), 3, "RFC 3339 with an offset"),
        malformed("a day that is not", at("2026-02-30T09:00:00Z"), 3, "`2026-02-30T09:00:00Z` is no time"),
        malformed("a Unix time", at("1769590800"), 3, "`1769590800` is no time"),
        malformed("a second within a minute", at("2026-01-28T09:01:30Z"), 3, "not on a whole minute"),
        malformed("a fraction of a second", at("2026-01-28T09:01:00.001Z"), 3, "not on a whole minute"),
        malformed("a leap second", at("2016-12-31T23:59:60Z"), 3, "not on a whole minute"),
        malformed("before the year 0", at("0000-01-01T00:00:00+01:00"), 3, "outside the years 0000 to 9999"),
        malformed(
            "after the year 9999",
            at("9999-12-31T23:59:00-00:01"),
            3,
            "outside the years 0000 to 9999",
        ),
        malformed("another side", third("2026-01-28T09:00:00Z,red,errors,1"), 3, "`red` is no side"),
        malformed(
            "a side in capitals",
            third("2026-01-28T09:00:00Z,Green,errors,1"),
            3,
            "write `blue` or `green`",
        ),
        malformed("no metric", third("2026-01-28T09:00:00Z,green,,1"), 3, "is no name of a metric"),
        malformed(
            "a long metric",
            third(&format!("2026-01-28T09:00:00Z,green,{},1", "m".repeat(256))),
            3,
            "256 bytes",
        ),
        malformed("no number", errors("many"), 3, "`many` is no number"),
        malformed("a decimal comma", errors("\"1,5\""), 3, "`1,5` is no number"),
        malformed("a unit", errors("12ms"), 3, "without a unit"),
        malformed("a hexadecimal number", errors("0x10"), 3, "is no number"),
        malformed("a negative count", errors("-1"), 3, "-1 is negative, but `errors` is a count"),
        malformed("a count of minus infinity", errors("-inf"), 3, "-inf is negative"),
        malformed("a tiny negative count", errors("-1e-300"), 3, "is negative"),
        malformed("two rows for one value", format!("{HEADER}{ROW}\n{ROW}"), 4, "on line 2: remove one"),
        malformed(
            "one value in two offsets",
            at("2026-01-28T10:00:00+01:00"),
            3,
            "`requests` at 2026-01-28T09:00:00Z",
        ),
        malformed("more than ten years", at("2036-01-28T09:01:00Z"), 3, "spans more than 10 years"),
        malformed("ten years backwards", at("2016-01-28T08:59:00Z"), 3, "from 2016-01-28T08:59:00Z to 2026-"),
        malformed(
            "no requests of green",
            HEADER.to_owned() + &ROW.replace("green", "blue"),
            None,
            "when green first",
        ),
        malformed("CRLF before the error", errors("x").replace('\n', "\r\n"), 3, "`x` is no number"),
        malformed("blank lines before the error", errors("x").replace('\n', "\n\r\n"), 5, "`x` is no number"),
        malformed(
            "a quoted line feed",
            third("2026-01-28T09:00:00Z,green,\"a\nb\",x"),
            3,
            "`x` is no number",
        ),
    ]
}

#[test]
fn a_malformed_recording_is_one_error_that_names_the_line() {
    for (name, bytes, line, piece) in malformed_recordings() {
        let error = Recording::read(bytes.as_slice()).expect_err(name);
        assert_eq!(error.line(), line, "{name}: {error}");
        let message = error.to_string();
        assert!(message.contains(piece), "{name}: {message}");
        assert!(message.len() < 400 && !message.contains('\n'), "{name}: {message}");
    }
}

#[test]
fn of_two_wrong_lines_the_first_is_named() {
    let error =
        read(&format!("{HEADER}{ROW}{}{}", ROW.replace("100", "a"), ROW.replace("100", "b"))).unwrap_err();
    assert_eq!(error.line(), Some(3));
    let later = [ROW.replace("09:00", "09:01"), ROW.replace("09:00", "09:01"), ROW.to_owned()].concat();
    let error = read(&format!("{HEADER}{ROW}{later}")).unwrap_err();
    assert!(matches!(error, RecordingError::Duplicate { first: 3, second: 4, .. }), "{error}");
}

#[test]
fn a_source_that_fails_is_reported_with_the_last_line_read() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let start = format!("{HEADER}{ROW}");
    let error = Recording::read(start.as_bytes().chain(Broken)).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the recording after line 2: the disk is gone");
}

#[test]
fn as_many_names_as_allowed_are_read_and_one_more_is_refused() {
    let rows = |names: usize| {
        let custom =
            (1..names).map(|name| (Draft::period(0), Side::Green, Metric::from(&*format!("m{name}")), 1.0));
        Recording::from_rows(
            [(Draft::period(0), Side::Green, Metric::Requests, 1.0)].into_iter().chain(custom),
        )
    };
    assert_eq!(rows(MAX_METRICS).unwrap().metrics().count(), MAX_METRICS);
    let error = rows(MAX_METRICS + 1).unwrap_err();
    assert!(matches!(error, RecordingError::TooManyMetrics { line: 65_538, .. }), "{error}");
}
