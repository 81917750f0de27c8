//! Writing a recording as CSV.

use std::io::{self, Write};

use csv::WriterBuilder;

use super::Recording;
use super::read::HEADER;

pub(super) fn write(recording: &Recording, sink: impl Write) -> io::Result<()> {
    let mut writer = WriterBuilder::new().from_writer(sink);
    writer.write_record(HEADER)?;
    for rows in recording.periods() {
        let time = rows.period().to_string();
        for (side, metric, value) in rows.values() {
            let (side, value) = (side.to_string(), value.to_string());
            writer.write_record([time.as_str(), &side, metric.name(), &value])?;
        }
    }
    writer.flush()
}
