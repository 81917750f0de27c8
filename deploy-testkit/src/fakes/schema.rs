//! Databases.

use std::collections::BTreeMap;

use async_trait::async_trait;
use mpac_deploy_core::ids::{EffectId, FencingToken, SchemaVersion, ServiceName};
use mpac_deploy_core::migration::{Migrations, Step};
use mpac_deploy_core::port::{PortError, Schema};
use serde::Serialize;

use super::failures::Failures;
use super::lock::Lock;

/// The schemas of some services in memory, each at a version.
#[derive(Debug, Default)]
pub struct FakeSchema {
    state: Lock<State>,
}

#[derive(Debug, Default)]
struct State {
    versions: BTreeMap<ServiceName, SchemaVersion>,
    written: Vec<String>,
    done: Vec<SchemaChange>,
    fence: Option<FencingToken>,
    failures: Failures,
    breaks: Option<SchemaVersion>,
}

/// A change of a schema that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SchemaChange {
    /// The effect that asked for it.
    pub effect: EffectId,
    /// Whose schema.
    pub service: ServiceName,
    /// The version that it has from then on.
    pub to: SchemaVersion,
}

impl FakeSchema {
    /// Schemas at the versions before these migrations.
    #[must_use]
    pub fn before(migrations: &Migrations) -> Self {
        let fake = Self::default();
        // The first step of a service says where it begins.
        for step in migrations.contract.iter().rev().chain(migrations.expand.iter().rev()) {
            fake.set_version(&step.service, &step.from);
        }
        fake
    }

    /// Sets the version of a service's schema, as somebody else might.
    pub fn set_version(&self, service: &ServiceName, version: &SchemaVersion) {
        self.state.get().versions.insert(service.clone(), version.clone());
    }

    /// The version of a service's schema, if it has one.
    #[must_use]
    pub fn version_of(&self, service: &ServiceName) -> Option<SchemaVersion> {
        self.state.get().versions.get(service).cloned()
    }

    /// Data is written to these columns, as `table.column`.
    pub fn write_to(&self, columns: &[&str]) {
        self.state.get().written.extend(columns.iter().map(|column| (*column).to_owned()));
    }

    /// Every attempt to reach this version fails for good.
    pub fn break_at(&self, version: &SchemaVersion) {
        self.state.get().breaks = Some(version.clone());
    }

    /// Makes the next call fail; several errors wait in line.
    pub fn fail_next(&self, error: PortError) {
        self.state.get().failures.add(error);
    }

    /// What was changed, in order.
    #[must_use]
    pub fn done(&self) -> Vec<SchemaChange> {
        self.state.get().done.clone()
    }

    fn change(
        &self,
        id: &EffectId,
        fence: FencingToken,
        service: &ServiceName,
        from: &SchemaVersion,
        to: &SchemaVersion,
    ) -> Result<Vec<String>, PortError> {
        let mut state = self.state.get();
        state.failures.next()?;
        if let Some(seen) = state.fence.filter(|seen| fence < *seen) {
            return Err(PortError::Refused(format!("the fencing token {fence} is older than {seen}")));
        }
        state.fence = Some(fence);
        let Some(found) = state.versions.get(service).cloned() else { return none(service) };
        if found == *to {
            return Ok(Vec::new());
        }
        if found != *from {
            return Err(PortError::Refused(format!(
                "the schema of {service} is at {found}, neither at {from} nor at {to}"
            )));
        }
        if state.breaks.as_ref() == Some(to) {
            return Err(PortError::Refused(format!("the migration of {service} to {to} fails")));
        }
        state.versions.insert(service.clone(), to.clone());
        state.done.push(SchemaChange { effect: id.clone(), service: service.clone(), to: to.clone() });
        Ok(vec![format!("{service}: {from} -> {to}")])
    }
}

fn none<T>(service: &ServiceName) -> Result<T, PortError> {
    Err(PortError::NotFound(format!("there is no schema of {service}")))
}

#[async_trait]
impl Schema for FakeSchema {
    async fn version(&self, service: &ServiceName) -> Result<SchemaVersion, PortError> {
        let mut state = self.state.get();
        state.failures.next()?;
        state.versions.get(service).cloned().map_or_else(|| none(service), Ok)
    }

    async fn apply(&self, id: &EffectId, fence: FencingToken, step: &Step) -> Result<Vec<String>, PortError> {
        self.change(id, fence, &step.service, &step.from, &step.to)
    }

    async fn undo(&self, id: &EffectId, fence: FencingToken, step: &Step) -> Result<Vec<String>, PortError> {
        self.change(id, fence, &step.service, &step.to, &step.from)
    }

    async fn written(&self, step: &Step) -> Result<Vec<String>, PortError> {
        let mut state = self.state.get();
        state.failures.next()?;
        Ok(step.adds.iter().filter(|column| state.written.contains(column)).cloned().collect())
    }
}
