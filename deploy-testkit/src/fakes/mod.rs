//! Plain fakes of every port: in memory, without a world behind them, each set by the test that uses it.

mod journal;
mod notify;

pub use journal::MemoryJournal;
pub use notify::FakeNotify;
