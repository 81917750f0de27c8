//! The CSV form of a recording (semantics 6), line by line.

use std::io::{self, Read};
use std::str;

use chrono::{DateTime, Timelike};
use csv::{ByteRecord, ReaderBuilder, Terminator};
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::time::{PERIOD_MILLIS, Timestamp};

use super::collect::Collector;
use super::error::shortened;
use super::{MAX_LINE_BYTES, Recording, RecordingError};

/// The names of the columns.
pub(super) const HEADER: [&str; 4] = ["time", "side", "metric", "value"];

/// Some tools write it in front of UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) fn read(mut source: impl Read) -> Result<Recording, RecordingError> {
    let mut lines = Lines::new(start_of_text(&mut source)?.chain(source));
    let header = lines.advance()?.ok_or(RecordingError::Empty)?;
    check_header(&lines, header)?;
    let mut collector = Collector::default();
    let mut clock = Clock::default();
    while let Some(line) = lines.advance()? {
        let [time, side, metric, value] = lines.fields(line)?;
        let minute = clock.minute(line, time)?;
        let side = parse_side(line, side)?;
        let metric = text(line, metric)?;
        let value = parse_number(line, value)?;
        collector.push(line, minute, side, metric, value)?;
    }
    collector.finish()
}

/// The first bytes, without a byte-order mark. (The `csv` reader misses a mark that comes in pieces.)
fn start_of_text(source: &mut impl Read) -> Result<io::Cursor<Vec<u8>>, RecordingError> {
    let mut start = Vec::new();
    source.take(3).read_to_end(&mut start).map_err(|source| RecordingError::Io { line: 0, source })?;
    if start == BYTE_ORDER_MARK {
        start.clear();
    }
    Ok(io::Cursor::new(start))
}

fn check_header(lines: &Lines<impl Read>, line: u32) -> Result<(), RecordingError> {
    if lines.record.iter().map(<[u8]>::trim_ascii).eq(HEADER.map(str::as_bytes)) {
        return Ok(());
    }
    let found = lines.record.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(",");
    Err(RecordingError::Header { line, found: shortened(&found) })
}

fn text(line: u32, field: &[u8]) -> Result<&str, RecordingError> {
    str::from_utf8(field)
        .map(str::trim)
        .map_err(|_| RecordingError::NotUtf8 { line, text: shortened(&String::from_utf8_lossy(field)) })
}

fn parse_side(line: u32, field: &[u8]) -> Result<Side, RecordingError> {
    match field {
        b"blue" => Ok(Side::Blue),
        b"green" => Ok(Side::Green),
        _ => Err(RecordingError::Side { line, text: shortened(text(line, field)?) }),
    }
}

fn parse_number(line: u32, field: &[u8]) -> Result<f64, RecordingError> {
    let text = text(line, field)?;
    text.parse().map_err(|_| RecordingError::Number { line, text: shortened(text) })
}

/// Reads times, and remembers the last: the rows of a period mostly stand together.
#[derive(Default)]
struct Clock {
    last_text: Vec<u8>,
    last_minute: i64,
}

impl Clock {
    /// Minutes since the Unix epoch.
    fn minute(&mut self, line: u32, field: &[u8]) -> Result<i64, RecordingError> {
        if self.last_text != field {
            self.last_minute = parse_minute(line, field)?;
            self.last_text.clear();
            self.last_text.extend_from_slice(field);
        }
        Ok(self.last_minute)
    }
}

fn parse_minute(line: u32, field: &[u8]) -> Result<i64, RecordingError> {
    let text = text(line, field)?;
    let time = DateTime::parse_from_rfc3339(text)
        .map_err(|_| RecordingError::Time { line, text: shortened(text) })?;
    // A leap second is read as second 59 with more than a second of nanoseconds.
    if time.second() != 0 || time.nanosecond() != 0 {
        return Err(RecordingError::NotWholeMinute { line, text: shortened(text) });
    }
    let millis = time.timestamp_millis();
    if millis < Timestamp::MIN.as_millis() || millis > Timestamp::MAX.as_millis() {
        return Err(RecordingError::TimeOutOfRange { line, text: shortened(text) });
    }
    Ok(millis.div_euclid(PERIOD_MILLIS))
}

