//! A record as text: one JSON document, which adapters store and the audit trail prints.

use alloc::string::String;
#[cfg(feature = "json")]
use alloc::string::ToString;

#[cfg(feature = "json")]
use serde::Deserialize;

use super::RECORD_VERSION;
#[cfg(feature = "json")]
use super::Record;

/// The text of a record that is none to this library.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A later version of the library wrote it.
    #[error(
        "record {number} has version {version}, and this program reads up to {RECORD_VERSION}: update the program"
    )]
    Newer {
        /// The record.
        number: u64,
        /// Its version.
        version: u16,
    },
    /// It is cut off, or holds what no record of its version holds.
    #[error("a record cannot be read: {0}")]
    Unreadable(String),
}

#[cfg(feature = "json")]
impl Record {
    /// The record as JSON, on one line.
    ///
    /// # Errors
    /// [`RecordError::Unreadable`] when it cannot be written.
    pub fn to_json(&self) -> Result<String, RecordError> {
        serde_json::to_string(self).map_err(|error| RecordError::Unreadable(error.to_string()))
    }

    /// The record that the JSON holds. What this library does not know is an error, never a guess.
    ///
    /// # Errors
    /// [`RecordError`] when a later version wrote it, or it is no record.
    pub fn from_json(json: &str) -> Result<Self, RecordError> {
        /// What every version of a record has.
        #[derive(Deserialize)]
        struct Head {
            version: u16,
            number: u64,
        }
        match serde_json::from_str::<Self>(json) {
            Ok(record) if record.version <= RECORD_VERSION => Ok(record),
            Ok(Self { version, number, .. }) => Err(RecordError::Newer { number, version }),
            Err(error) => Err(match serde_json::from_str::<Head>(json) {
                Ok(Head { version, number }) if version > RECORD_VERSION => {
                    RecordError::Newer { number, version }
                }
                Ok(_) | Err(_) => RecordError::Unreadable(error.to_string()),
            }),
        }
    }
}
