//! S3, as far as objects are put and read, by paths (`/BUCKET/KEY`).

use std::collections::BTreeMap;

use hyper::Method;

use super::operation::Operation;
use super::wire::{Call, Refusal};
use super::{AwsSim, Shared};

/// The objects of each bucket.
pub(super) type Buckets = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

impl AwsSim {
    /// Makes a bucket.
    pub fn add_bucket(&self, name: &str) {
        self.shared.account.get().buckets.entry(name.into()).or_default();
    }

    /// The keys of a bucket's objects, in their order.
    #[must_use]
    pub fn objects(&self, bucket: &str) -> Vec<String> {
        self.shared
            .account
            .get()
            .buckets
            .get(bucket)
            .into_iter()
            .flat_map(|objects| objects.keys().cloned())
            .collect()
    }

    /// An object.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        self.shared.account.get().buckets.get(bucket)?.get(key).cloned()
    }
}

/// Which call it is, if it is one of ours.
pub(super) fn operation(call: &Call) -> Option<Operation> {
    let (_, key) = place(call)?;
    match call.method {
        Method::PUT if !key.is_empty() => Some(Operation::PutObject),
        Method::GET if !key.is_empty() => Some(Operation::GetObject),
        _ => None,
    }
}

/// The bucket and the key that a path names.
fn place(call: &Call) -> Option<(String, String)> {
    let path = call.path.strip_prefix('/')?;
    let (bucket, key) = path.split_once('/')?;
    Some((super::wire::decoded(bucket), super::wire::decoded(key)))
}

fn no_bucket() -> Refusal {
    Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist")
}

pub(super) fn put(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let (bucket, key) = place(call).ok_or_else(no_bucket)?;
    let mut account = shared.account.get();
    let objects = account.buckets.get_mut(&bucket).ok_or_else(no_bucket)?;
    if call.if_none_match.as_deref() == Some("*") && objects.contains_key(&key) {
        let message = "At least one of the pre-conditions you specified did not hold";
        return Err(Refusal::new(412, "PreconditionFailed", message));
    }
    objects.insert(key, call.body.to_vec());
    Ok(Vec::new())
}

pub(super) fn get(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let (bucket, key) = place(call).ok_or_else(no_bucket)?;
    let account = shared.account.get();
    let objects = account.buckets.get(&bucket).ok_or_else(no_bucket)?;
    let missing = || Refusal::new(404, "NoSuchKey", "The specified key does not exist.");
    objects.get(&key).cloned().ok_or_else(missing)
}
