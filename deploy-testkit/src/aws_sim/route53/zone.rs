//! A hosted zone.

use std::collections::BTreeMap;

use mpac_deploy_core::time::Timestamp;

use super::RecordSet;

/// The order of the records: by the labels of the name from the last one on, by type, by set identifier.
pub(super) type Key = (Vec<String>, String, String);

/// A hosted zone and its records.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    pub(super) id: String,
    pub(super) domain: String,
    pub(super) busy_until: Option<Timestamp>,
    pub(super) records: BTreeMap<Key, RecordSet>,
}

impl Zone {
    pub(crate) fn new(id: &str, domain: &str) -> Self {
        Self { id: id.into(), domain: canonical(domain), busy_until: None, records: BTreeMap::new() }
    }

    pub(crate) fn put(&mut self, record: RecordSet) {
        let record = RecordSet { name: canonical(&record.name), ..record };
        self.records.insert(key_of(&record), record);
    }

    pub(crate) fn remove(&mut self, name: &str, set: &str) {
        let name = canonical(name);
        self.records.retain(|_, record| record.name != name || record.set_identifier.as_deref() != Some(set));
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &RecordSet> {
        self.records.values()
    }

    pub(super) fn records_from(&self, from: &Key) -> impl Iterator<Item = &RecordSet> {
        self.records.range(from.clone()..).map(|(_, record)| record)
    }
}

pub(super) fn key_of(record: &RecordSet) -> Key {
    key(Some(&record.name), Some(&record.kind), record.set_identifier.as_deref())
}

/// What is not given comes before everything.
pub(super) fn key(name: Option<&str>, kind: Option<&str>, set: Option<&str>) -> Key {
    let name = name.map(canonical).unwrap_or_default();
    let labels = name.trim_end_matches('.').rsplit('.').map(str::to_owned).filter(|label| !label.is_empty());
    (labels.collect(), kind.unwrap_or_default().into(), set.unwrap_or_default().into())
}

/// A name as the API writes it: lower case, with the last dot, and `*` escaped.
pub(crate) fn canonical(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.').to_ascii_lowercase().replace('*', "\\052"))
}
