//! The ports behind the rules.

use async_trait::async_trait;
use mpac_deploy_core::analysis::Reading;
use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::effect::{Archive, CheckResult, Direction, Health, ObservedWeights};
use mpac_deploy_core::ids::{
    CheckName, EffectId, FencingToken, FlagName, RecordName, RolloutId, SchemaVersion, ServiceName,
};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::migration::Step;
use mpac_deploy_core::plan::{Release, Series};
use mpac_deploy_core::port::{Checks, Flags, Fleet, Metrics, Notify, PortError, Probes, Schema, Traffic};
use mpac_deploy_core::time::Period;
use mpac_deploy_core::units::Weights;

use super::{Call, Faulty};

#[async_trait]
impl Traffic for Faulty<dyn Traffic> {
    async fn read(&self, record: &RecordName) -> Result<ObservedWeights, PortError> {
        self.faults.make(Call::TrafficRead, self.port.read(record), Err).await
    }

    async fn set(
        &self,
        id: &EffectId,
        fence: FencingToken,
        record: &RecordName,
        weights: Weights,
        direction: Direction,
    ) -> Result<(), PortError> {
        let set = self.port.set(id, fence, record, weights, direction);
        self.faults.make(Call::TrafficSet, set, Err).await
    }

    async fn confirm(&self, change: &EffectId) -> Result<bool, PortError> {
        self.faults.make(Call::TrafficConfirm, self.port.confirm(change), Err).await
    }
}

#[async_trait]
impl Fleet for Faulty<dyn Fleet> {
    async fn provision(
        &self,
        id: &EffectId,
        fence: FencingToken,
        release: &Release,
    ) -> Result<(), PortError> {
        self.faults.make(Call::FleetProvision, self.port.provision(id, fence, release), Err).await
    }

    async fn health(&self, release: &Release, side: Side) -> Result<Health, PortError> {
        self.faults.make(Call::FleetHealth, self.port.health(release, side), Err).await
    }

    async fn retire(
        &self,
        id: &EffectId,
        fence: FencingToken,
        release: &Release,
    ) -> Result<Option<Archive>, PortError> {
        self.faults.make(Call::FleetRetire, self.port.retire(id, fence, release), Err).await
    }

    async fn revive(&self, id: &EffectId, fence: FencingToken, release: &Release) -> Result<(), PortError> {
        self.faults.make(Call::FleetRevive, self.port.revive(id, fence, release), Err).await
    }

    async fn stop_green(
        &self,
        id: &EffectId,
        fence: FencingToken,
        release: &Release,
    ) -> Result<(), PortError> {
        self.faults.make(Call::FleetStopGreen, self.port.stop_green(id, fence, release), Err).await
    }
}

#[async_trait]
impl Schema for Faulty<dyn Schema> {
    async fn version(&self, service: &ServiceName) -> Result<SchemaVersion, PortError> {
        self.faults.make(Call::SchemaVersion, self.port.version(service), Err).await
    }

    async fn apply(&self, id: &EffectId, fence: FencingToken, step: &Step) -> Result<Vec<String>, PortError> {
        self.faults.make(Call::SchemaApply, self.port.apply(id, fence, step), Err).await
    }

    async fn undo(&self, id: &EffectId, fence: FencingToken, step: &Step) -> Result<Vec<String>, PortError> {
        self.faults.make(Call::SchemaUndo, self.port.undo(id, fence, step), Err).await
    }

    async fn written(&self, step: &Step) -> Result<Vec<String>, PortError> {
        self.faults.make(Call::SchemaWritten, self.port.written(step), Err).await
    }
}

#[async_trait]
impl Flags for Faulty<dyn Flags> {
    async fn switch_off(&self, id: &EffectId, fence: FencingToken, flag: &FlagName) -> Result<(), PortError> {
        self.faults.make(Call::FlagsSwitchOff, self.port.switch_off(id, fence, flag), Err).await
    }

    async fn is_on(&self, flag: &FlagName) -> Result<bool, PortError> {
        self.faults.make(Call::FlagsIsOn, self.port.is_on(flag), Err).await
    }
}

#[async_trait]
impl Metrics for Faulty<dyn Metrics> {
    async fn fetch(&self, series: &[Series], period: Period) -> Result<Vec<Reading>, PortError> {
        self.faults.make(Call::MetricsFetch, self.port.fetch(series, period), Err).await
    }
}

#[async_trait]
impl Checks for Faulty<dyn Checks> {
    async fn run(
        &self,
        id: &EffectId,
        release: &Release,
        check: &CheckName,
    ) -> Result<CheckResult, PortError> {
        self.faults.make(Call::ChecksRun, self.port.run(id, release, check), Err).await
    }
}

#[async_trait]
impl Probes for Faulty<dyn Probes> {
    async fn probe(&self, services: &[Metric]) -> Vec<bool> {
        let failed = |_| vec![false; services.len()];
        self.faults.make(Call::ProbesProbe, self.port.probe(services), failed).await
    }
}

#[async_trait]
impl Notify for Faulty<dyn Notify> {
    async fn notify(&self, rollout: &RolloutId, decision: &Decision) -> Result<(), PortError> {
        self.faults.make(Call::NotifyNotify, self.port.notify(rollout, decision), Err).await
    }
}
