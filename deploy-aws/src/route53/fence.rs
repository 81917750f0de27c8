//! A fencing token that Route 53 itself holds.
//!
//! Route 53 has no conditional write, but a DELETE that does not name a record's every value is refused, and with it the whole
//! batch. So a TXT record beside the pair holds the token of whoever changed the weights last, and every change of the
//! weights deletes it as it was read and creates it anew.

use aws_sdk_route53::error::BuildError;
use aws_sdk_route53::types::{ChangeAction, ResourceRecord, ResourceRecordSet, RrType};
use mpac_deploy_core::ids::FencingToken;

use super::Route53Error;
use super::calls::Changes;

/// Nobody resolves it; short, so that a person who looks sees what is there.
const TTL_SECONDS: i64 = 60;

/// The TXT record as it was read; `None` if there is none yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Marker(Option<ResourceRecordSet>);

impl Marker {
    pub(super) fn of(records: Vec<ResourceRecordSet>) -> Self {
        Self(records.into_iter().find(|record| record.r#type == RrType::Txt))
    }

    /// The marker after a change by the holder of this token.
    pub(super) fn held(name: &str, fence: FencingToken) -> Result<Self, BuildError> {
        let value = ResourceRecord::builder().value(format!("\"fence={fence}\"")).build()?;
        let record = ResourceRecordSet::builder().name(name).r#type(RrType::Txt);
        Ok(Self(Some(record.ttl(TTL_SECONDS).resource_records(value).build()?)))
    }

    /// Refuses whoever was overtaken by a later holder, in whichever process that is.
    pub(super) fn admit(&self, fence: FencingToken) -> Result<(), Route53Error> {
        match self.fence() {
            Some(seen) if fence < seen => Err(Route53Error::Fenced { fence, seen }),
            Some(_) | None => Ok(()),
        }
    }

    /// The changes that go with those of the weights, if nobody has written the marker meanwhile.
    pub(super) fn replaced_by(&self, next: &Self) -> Changes {
        let delete = self.0.iter().map(|record| (ChangeAction::Delete, record.clone()));
        let create = next.0.iter().map(|record| (ChangeAction::Create, record.clone()));
        delete.chain(create).collect()
    }

    /// A text that is not ours counts as no token: a damaged marker must not stop a rollback.
    fn fence(&self) -> Option<FencingToken> {
        let values = self.0.as_ref()?.resource_records.as_deref().unwrap_or_default();
        let tokens = values.iter().filter_map(|value| {
            value.value.trim_matches('"').strip_prefix("fence=").and_then(|token| token.parse().ok())
        });
        tokens.max().map(FencingToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_token_is_refused_and_a_damaged_one_is_none() {
        let held = Marker::held("_mpac-deploy.example.com", FencingToken(7)).unwrap();
        assert!(held.admit(FencingToken(6)).is_err());
        assert!(held.admit(FencingToken(7)).is_ok());
        let mut damaged = held;
        damaged.0.as_mut().unwrap().resource_records.as_mut().unwrap()[0].value = "\"fence=?\"".into();
        assert!(damaged.admit(FencingToken(0)).is_ok());
        assert!(Marker::of(Vec::new()).admit(FencingToken(0)).is_ok());
    }

    #[test]
    fn the_first_one_is_created_and_the_next_one_replaced() {
        let (none, held) = (Marker::of(Vec::new()), Marker::held("x.example.com", FencingToken(1)).unwrap());
        let actions = |changes: Changes| changes.into_iter().map(|(action, _)| action).collect::<Vec<_>>();
        assert_eq!(actions(none.replaced_by(&held)), [ChangeAction::Create]);
        assert_eq!(actions(held.replaced_by(&held)), [ChangeAction::Delete, ChangeAction::Create]);
    }
}
