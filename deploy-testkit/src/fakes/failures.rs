//! Errors that a test has put in line.

use std::collections::VecDeque;

use mpac_deploy_core::port::PortError;

/// Errors for the next calls, one each; the calls after them succeed.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures(VecDeque<PortError>);

impl Failures {
    pub(super) fn add(&mut self, error: PortError) {
        self.0.push_back(error);
    }

    /// The error of this call, if there is one.
    pub(super) fn next(&mut self) -> Result<(), PortError> {
        self.0.pop_front().map_or(Ok(()), Err)
    }
}