/// The records of a file, each with the line on which it begins.
struct Lines<R> {
    reader: csv::Reader<Guard<R>>,
    record: ByteRecord,
    last_line: u32,
}

impl<R: Read> Lines<R> {
    fn new(source: R) -> Self {
        // The reader counts line feeds, and after `\r\n` it would be one behind; so only `\n` ends a record here, and
        // `\r` is trimmed as the space that it then is.
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(Guard::new(source));
        Self { reader, record: ByteRecord::new(), last_line: 0 }
    }

    /// Reads the next record that is not blank; its line, or nothing at the end.
    fn advance(&mut self) -> Result<Option<u32>, RecordingError> {
        loop {
            self.reader.get_mut().begin_record();
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) => return Err(self.failed(error)),
            }
            let line = self.line()?;
            self.last_line = line;
            let blank = self.record.len() == 1 && self.record.as_slice().trim_ascii().is_empty();
            if !blank {
                return Ok(Some(line));
            }
        }
    }

    /// The line on which the current record begins: that of its end, less the line feeds inside quotation marks.
    fn line(&self) -> Result<u32, RecordingError> {
        let next = self.reader.position().line();
        let end = if self.is_unterminated() { next } else { next.saturating_sub(1) };
        let inside = self.record.as_slice().iter().filter(|byte| **byte == b'\n').count();
        u32::try_from(end.saturating_sub(u64::try_from(inside).unwrap_or(0)))
            .map_err(|_| RecordingError::TooManyLines { line: u32::MAX })
    }

    /// Whether the current record is the file's last and no line feed follows it, or only one that an open quotation
    /// mark took in.
    fn is_unterminated(&self) -> bool {
        let guard = self.reader.get_ref();
        let took_it_in = self.record.as_slice().ends_with(b"\n");
        self.reader.position().byte() == guard.read && (guard.last != Some(b'\n') || took_it_in)
    }

    fn fields(&self, line: u32) -> Result<[&[u8]; 4], RecordingError> {
        let found = self.record.len();
        let mut fields = self.record.iter().map(<[u8]>::trim_ascii);
        match (fields.next(), fields.next(), fields.next(), fields.next(), fields.next()) {
            (Some(time), Some(side), Some(metric), Some(value), None) => Ok([time, side, metric, value]),
            _ if found < HEADER.len() && self.is_unterminated() => {
                Err(RecordingError::Truncated { line, found })
            }
            _ => Err(RecordingError::Fields { line, found }),
        }
    }

    fn failed(&self, error: csv::Error) -> RecordingError {
        if self.reader.get_ref().is_exhausted() {
            return RecordingError::LineTooLong { line: self.last_line.saturating_add(1) };
        }
        RecordingError::Io { line: self.last_line, source: error.into() }
    }
}

/// Hands bytes through, and stops when one record takes too many of them.
struct Guard<R> {
    source: R,
    /// Bytes handed out in all.
    read: u64,
    /// The last byte handed out.
    last: Option<u8>,
    /// Bytes that the current record may still ask for.
    allowed: usize,
}

impl<R> Guard<R> {
    fn new(source: R) -> Self {
        Self { source, read: 0, last: None, allowed: MAX_LINE_BYTES }
    }

    fn begin_record(&mut self) {
        self.allowed = MAX_LINE_BYTES;
    }

    fn is_exhausted(&self) -> bool {
        self.allowed == 0
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_exhausted() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the line is too long"));
        }
        let length = buffer.len().min(self.allowed);
        let Some(buffer) = buffer.get_mut(..length) else { return Ok(0) };
        let count = self.source.read(buffer)?;
        self.read = self.read.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        self.allowed = self.allowed.saturating_sub(count);
        if let Some(last) = count.checked_sub(1) {
            self.last = buffer.get(last).copied();
        }
        Ok(count)
    }
}
